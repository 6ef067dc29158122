"""CUDA C++ to C++: launches, shared arrays and variables of the device, with every line where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlsys_path.checking.emulation.tokens import (
    Token,
    angle_backward,
    angle_forward,
    backward,
    forward,
    in_function,
    split,
    tokens_of,
)
from mlsys_path.language import _

# names that are followed by parentheses without being functions that are declared
_NO_FUNCTION = frozenset(
    {
        "__launch_bounds__",
        "__attribute__",
        "__align__",
        "__builtin_align__",
        "__maxnreg__",
        "__cluster_dims__",
        "alignas",
        "decltype",
        "noexcept",
        "__declspec",
    }
)
_MEMORY = {
    "__device__": "MLSYS_DEVICE_VARIABLE",
    "__constant__": "MLSYS_CONSTANT_VARIABLE",
    "__managed__": "MLSYS_MANAGED_VARIABLE",
}
_CANNOT = {
    "mma.h": "tensor cores (mma.h)",
    "cuda_pipeline.h": "asynchronous copies (cuda_pipeline.h)",
    "cuda_pipeline_primitives.h": "asynchronous copies (cuda_pipeline_primitives.h)",
    "cuda/pipeline": "asynchronous copies (cuda/pipeline)",
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


class CannotEmulate(Exception):
    """Something that only a GPU can do, or that cannot be rewritten; `line` is where it stands."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


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


@dataclass
class _Edits:
    text: str
    made: list[tuple[int, int, str]] = field(default_factory=list)

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in the place of text[start:end], on the same lines."""
        missing = self.text.count("\n", start, end) - new.count("\n")
        self.made.append((start, end, new + "\n" * max(0, missing)))

    def applied(self) -> str:
        out, at = [], 0
        for start, end, new in sorted(self.made):
            out += [self.text[at:start], new]
            at = end
        return "".join([*out, self.text[at:]])


def line_of(text: str, offset: int) -> int:
    """The number of the line at an offset, from 1."""
    return text.count("\n", 0, offset) + 1


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
    edits = _Edits(text)
    for i, token in enumerate(tokens):
        if (
            token.kind == "mark"
            and token.text == "<"
            and _run(tokens, i, "<")
            and not _run(tokens, i - 1, "<")
        ):
            _launch(edits, tokens, i, kernels)
        elif token.text == "__shared__":
            _shared(edits, tokens, i)
        elif token.text in _MEMORY:
            _variable(edits, tokens, i)
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


def _boundary(tokens: Sequence[Token], at: int) -> int:
    """The index of the first token of the declaration that a token belongs to."""
    i = at
    while (
        i > 0
        and tokens[i - 1].directive == tokens[at].directive
        and tokens[i - 1].text not in ("{", "}", ";", ":")
    ):
        if tokens[i - 1].text == ")":
            opening = backward(tokens, i - 1)
            if opening < 1 or tokens[opening - 1].text not in _NO_FUNCTION:
                break
            i = opening
        i -= 1
    return i


def _kernel(text: str, tokens: Sequence[Token], at: int) -> KernelSource | None:
    i = at + 1
    while i + 1 < len(tokens) and tokens[i].text not in (";", "{", "}"):
        if tokens[i].kind == "name" and tokens[i + 1].text == "(":
            closing = forward(tokens, i + 1)
            if tokens[i].text not in _NO_FUNCTION:
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


def _launch(edits: _Edits, tokens: Sequence[Token], at: int, kernels: Mapping[str, KernelSource]) -> None:
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


def _declaration(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """The first token of a declaration and its `;`."""
    end = at
    while end < len(tokens) and tokens[end].text != ";":
        if tokens[end].kind == "mark" and tokens[end].text in ("(", "[", "{"):
            end = forward(tokens, end)
        end += 1
    return _boundary(tokens, at), end


def _shared(edits: _Edits, tokens: Sequence[Token], at: int) -> None:
    text = edits.text
    start, end = _declaration(tokens, at)
    line = line_of(text, tokens[at].start)
    if end >= len(tokens) or tokens[at].directive:
        raise CannotEmulate(_("this `__shared__` declaration cannot be read"), line)
    is_extern = any(t.text == "extern" for t in tokens[start:end])
    words = _without(tokens, start, end)
    local = in_function(tokens, at)
    parts = _declarators(words)
    if not parts:
        raise CannotEmulate(_("this `__shared__` declaration cannot be read"), line)
    base, declarators = parts
    made = []
    for declarator in declarators:
        named = _name_of(declarator)
        if named is None:
            raise CannotEmulate(_("this `__shared__` declaration cannot be read"), line)
        if any(t.text in ("=", "{") for t in declarator[named:]):
            raise CannotEmulate(_("a `__shared__` variable cannot be initialised where it is declared"), line)
        before, name, after = (
            _join(declarator[:named]),
            declarator[named].text,
            _join(declarator[named + 1 :]),
        )
        number = f"{tokens[at].start}_{name}"
        keep = "" if local else "static MLSYS_REFERENCE "
        if is_extern:
            made.append(
                f"{keep}{base} {before}(&{name}){after} = "
                f"*reinterpret_cast<{base} {before}(*){after}>(mlsys_dynamic_shared());"
            )
            continue
        made.append(
            f"typedef {base} {before}mlsys_type_{number}{after}; static ::mlsys::Slot mlsys_slot_{number}; "
            f"{keep}mlsys_type_{number} &{name} = "
            f'::mlsys::shared<mlsys_type_{number}>(mlsys_slot_{number}, "{name}", {line});'
        )
    edits.replace(tokens[start].start, tokens[end].end, " ".join(made))


def _without(tokens: Sequence[Token], start: int, end: int) -> list[Token]:
    """A declaration without what says where it is stored or how it is aligned."""
    words: list[Token] = []
    i = start
    while i < end:
        token = tokens[i]
        if (
            token.text in ("__align__", "alignas", "__attribute__", "__builtin_align__")
            and tokens[i + 1].text == "("
        ):
            i = forward(tokens, i + 1)
        elif token.text not in ("__shared__", "extern", "static", "__device__", "inline"):
            words.append(token)
        i += 1
    return words


def _declarators(words: Sequence[Token]) -> tuple[str, list[list[Token]]] | None:
    """The type that declarators have in common, and the declarators."""
    parts = split(words, 0, len(words))
    if not parts:
        return None
    first = list(words[parts[0][0] : parts[0][1]])
    name = _name_of(first)
    if name is None:
        return None
    begin = name
    while begin > 0 and first[begin - 1].text in ("*", "&", "__restrict__"):
        begin -= 1
    if begin == 0:
        return None
    return _join(first[:begin]), [first[begin:], *(list(words[a:b]) for a, b in parts[1:])]


def _name_of(declarator: Sequence[Token]) -> int | None:
    """The index of the name that a declarator declares."""
    start = _behind_structure(declarator)
    stop = next(
        (i for i in range(start, len(declarator)) if declarator[i].text in ("[", "=", "{")), len(declarator)
    )
    names = [i for i in range(start, stop) if declarator[i].kind == "name"]
    return names[-1] if names else None


def _behind_structure(words: Sequence[Token]) -> int:
    """The index behind a `struct {…}` that is defined on the spot; 0 without one."""
    for i, token in enumerate(words[:-1]):
        if token.text in ("struct", "union", "class"):
            opening = i + 1 if words[i + 1].text == "{" else i + 2
            if opening < len(words) and words[opening].text == "{":
                return forward(words, opening) + 1
    return 0


def _join(tokens: Sequence[Token]) -> str:
    """Tokens as text, on one line, apart where they were."""
    out = ""
    for i, token in enumerate(tokens):
        apart = i and (tokens[i - 1].end != token.start)
        out += (" " if apart else "") + token.text
    return out


def _variable(edits: _Edits, tokens: Sequence[Token], at: int) -> None:
    """Give a variable of the device its section; functions keep the qualifier, which means nothing here."""
    token = tokens[at]
    if token.directive:
        return
    start = _boundary(tokens, at)
    if any(t.text in _MEMORY for t in tokens[start:at]):
        return  # the first of several decides for all
    i = at + 1
    while i < len(tokens) and tokens[i].text not in (";", "=", "[", "{"):
        if tokens[i].text == "operator":
            return
        if tokens[i].text == "(":
            if tokens[i - 1].text not in _NO_FUNCTION:
                return
            i = forward(tokens, i)
        elif tokens[i].text == "<" and tokens[i - 1].kind == "name":
            closing = angle_forward(tokens, i, len(tokens))
            i = closing if closing > 0 else i
        i += 1
    if i >= len(tokens) or (tokens[i].text == "{" and tokens[i - 1].text in (")", "const")):
        return
    words = list(tokens[start:i])
    if any(t.text == "__shared__" for t in words):
        return
    kinds = {t.text for t in words if t.text in _MEMORY}
    kind = next(k for k in ("__managed__", "__constant__", "__device__") if k in kinds)
    if any(t.text in ("constexpr", "const") for t in words) and "*" not in [t.text for t in words]:
        section = ""  # a constant of the compiler's own
    else:
        section = _MEMORY[kind]
    for word in words:
        if word.text in _MEMORY:
            edits.replace(word.start, word.end, section)
            section = ""
