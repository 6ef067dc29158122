"""Random programs, the meaning of the operations, and what a folded program must be."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mlsys_path.checking.testing import fail


def _load_ir():
    spec = importlib.util.spec_from_file_location("ir", Path(__file__).parents[1] / "harness" / "ir.py")
    module = sys.modules["ir"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ir = _load_ir()
PARAMS = [("%a", "i32"), ("%b", "i64"), ("%x", "f32"), ("%y", "f64"), ("%p", "i1")]
NUMPY = {"f32": np.float32, "f64": np.float64}

# --- what the operations mean, by numpy ---------------------------------------------------------------------


def wrap(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def evaluate(op, kind, operands):
    if op == "select":
        return operands[1] if operands[0] else operands[2]
    x, y = operands[0], operands[-1]
    if op in ("widen", "trunc"):
        return wrap(x, 64 if op == "widen" else 32)
    with np.errstate(all="ignore"):
        if op == "tofloat":
            return float(np.float64(x))
        if op == "narrow":
            return float(np.float32(x))
        if op in ("lt", "eq"):
            return bool(x < y) if op == "lt" else bool(x == y)
        if kind in NUMPY:
            x, y = NUMPY[kind](x), NUMPY[kind](y)
            return float({"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[op](x, y))
    if op in ("div", "rem"):
        if y == 0:
            raise ir.Trap
        quotient = abs(x) // abs(y)
        quotient = -quotient if (x < 0) != (y < 0) else quotient
        return wrap(quotient if op == "div" else x - quotient * y, int(kind[1:]))
    return wrap({"add": x + y, "sub": x - y, "mul": x * y}[op], int(kind[1:]))


def outcome(function, arguments):
    """What a run ends with, as text: to the last bit, every NaN alike, a trap and an endless loop too."""
    try:
        return [repr(value) for value in ir.run(function, arguments, evaluate, steps=60)]
    except (ir.Trap, ir.OutOfSteps) as end:
        return type(end).__name__


# --- what must not be left ----------------------------------------------------------------------------------


def leftovers(function):
    """The instructions and branches that the rules of the lesson would still fold, as text."""
    known = {i.name: i.value for block in function.blocks for i in block.body if i.op == "const"}
    found = []
    for block in ir.reachable(function):
        found += [str(i) for i in block.body if i.op != "const" and _foldable(i, known)]
        if block.end.op == "cbr" and block.end.args[0] in known:
            found.append(str(block.end))
    return found


def _foldable(i, known):
    values = [known.get(arg) for arg in i.args]
    if None not in values:
        try:
            evaluate(i.op, i.type, values)
        except ir.Trap:
            return False
        return True
    if i.op == "select":
        return values[0] is not None or i.args[1] == i.args[2]
    left, right = repr(values[0]), repr(values[-1])
    rules = {
        "add": ("0" in (left, right), "-0.0" in (left, right)),
        "sub": (right == "0" or i.args[0] == i.args[-1], right == "0.0"),
        "mul": ("0" in (left, right) or "1" in (left, right), "1.0" in (left, right)),
        "div": (right == "1", right == "1.0"),
        "rem": (right == "1", False),
    }
    return i.op in rules and rules[i.op][i.type in NUMPY]


# --- programs -----------------------------------------------------------------------------------------------


def values(kind):
    """Values of a type, most of them from the corners."""
    if kind == "i1":
        return st.booleans()
    if kind in ir.INTS:
        low = -(1 << (int(kind[1:]) - 1))
        return st.sampled_from([0, 1, -1, 2, low, ~low, low + 1]) | st.integers(low, ~low)
    top = float(np.finfo(NUMPY[kind]).max)
    tiny = float(np.finfo(NUMPY[kind]).smallest_subnormal)
    corners = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), top, tiny]
    return st.sampled_from(corners) | st.floats(width=int(kind[1:]))


def arguments():
    """Arguments for a function with the parameters PARAMS."""
    return st.tuples(*(values(kind) for _, kind in PARAMS)).map(list)


class Writer:
    """Draws instructions whose operands are visible where they stand."""

    def __init__(self, draw):
        self.draw = draw
        self.count = 0

    def name(self):
        self.count += 1
        return f"%{self.count}"

    def pick(self, kind, visible, body):
        """A visible name of a type, or that of a new constant."""
        names = [name for name, k in visible if k == kind]
        choice = self.draw(st.integers(0, len(names)))
        if choice < len(names):
            return names[-1 - choice]
        constant = ir.Instruction(self.name(), "const", kind, value=self.draw(values(kind)))
        body.append(constant)
        visible.append((constant.name, kind))
        return constant.name

    def instruction(self, visible, body):
        op = self.draw(st.sampled_from(list(ir.OPERATIONS)))
        kinds, count, _ = ir.OPERATIONS[op]
        kind = self.draw(st.sampled_from(kinds))
        wanted = ["i1", kind, kind] if op == "select" else [kind] * count
        args = [self.pick(k, visible, body) for k in wanted]
        made = ir.Instruction(self.name(), op, kind, args)
        body.append(made)
        visible.append((made.name, made.result_type))


@st.composite
def constant_programs(draw):
    """A block without parameters: every instruction can be computed, or traps."""
    writer, body, visible = Writer(draw), [], []
    for _ in range(draw(st.integers(1, 10))):
        writer.instruction(visible, body)
    return ir.Function([], [ir.Block("entry", [], body, ir.Terminator("ret", [i.name for i in body]))])


def skeleton(draw):
    """Blocks and edges: each block is reached from an earlier one; there are more edges, also backwards."""
    count = draw(st.integers(1, 6))
    blocks = [ir.Block("entry" if n == 0 else f"b{n}", [], [], ir.Terminator("ret")) for n in range(count)]
    for n in range(1, count):
        free = [block for block in blocks[:n] if len(block.end.targets) < 2]
        draw(st.sampled_from(free)).end.targets.append(ir.Target(f"b{n}"))
    for block in blocks[:-1]:
        if len(block.end.targets) < 2 and count > 1 and draw(st.booleans()):
            block.end.targets.append(ir.Target(f"b{draw(st.integers(1, count - 1))}"))
    for block in blocks:
        block.end.op = ("ret", "br", "cbr")[len(block.end.targets)]
    return ir.Function(PARAMS, blocks)


@st.composite
def programs(draw):
    """A function with branches and loops, its blocks in any order of the text."""
    writer, function = Writer(draw), skeleton(draw)
    above = ir.dominators(function)
    for block in function.blocks[1:]:
        kinds = draw(st.lists(st.sampled_from(ir.TYPES), max_size=2))
        block.params = [(writer.name(), kind) for kind in kinds]
    defined = {}
    for block in function.blocks:  # a dominator has a smaller number, so it is written already
        visible = list(PARAMS)
        for label in sorted(above[block.label] - {block.label}):
            visible += defined[label]
        outside = len(visible)
        visible += block.params
        for _ in range(draw(st.integers(0, 4))):
            writer.instruction(visible, block.body)
        if block.end.op == "cbr":
            block.end.args = [writer.pick("i1", visible, block.body)]
        for target in block.end.targets:
            wanted = function.block(target.label).params
            target.args = [writer.pick(kind, visible, block.body) for _, kind in wanted]
        if block.end.op == "ret":
            block.end.args = [name for name, _ in visible]
        defined[block.label] = visible[outside:]
    function.blocks[1:] = draw(st.permutations(function.blocks[1:]))
    return function


def single(params, lines, end="ret %r"):
    """A program of one block from its text."""
    return ir.parse(f"func({params}) {{\nentry:\n" + "\n".join(lines) + f"\n{end}\n}}")


# --- judging ------------------------------------------------------------------------------------------------


def folded(learner, function, times=1):
    """The learner's folded function; it obeys the rules of the IR and has the same parameters."""
    text = learner.harness("drive").fold_text(str(function), times)
    if not isinstance(text, str):
        fail("fold() must return a Function", got=text)
    try:
        result = ir.parse(text)
        ir.verify(result)
    except ValueError as error:
        fail(f"after folding the program breaks the rules of the IR: {error}{_both(function, text)}")
    if result.params != function.params:
        fail(f"fold() changed the function's parameters{_both(function, text)}")
    size, before = (sum(len(block.body) for block in f.blocks) for f in (result, function))
    if size > before:
        fail(f"folding made the program longer, {size} instructions from {before}{_both(function, text)}")
    return result


def same_behaviour(function, result, inputs):
    """Fails unless both return the same, to the last bit, or trap alike."""
    for arguments in inputs:
        expected, got = outcome(function, arguments), outcome(result, arguments)
        if got != expected:
            names = [name for name, _ in function.params]
            given = ", ".join(f"{n} = {a!r}" for n, a in zip(names, arguments, strict=True)) or "no arguments"
            fail(
                f"the folded program does something else for {given}:{_both(function, str(result))}",
                got=got,
                expected=expected,
            )


def nothing_left(function, result):
    """Fails when the rules would still fold something."""
    if left := leftovers(result):
        fail(f"this could still be folded: `{left[0]}`{_both(function, str(result))}", got=left, expected=[])


def _both(function, text):
    return f"\nthe program\n{function}\nbecame\n{text}"
