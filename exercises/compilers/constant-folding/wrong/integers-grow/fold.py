"""Constant folding: what is known at compile time is computed then, to the bit as it would be at run time."""

import ctypes
import math

from ir import FLOATS, INTS, Trap

# --- what the operations mean: the one definition that running and folding share ---------------------------


def wrap(value, bits):
    """The low `bits` bits of an integer, read as two's complement."""
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


def round_to(kind, value):
    """A float of Python's, rounded to a type of the IR; what is too large becomes infinite."""
    return ctypes.c_float(value).value if kind == "f32" else value


def divide_floats(x, y):
    if y != 0:
        return x / y
    if x == 0 or math.isnan(x):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)  # zeros have signs, and -1/0.0 is -inf


def divide_ints(x, y):
    """(quotient, remainder), rounded towards zero: the remainder has the sign of x."""
    if y == 0:
        raise Trap("integer division by zero")
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return quotient, x - quotient * y


def evaluate(op, kind, operands):
    """The result of one operation on Python values; raises Trap for an integer division by zero."""
    x, y = operands[0], operands[-1]
    match op:
        case "lt":
            return x < y
        case "eq":
            return x == y
        case "select":
            return operands[1] if operands[0] else operands[2]
        case "widen":
            return x
        case "trunc":
            return wrap(x, 32)
        case "tofloat":
            return float(x)
        case "narrow":
            return round_to("f32", x)
        case "add":
            value = x + y
        case "sub":
            value = x - y
        case "mul":
            value = x * y
        case "div":
            value = divide_ints(x, y)[0] if kind in INTS else divide_floats(x, y)
        case "rem":
            value = divide_ints(x, y)[1]
    return round_to(kind, value) if kind in FLOATS else value


# --- the pass -----------------------------------------------------------------------------------------------


def reverse_postorder(function):
    """The reachable blocks, each after all that dominate it."""
    blocks = {block.label: block for block in function.blocks}
    order, seen = [], {function.blocks[0].label}
    stack = [(function.blocks[0], iter(function.blocks[0].end.targets))]
    while stack:
        block, targets = stack[-1]
        target = next((t for t in targets if t.label not in seen), None)
        if target is None:
            order.append(block)
            stack.pop()
        else:
            seen.add(target.label)
            stack.append((blocks[target.label], iter(blocks[target.label].end.targets)))
    return order[::-1]


def is_exactly(value, wanted):
    """Equal to the last bit: 0.0 is not -0.0."""
    return value == wanted and math.copysign(1.0, value) == math.copysign(1.0, wanted)


def identity(i, known):
    """The operand that the instruction is equal to whatever the unknown operands are, or None."""
    x, y = i.args[0], i.args[-1]
    if i.op == "select":
        if i.args[0] in known:
            return i.args[1] if known[i.args[0]] else i.args[2]
        return y if i.args[1] == y else None

    def holds(name, wanted):
        return name in known and is_exactly(known[name], wanted)

    zero = 0 if i.type in INTS else -0.0  # x + 0.0 turns -0.0 into 0.0; x + -0.0 changes nothing
    if i.op == "add":
        return y if holds(x, zero) else x if holds(y, zero) else None
    if i.op == "mul":
        return y if holds(x, 1) else x if holds(y, 1) else None
    neutral = {"sub": 0, "div": 1}
    return x if i.op in neutral and holds(y, neutral[i.op]) else None


def always(i, known):
    """The value that an operation on integers has whatever its unknown operands are, or None."""
    x, y = i.args[0], i.args[-1]
    if i.type in INTS and (
        (i.op == "mul" and 0 in (known.get(x), known.get(y)))
        or (i.op == "sub" and x == y)
        or (i.op == "rem" and known.get(y) == 1)
    ):
        return 0
    return None


def simplify(i, known):
    """("value", v) when the instruction is a constant, ("same", name) when it is another value, else None."""
    if all(arg in known for arg in i.args):
        try:
            return "value", evaluate(i.op, i.type, [known[arg] for arg in i.args])
        except Trap:
            return None  # it traps when it is reached, and it may never be reached
    if (value := always(i, known)) is not None:
        return "value", value
    if (name := identity(i, known)) is not None:
        return "same", name
    return None


def fold(function):
    """Fold every constant, identity and branch in place; the function is returned."""
    known = {}  # name -> its value
    same = {}  # name of a removed instruction -> the name that stands for it
    for block in reverse_postorder(function):  # a definition dominates its uses, so it was here before
        body, block.body = block.body, []
        for i in body:
            i.args = [same.get(arg, arg) for arg in i.args]
            if i.op != "const":
                match simplify(i, known):
                    case "same", name:
                        same[i.name] = name
                        continue
                    case "value", value:
                        i.op, i.type, i.args, i.value = "const", i.result_type, [], value
            if i.op == "const":
                known[i.name] = i.value
            block.body.append(i)
        end = block.end
        end.args = [same.get(arg, arg) for arg in end.args]
        for target in end.targets:
            target.args = [same.get(arg, arg) for arg in target.args]
        if end.op == "cbr" and end.args[0] in known:
            end.op, end.targets, end.args = "br", [end.targets[0 if known[end.args[0]] else 1]], []
    function.blocks = reverse_postorder(function)  # a folded branch may have cut blocks off
    return function
