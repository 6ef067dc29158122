"""Runs programs over Values and reports what they hold afterwards."""

from autograd import Value


def run(lines, names):
    """Execute the lines of a program; [data, grad] of each name."""
    scope = {"Value": Value}
    for line in lines:
        exec(line, scope)
    return [[scope[name].data, scope[name].grad] for name in names]


def chain(start, scales):
    """v = v * scale + x, once for each scale; v's data and x's gradient."""
    v = x = Value(start)
    for scale in scales.tolist():
        v = v * scale + x
    v.backward()
    return [v.data, x.grad]


def diamonds(start, scales):
    """v = v * scale + v, once for each scale; v's data and the first value's gradient."""
    v = x = Value(start)
    for scale in scales.tolist():
        v = v * scale + v
    v.backward()
    return [v.data, x.grad]
