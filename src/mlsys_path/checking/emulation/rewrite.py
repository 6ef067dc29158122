"""CUDA C++ to C++: launches, shared arrays and variables of the device, with every line where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlsys_path.checking.emulation.edits import CannotEmulate, Edits, line_of
from mlsys_path.checking.emulation.storage import MEMORY, NO_FUNCTION, shared, variable
from mlsys_path.checking.emulation.tokens import (
    Token,
    angle_backward,
    angle_forward,
    backward,
    forward,
    split,
    tokens_of,
)
from mlsys_path.language import _

_CANNOT = {
    "mma.h": "tensor cores (mma.h)",
    "cuda/pipeline": "asynchronous copies through pipeline objects (cuda/pipeline)",
    "cuda/barrier": "asynchronous barriers (cuda/barrier)",
    "cuda/ptx": "PTX (cuda/ptx)",
    "cooperative_groups/memcpy_async.h": "asynchronous copies (memcpy_async)",
    "cudaTypedefs.h": "tensor maps",
}
_LIBRARIES = (
    "cub/",
    "thrust/",
    "cublas",
    "cutlass/",
    "cute/",
    "curand",
    "cufft",
    "cusparse",
    "cudnn",
    "nvrtc",
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a kernel."""

    type: str
    name: str


@dataclass
class KernelSource:
    """What the sources say of a kernel: its parameters, and how it can be named."""

    name: str
    parameters: tuple[Parameter, ...]
    template_parameters: int = 0
    overloaded: bool = False


def kernels_of(sources: Mapping[str, str]) -> dict[str, KernelSource]:
    """The kernels that sources declare, by name."""
    found: dict[str, KernelSource] = {}
    for text in sources.values():
        tokens = tokens_of(text)
        for i, token in enumerate(tokens):
            if token.text == "__global__" and not token.directive and (kernel := _kernel(text, tokens, i)):
                known = found.get(kernel.name)
                if known and [p.type for p in known.parameters] != [p.type for p in kernel.parameters]:
                    kernel.overloaded = True
                # a declaration may leave names out
                if not known or kernel.overloaded or all(p.name for p in kernel.parameters):
                    found[kernel.name] = kernel
    return found


def rewrite(text: str, kernels: Mapping[str, KernelSource]) -> str:
    """A source that a C++ compiler takes.

    Raises CannotEmulate with the line for what has no meaning on a CPU.
    """
    tokens = tokens_of(text)
    _refuse(text, tokens)
    edits = Edits(text)
    for i, token in enumerate(tokens):
        if (
            token.kind == "mark"
            and token.text == "<"
            and _run(tokens, i, "<")
            and not _run(tokens, i - 1, "<")
        ):
            _launch(edits, tokens, i, kernels)
        elif token.text == "__shared__":
            shared(edits, tokens, i)
        elif token.text in MEMORY:
            variable(edits, tokens, i)
        elif token.text == "__noinline__" and tokens[i - 1].text not in ("(", ","):
            # no macro: compilers' own headers write __attribute__((__noinline__)), and so may a learner
            edits.replace(token.start, token.end, "__attribute__((noinline))")
    return edits.applied()


def _refuse(text: str, tokens: Sequence[Token]) -> None:
    for i, token in enumerate(tokens):
        if token.text in ("asm", "__asm", "__asm__") and token.kind == "name":
            raise CannotEmulate(_("PTX in `asm` cannot be emulated on a CPU"), line_of(text, token.start))
        if token.text == "include" and token.directive and tokens[i - 1].text == "#":
            line = text[token.end :].split("\n", 1)[0].strip()
            name = line[1:].split(">" if line[:1] == "<" else '"', 1)[0]
            what = _CANNOT.get(name) or (name if name.startswith(_LIBRARIES) else "")
            if what:
                raise CannotEmulate(
                    _("{what} cannot be emulated on a CPU").format(what=what), line_of(text, token.start)
                )


def _run(tokens: Sequence[Token], at: int, mark: str) -> bool:
    """Whether three marks of a kind stand side by side at an index."""
    three = tokens[at : at + 3] if at >= 0 else ()
    return (
        len(three) == 3
        and all(t.kind == "mark" and t.text == mark for t in three)
        and three[2].start - three[0].start == 2
    )


def _kernel(text: str, tokens: Sequence[Token], at: int) -> KernelSource | None:
    i = at + 1
    while i + 1 < len(tokens) and tokens[i].text not in (";", "{", "}"):
        if tokens[i].kind == "name" and tokens[i + 1].text == "(":
            closing = forward(tokens, i + 1)
            if tokens[i].text not in NO_FUNCTION:
                parameters = tuple(
                    _parameter(text, tokens, start, end)
                    for start, end in split(tokens, i + 2, closing)
                    if end > start
                )
                if len(parameters) == 1 and parameters[0].type == "" and parameters[0].name == "void":
                    parameters = ()
                return KernelSource(tokens[i].text, parameters, _template_parameters(tokens, at))
            i = closing
        i += 1
    return None


def _template_parameters(tokens: Sequence[Token], at: int) -> int:
    """How many parameters the template has that a kernel is; 0 for none, -1 when it cannot be said."""
    for i in range(at - 1, -1, -1):
        if tokens[i].text in ("{", "}", ";"):
            return 0
        if tokens[i].text == "template" and tokens[i + 1].text == "<":
            closing = angle_forward(tokens, i + 1, at)
            if closing < 0 or any(t.text == "." for t in tokens[i:closing]):
                return -1
            return len(split(tokens, i + 2, closing))
    return 0


def _parameter(text: str, tokens: Sequence[Token], start: int, end: int) -> Parameter:
    stop = next((i for i in range(start, end) if tokens[i].text in ("=", "[")), end)
    name = stop - 1
    while name > start and tokens[name].kind != "name":
        name -= 1
    if name == start and stop - start > 1:
        return Parameter(text[tokens[start].start : tokens[stop - 1].end], "")
    kind = text[tokens[start].start : tokens[name].start].strip()
    return Parameter(" ".join(kind.split()), tokens[name].text)


def _launch(edits: Edits, tokens: Sequence[Token], at: int, kernels: Mapping[str, KernelSource]) -> None:
    text = edits.text
    line = line_of(text, tokens[at].start)
    start, name, explicit = _launched(tokens, at)
    closing = _closing(tokens, at + 3)
    if start < 0 or closing < 0 or closing + 3 >= len(tokens) or tokens[closing + 3].text != "(":
        raise CannotEmulate(_("this kernel launch cannot be read"), line)
    written = " ".join(text[tokens[start].start : tokens[at - 1].end].split())
    known = kernels.get(name)
    address = f"::mlsys::address({written})"
    if known and (known.overloaded or known.template_parameters != explicit):
        address = "nullptr"  # which one it is follows from the arguments
    head = f'::mlsys::Launcher("{name}", {address}, [=](auto &...mlsys_a) {{ {written}(mlsys_a...); }}).configure('
    edits.replace(tokens[start].start, tokens[at + 2].end, head)
    edits.replace(tokens[closing].start, tokens[closing + 2].end, ")")


def _launched(tokens: Sequence[Token], at: int) -> tuple[int, str, int]:
    """Of the kernel before `<<<`: where its name begins, the name, and how many template arguments it is given."""
    i, explicit = at - 1, 0
    if i >= 0 and tokens[i].text == ">":
        opening = angle_backward(tokens, i)
        if opening < 1:
            return -1, "", 0
        explicit = len(split(tokens, opening + 1, i))
        i = opening - 1
    elif i >= 0 and tokens[i].text in (")", "]"):
        opening = backward(tokens, i)
        first = opening - 1 if tokens[i].text == "]" else opening  # table[i], or (*pointer)
        names = [t.text for t in tokens[max(first, 0) : i] if t.kind == "name"]
        return first, (names[0] if names else ""), 0
    if i < 0 or tokens[i].kind != "name":
        return -1, "", 0
    name = tokens[i].text
    while i >= 2 and tokens[i - 1].text == ":" and tokens[i - 2].text == ":":
        i -= 2
        if i >= 1 and tokens[i - 1].text == ">":
            opening = angle_backward(tokens, i - 1)
            i = opening - 1 if opening > 0 else i
        elif i >= 1 and tokens[i - 1].kind == "name" and tokens[i - 1].text not in ("return", "else", "do"):
            i -= 1
    return i, name, explicit


def _closing(tokens: Sequence[Token], at: int) -> int:
    i = at
    while i < len(tokens):
        if tokens[i].kind == "mark":
            if tokens[i].text in ("(", "[", "{"):
                i = forward(tokens, i)
            elif tokens[i].text == ";":
                return -1
            elif _run(tokens, i, ">"):
                return i
        i += 1
    return -1
