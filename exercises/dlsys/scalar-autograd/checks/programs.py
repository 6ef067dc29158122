"""Random programs over scalars: the same text runs on the learner's Values and on torch tensors."""

import math
from dataclasses import dataclass, field

import torch
from hypothesis import strategies as st

# text, the conditions on the operands' values; a line that would leave its domain becomes a tanh
OPERATIONS = {
    "{a} + {b}": lambda a, b: True,
    "{a} * {b}": lambda a, b: True,
    "{a} - {b}": lambda a, b: True,
    "{a} / {b}": lambda a, b: abs(b) >= 0.25,
    "-{a}": lambda a, b: True,
    "{a} ** 2": lambda a, b: True,
    "{a} ** 3": lambda a, b: True,
    "{a} ** -1": lambda a, b: abs(a) >= 0.25,
    "{a} ** 0.5": lambda a, b: a >= 0.25,
    "{a}.exp()": lambda a, b: a <= 4,
    "{a}.log()": lambda a, b: a >= 0.25,
    "{a}.tanh()": lambda a, b: True,
    "{a}.relu()": lambda a, b: True,
    "{a} + {c}": lambda a, b: True,
    "{c} + {a}": lambda a, b: True,
    "{a} * {c}": lambda a, b: True,
    "{c} * {a}": lambda a, b: True,
    "{a} - {c}": lambda a, b: True,
    "{c} - {a}": lambda a, b: True,
    "{a} / {c}": lambda a, b: True,
    "{c} / {a}": lambda a, b: abs(a) >= 0.25,
}
LARGEST = 1000.0


class _Plain(float):
    """A float with the methods of a Value."""

    def exp(self):
        return math.exp(self)

    def log(self):
        return math.log(self)

    def tanh(self):
        return math.tanh(self)

    def relu(self):
        return max(self, 0.0)


@dataclass
class Program:
    """Lines such as `t0 = a * b`; `values` holds what they compute."""

    lines: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)

    def leaf(self, name: str, value: float) -> None:
        self.lines.append(f"{name} = Value({value})")
        self.values[name] = value

    def step(self, text: str, a: str, b: str, c: float) -> str:
        """Append one operation; returns the name of its result."""
        x, y = self.values[a], self.values[b]
        near_the_kink = "relu" in text and not a.isalpha() and abs(x) < 0.01
        result = math.inf
        if OPERATIONS[text](x, y) and not near_the_kink:
            result = float(eval(text.format(a="x", b="y", c=c), {"x": _Plain(x), "y": _Plain(y)}))
        if abs(result) > LARGEST:
            text, result = "{a}.tanh()", math.tanh(x)
        name = f"t{len(self.values)}"
        self.lines.append(f"{name} = {text.format(a=a, b=b, c=c)}")
        self.values[name] = result
        return name

    @property
    def names(self) -> list[str]:
        return list(self.values)

    def __str__(self) -> str:
        return "\n".join(f"    {line}" for line in self.lines)


NUMBERS = st.integers(-24, 24).map(lambda n: 1 + n / 8)  # exact in binary, and they shrink to 1
CONSTANTS = st.sampled_from([2, 3, -1.5, 0.5])


@st.composite
def programs(draw, leaves=3, steps=10, operations=tuple(OPERATIONS)):
    """A program of up to `leaves` leaves and 1 to `steps` operations; each value may be used again."""
    program = Program()
    for name in "abc"[: draw(st.integers(1, leaves))]:
        program.leaf(name, draw(NUMBERS))
    for _ in range(draw(st.integers(1, steps))):
        text = draw(st.sampled_from(operations))
        a, b = draw(_recent(program)), draw(_recent(program)) if "{b}" in text else ""
        program.step(text, a, b or a, draw(CONSTANTS) if "{c}" in text else 0)
    return program


@st.composite
def ladders(draw, steps=5):
    """A program each of whose steps uses the value before it and any earlier one, in either order."""
    program = Program()
    program.leaf("a", draw(NUMBERS))
    for _ in range(draw(st.integers(1, steps))):
        pair = [program.names[-1], draw(_recent(program))]
        a, b = pair if draw(st.booleans()) else reversed(pair)
        program.step(draw(st.sampled_from(["{a} + {b}", "{a} * {b}"])), a, b, 0)
    return program


def _recent(program):
    names = program.names
    return st.integers(0, len(names) - 1).map(lambda i: names[-1 - i])


def by_torch(program):
    """{name: [data, grad]} after the program has run on torch tensors."""
    scope = {"Value": lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)}
    for line in program.lines:
        exec(line.replace("backward()", "backward(retain_graph=True)"), scope)
        if " = " in line:
            scope[line.split(" = ")[0]].retain_grad()
    found = {name: scope[name] for name in program.names}
    return {n: [t.item(), 0.0 if t.grad is None else t.grad.item()] for n, t in found.items()}
