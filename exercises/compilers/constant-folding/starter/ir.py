"""A small SSA IR: its data, its text, its rules, and how it runs. Read it, do not change it.

    func(%a: i32, %p: i1) {
    entry:
      %one = const i32 1
      %next = add i32 %a, %one
      cbr %p, done(%next), done(%a)
    done(%r: i32):
      ret %r, %one
    }

Blocks take parameters where other IRs have phi nodes. Every name is defined once, and its definition
dominates its uses: each path from the entry to a use passes the definition. Blocks may stand in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

TYPES = ("i1", "i32", "i64", "f32", "f64")
INTS, FLOATS = ("i32", "i64"), ("f32", "f64")

# operation -> the operand types it exists for, the number of operands, the result type (None: the operands')
OPERATIONS: dict[str, tuple[tuple[str, ...], int, str | None]] = {
    **dict.fromkeys(["add", "sub", "mul", "div"], (INTS + FLOATS, 2, None)),
    "rem": (INTS, 2, None),
    **dict.fromkeys(["lt", "eq"], (INTS + FLOATS, 2, "i1")),
    "select": (TYPES, 3, None),  # select T %p, %x, %y: x where the i1 p is true, else y
    "widen": (("i32",), 1, "i64"),
    "trunc": (("i64",), 1, "i32"),  # keeps the low 32 bits
    "tofloat": (("i64",), 1, "f64"),
    "narrow": (("f64",), 1, "f32"),
}


class Trap(Exception):
    """The program divided an integer by zero: it ends here, without a result."""


class OutOfSteps(Exception):
    """The program entered more blocks than `run` was told to allow."""


@dataclass
class Instruction:
    """`name = op type args`, or `name = const type value`."""

    name: str
    op: str
    type: str  # of the operands; of select: of the two values
    args: list[str] = field(default_factory=list)
    value: Any = None  # of a const: bool, int or float

    @property
    def result_type(self) -> str:
        """The type of the value that it defines."""
        return self.type if self.op == "const" else OPERATIONS[self.op][2] or self.type

    def __str__(self) -> str:
        shown = repr(self.value).lower() if self.op == "const" else ", ".join(self.args)
        return f"{self.name} = {self.op} {self.type} {shown}"


@dataclass
class Target:
    """Where a branch goes, and what it passes for the block's parameters."""

    label: str
    args: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.label}({', '.join(self.args)})"


@dataclass
class Terminator:
    """The end of a block: `br target`, `cbr %condition, target, target` or `ret %values`."""

    op: str
    args: list[str] = field(default_factory=list)  # of cbr: the condition; of ret: the results
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.op} {', '.join([*self.args, *map(str, self.targets)])}"


@dataclass
class Block:
    """Instructions that run one after the other."""

    label: str
    params: list[tuple[str, str]]  # (name, type)
    body: list[Instruction]
    end: Terminator

    def __str__(self) -> str:
        head = f"{self.label}({_params(self.params)}):" if self.params else f"{self.label}:"
        return "\n".join([head, *(f"  {line}" for line in [*self.body, self.end])])


@dataclass
class Function:
    """A function; its first block is the entry, which has no parameters and is the target of no branch."""

    params: list[tuple[str, str]]  # (name, type)
    blocks: list[Block]

    def block(self, label: str) -> Block:
        """The block of a label."""
        return next(block for block in self.blocks if block.label == label)

    def __str__(self) -> str:
        return "\n".join([f"func({_params(self.params)}) {{", *map(str, self.blocks), "}"])


def _params(params: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in params)


# --- text -> function ---------------------------------------------------------------------------------------


def parse(text: str) -> Function:
    """A function from its text; raises ValueError with the line that it does not understand."""
    lines = [line.partition(";")[0].strip() for line in text.splitlines()]  # a ; begins a comment
    lines = [line for line in lines if line]
    head = re.fullmatch(r"func\((.*)\) \{", lines[0]) if lines else None
    if not head or lines[-1] != "}":
        raise ValueError("a function begins with `func(...) {` and ends with `}`")
    function = Function(_parse_params(head[1]), [])
    body: list[Instruction] = []
    for line in lines[1:-1]:
        if label := re.fullmatch(r"(\w+)(?:\((.*)\))?:", line):
            body = []
            function.blocks.append(
                Block(label[1], _parse_params(label[2] or ""), body, Terminator("missing"))
            )
        elif not function.blocks or function.blocks[-1].end.op != "missing":
            raise ValueError(f"a block begins with a label and ends with br, cbr or ret, before `{line}`")
        elif instruction := re.fullmatch(r"(%\w+) = (\w+) (\w+) (.+)", line):
            body.append(_parse_instruction(line, *instruction.groups()))
        else:
            function.blocks[-1].end = _parse_terminator(line)
    return function


def _parse_params(text: str) -> list[tuple[str, str]]:
    pairs = [part.split(":") for part in text.split(",") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"parameters look like `%x: i32`, not `{text}`")
    return [(name.strip(), kind.strip()) for name, kind in pairs]


def _parse_instruction(line: str, name: str, op: str, kind: str, rest: str) -> Instruction:
    if op != "const":
        return Instruction(name, op, kind, [arg.strip() for arg in rest.split(",")])
    try:
        value: Any = rest == "true" if kind == "i1" else int(rest) if kind in INTS else float(rest)
    except ValueError:
        raise ValueError(f"`{line}`: {rest} is no {kind}") from None
    return Instruction(name, op, kind, value=value)


def _parse_terminator(line: str) -> Terminator:
    op, _, rest = line.partition(" ")
    targets = [
        Target(label, [arg.strip() for arg in args.split(",") if arg.strip()])
        for label, args in re.findall(r"(\w+)\(([^)]*)\)", rest)
    ]
    before = re.sub(r"\w+\([^)]*\)", "", rest)
    args = [arg.strip() for arg in before.split(",") if arg.strip()]
    if (op, len(targets)) not in (("br", 1), ("cbr", 2), ("ret", 0)):
        raise ValueError(f"`{line}` is no instruction of this IR")
    return Terminator(op, args, targets)


# --- the rules ----------------------------------------------------------------------------------------------


def reachable(function: Function) -> list[Block]:
    """The blocks that some path from the entry reaches, the entry first."""
    blocks = {block.label: block for block in function.blocks}
    found = {function.blocks[0].label: function.blocks[0]}
    todo = [function.blocks[0]]
    while todo:
        for target in todo.pop().end.targets:
            if target.label not in found and target.label in blocks:
                found[target.label] = blocks[target.label]
                todo.append(blocks[target.label])
    return list(found.values())


def dominators(function: Function) -> dict[str, set[str]]:
    """For each reachable block, the labels of the blocks that every path to it passes, itself included."""
    blocks = reachable(function)
    before: dict[str, set[str]] = {block.label: set() for block in blocks}
    for block in blocks:
        for target in block.end.targets:
            before[target.label].add(block.label)
    entry, every = blocks[0].label, set(before)
    result = {label: {entry} if label == entry else every for label in before}
    changed = True
    while changed:
        changed = False
        for label, sources in before.items():
            if label != entry:
                new = {label} | set.intersection(*(result[source] for source in sources))
                changed, result[label] = changed or new != result[label], new
    return result


def verify(function: Function) -> None:
    """Raises ValueError with the first rule of SSA or of the types that the function breaks."""
    blocks = {block.label: block for block in function.blocks}
    if not function.blocks or len(blocks) != len(function.blocks):
        raise ValueError("a function has at least one block, and no label twice")
    types: dict[str, str] = {}
    for name, kind in _definitions(function):
        if name in types:
            raise ValueError(f"{name} is defined twice")
        if kind not in TYPES:
            raise ValueError(f"{name} has the unknown type {kind}")
        types[name] = kind
    for block in function.blocks:
        for args, where in _uses(block):
            for arg in args:
                if arg not in types:
                    raise ValueError(f"`{where}`: {arg} is not defined anywhere")
        for instruction in block.body:
            _verify_types(instruction, types)
        _verify_end(function, block, blocks, types)
    above = dominators(function)
    for block in reachable(function):
        visible = {name for name, _ in function.params}
        for label in above[block.label] - {block.label}:
            visible |= {name for name, _ in _of_block(blocks[label])}
        visible |= {name for name, _ in block.params}
        for args, where in _uses(block):
            for arg in args:
                if arg not in visible:
                    raise ValueError(f"`{where}`: no definition of {arg} dominates this use")
            if isinstance(where, Instruction):
                visible.add(where.name)


def _uses(block: Block) -> Iterator[tuple[list[str], Instruction | Terminator]]:
    for instruction in block.body:
        yield instruction.args, instruction
    yield block.end.args, block.end
    for target in block.end.targets:
        yield target.args, block.end


def _of_block(block: Block) -> Iterator[tuple[str, str]]:
    yield from block.params
    for instruction in block.body:
        if instruction.op != "const" and instruction.op not in OPERATIONS:
            raise ValueError(f"`{instruction}`: there is no operation {instruction.op}")
        yield instruction.name, instruction.result_type


def _definitions(function: Function) -> Iterator[tuple[str, str]]:
    yield from function.params
    for block in function.blocks:
        yield from _of_block(block)


def _verify_types(instruction: Instruction, types: dict[str, str]) -> None:
    kind = instruction.type
    if instruction.op == "const":
        want = bool if kind == "i1" else int if kind in INTS else float
        if type(instruction.value) is not want:
            raise ValueError(f"`{instruction}`: a {kind} holds a Python {want.__name__}")
        if kind in INTS and not -(1 << int(kind[1:]) - 1) <= instruction.value < 1 << int(kind[1:]) - 1:
            raise ValueError(f"`{instruction}`: the value does not fit")
        return
    kinds, count, _ = OPERATIONS[instruction.op]
    expected = ["i1", kind, kind] if instruction.op == "select" else [kind] * count
    if kind not in kinds or [types.get(arg) for arg in instruction.args] != expected:
        raise ValueError(f"`{instruction}`: the operands must be {expected}")


def _verify_end(function: Function, block: Block, blocks: dict[str, Block], types: dict[str, str]) -> None:
    end = block.end
    if (end.op, len(end.targets)) not in (("br", 1), ("cbr", 2), ("ret", 0)):
        raise ValueError(f"block {block.label} must end with br, cbr or ret")
    if end.op != "ret" and [types.get(arg) for arg in end.args] != ["i1"] * (end.op == "cbr"):
        raise ValueError(f"`{end}`: a cbr has one i1, a br has none")
    for target in end.targets:
        if target.label not in blocks or target.label == function.blocks[0].label:
            raise ValueError(f"`{end}`: there is no block {target.label} to branch to")
        wanted = [kind for _, kind in blocks[target.label].params]
        if [types.get(arg) for arg in target.args] != wanted:
            raise ValueError(f"`{end}`: {target.label} takes {wanted}")


# --- running it ---------------------------------------------------------------------------------------------


def run(
    function: Function,
    arguments: list[Any],
    evaluate: Callable[[str, str, list[Any]], Any],
    steps: int = 1000,
) -> list[Any]:
    """The values that the function returns; `evaluate(op, type, operands)` says what each operation means.

    Raises Trap where the program traps, OutOfSteps after `steps` blocks.
    """
    values = {name: value for (name, _), value in zip(function.params, arguments, strict=True)}
    block, passed = function.blocks[0], list[Any]()
    for _ in range(steps):
        values.update({name: value for (name, _), value in zip(block.params, passed, strict=True)})
        for i in block.body:
            if i.op == "const":
                values[i.name] = i.value
            else:
                values[i.name] = evaluate(i.op, i.type, [values[arg] for arg in i.args])
        end = block.end
        if end.op == "ret":
            return [values[arg] for arg in end.args]
        target = end.targets[0 if end.op == "br" or values[end.args[0]] else 1]
        block, passed = function.block(target.label), [values[arg] for arg in target.args]
    raise OutOfSteps(f"more than {steps} blocks")
