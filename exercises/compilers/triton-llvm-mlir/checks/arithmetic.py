"""Functions of integer arithmetic in MLIR: their text, what they compute, and what of them a pass has left."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from mlsys_path.checking.testing import fail

REDUCED = {"muli": "shli", "divui": "shrui", "remui": "andi"}


@dataclass(frozen=True)
class Type:
    """An integer type, or a tensor or vector of one."""

    text: str

    @property
    def element(self) -> str:
        """The type of an element."""
        found = re.search(r"(i\d+|index)>?$", self.text)
        return found[1] if found else ""

    @property
    def width(self) -> int:
        """Its bits; an index has 64."""
        return 64 if self.element == "index" else int(self.element[1:])

    @property
    def count(self) -> int:
        """How many elements there are."""
        found = re.match(r"(?:tensor|vector)<((?:\d+x)+)", self.text)
        total = 1
        for size in found[1].split("x")[:-1] if found else ():
            total *= int(size)
        return total

    @property
    def shaped(self) -> bool:
        """Whether it is a tensor or a vector."""
        return "<" in self.text

    def number(self, value: int) -> str:
        """An element as MLIR writes it: signed, and i1 by name."""
        if self.width == 1:
            return "true" if value & 1 else "false"
        value %= 1 << self.width
        return str(value - (1 << self.width) if value >> (self.width - 1) else value)

    def constant(self, value: int) -> str:
        """The attribute in which each element is `value`."""
        number = self.number(value)
        if self.shaped:
            return f"dense<{number}> : {self.text}"
        return number if self.width == 1 else f"{number} : {self.text}"

    def inputs(self) -> list[list[int]]:
        """Values that an operation could get wrong, and random ones."""
        top = 1 << self.width
        edge = [0, 1, 2, 7, top - 1, top - 7, top - 8, top // 2, top // 2 - 1, top // 2 + 1]
        drawn = [random.getrandbits(self.width) >> random.randrange(self.width) for _ in range(6)]
        return [[random.choice(edge) % top for _ in range(self.count)] for _ in range(10)] + [
            [number % top] * self.count for number in [*edge, *drawn]
        ]


class Undefined(Exception):
    """The function divides by zero or shifts too far for these inputs."""


@dataclass
class Function:
    """One block of operations; `values` holds constants and parameters."""

    name: str
    text: str
    params: list[tuple[str, Type]] = field(default_factory=list)
    constants: dict[str, tuple[Type, list[int]]] = field(default_factory=dict)
    body: list[tuple[str, str, list[str], Type]] = field(default_factory=list)  # result, op, operands, type
    results: list[str] = field(default_factory=list)

    def run(self, arguments: list[list[int]]) -> list[list[int]]:
        """The elements of each result; raises Undefined."""
        values = {name: numbers for name, (_, numbers) in self.constants.items()}
        values |= {name: numbers for (name, _), numbers in zip(self.params, arguments, strict=True)}
        for result, op, operands, kind in self.body:
            columns = zip(*(values[name] for name in operands), strict=True)
            values[result] = [_compute(op, kind.width, *row) for row in columns]
        return [values[name] for name in self.results]


def _compute(op: str, width: int, a: int, b: int) -> int:
    top = 1 << width
    signed = lambda v: v - top if v >> (width - 1) else v  # noqa: E731
    if op[:3] in ("div", "rem", "flo", "cei") and b == 0:
        raise Undefined
    if op.startswith("sh") and b >= width:
        raise Undefined
    x, y = signed(a), signed(b)
    quotient = abs(x) // abs(y or 1) * (1 if (x < 0) == (y < 0) else -1)
    match op:
        case "addi":
            value = a + b
        case "subi":
            value = a - b
        case "muli":
            value = a * b
        case "divui":
            value = a // b
        case "remui":
            value = a % b
        case "divsi":
            value = quotient
        case "remsi":
            value = x - quotient * y
        case "floordivsi":
            value = x // y
        case "ceildivsi":
            value = -(-x // y)
        case "ceildivui":
            value = -(-a // b)
        case "shli":
            value = a << b
        case "shrui":
            value = a >> b
        case "shrsi":
            value = x >> b
        case "andi":
            value = a & b
        case "ori":
            value = a | b
        case "xori":
            value = a ^ b
        case _:
            fail(f"the pass makes arith.{op}, which none of the rules of the lesson asks for")
    return value % top


_HEAD = re.compile(r"(?:func|gpu)\.func @(\w+)\((.*?)\)(?: ->|\s*\{)")
_CONSTANT = re.compile(r"(%[-\w.#$]+) = arith\.constant (?:dense<(.*)> : (\S+)|(-?\w+)(?: : (\S+))?)")
_BINARY = re.compile(
    r"(%[-\w.#$]+) = arith\.(\w+) (%[-\w.#$]+), (%[-\w.#$]+)(?: overflow<\w+(?:, \w+)*>)? : (\S+)"
)
_RETURN = re.compile(r"(?:func\.)?return (.*?) : ")


def functions(text: str, *, strict: bool = True) -> dict[str, Function]:
    """The functions of a module as mlir-opt prints it; `strict` demands that every operation is known."""
    found: dict[str, Function] = {}
    function = None
    for line in (raw.strip() for raw in text.splitlines()):
        if head := _HEAD.search(line):
            function = found[head[1]] = Function(head[1], "")
            pairs = [p.split(":") for p in head[2].split(",")] if head[2] else []
            function.params = [(name.strip(), Type(kind.strip())) for name, kind in pairs]
        if function is None:
            continue
        function.text += f"    {line}\n"
        if constant := _CONSTANT.match(line):
            name, dense, kind, number, scalar = constant.groups()
            function.constants[name] = _constant(Type(kind or scalar or "i1"), dense or number)
        elif binary := _BINARY.match(line):
            result, op, a, b, kind = binary.groups()
            function.body.append((result, op, [a, b], Type(kind)))
        elif ended := _RETURN.match(line):
            function.results = [name.strip() for name in ended[1].split(",")]
            function = None if strict else function
        elif strict and " = " in line:
            fail(f"the pass makes an operation that none of the rules of the lesson asks for:\n    {line}")
    return found


def _constant(kind: Type, text: str) -> tuple[Type, list[int]]:
    words = [{"true": 1, "false": 0}.get(w) for w in re.findall(r"-?\w+", text)]
    numbers = [
        int(w) if known is None else known for w, known in zip(re.findall(r"-?\w+", text), words, strict=True)
    ]
    top = 1 << kind.width
    return kind, [n % top for n in (numbers if len(numbers) == kind.count else numbers * kind.count)]


def left_over(function: Function, ops: tuple[str, ...] = tuple(REDUCED)) -> str:
    """The first operation that the rules of the lesson replace and that is still there; "" for none."""
    for result, op, operands, kind in function.body:
        right = operands if op == "muli" else operands[1:]
        for name in right if op in ops else ():
            numbers = function.constants.get(name, (kind, [0]))[1]
            if len(set(numbers)) == 1 and numbers[0].bit_count() == 1:
                shown = kind.constant(numbers[0])
                return f"{result} = arith.{op} {', '.join(operands)} : {kind.text}, where {name} is {shown}"
    return ""


def same(before: Function, after: Function | None) -> None:
    """Fail when a function computes something else than before, for some input."""
    if after is None:
        fail(f"the function @{before.name} is gone")
    for drawn in zip(*(kind.inputs() for _, kind in before.params), strict=True):
        arguments = list(drawn)
        try:
            expected = before.run(arguments)
        except Undefined:
            continue
        try:
            got = after.run(arguments)
        except Undefined:
            got = []
        if got == expected:
            continue
        where = ", ".join(
            f"{name} = {_show(kind, numbers)}"
            for (name, kind), numbers in zip(before.params, arguments, strict=True)
        )
        kinds = [kind for _, kind in before.params]
        was = ", ".join(_show(kinds[0], numbers) for numbers in expected)
        now = ", ".join(_show(kinds[0], numbers) for numbers in got) if got else "undefined"
        fail(
            f"for {where} this function returned {was}, and after the pass {now}:\n"
            f"{before.text}after the pass:\n{after.text.rstrip()}"
        )


def _show(kind: Type, numbers: list[int]) -> str:
    shown = [kind.number(n) for n in numbers]
    return f"[{', '.join(shown)}]" if kind.shaped else shown[0]
