"""Where variables live: `__shared__` arrays, and variables of `__device__`, `__constant__` and `__managed__`."""

from __future__ import annotations

from collections.abc import Sequence

from mlsys_path.checking.emulation.edits import CannotEmulate, Edits, line_of
from mlsys_path.checking.emulation.tokens import Token, angle_forward, backward, forward, in_function, split
from mlsys_path.language import _

# names that are followed by parentheses without being functions that are declared
NO_FUNCTION = frozenset(
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
MEMORY = {
    "__device__": "MLSYS_DEVICE_VARIABLE",
    "__constant__": "MLSYS_CONSTANT_VARIABLE",
    "__managed__": "MLSYS_MANAGED_VARIABLE",
}


def boundary(tokens: Sequence[Token], at: int) -> int:
    """The index of the first token of the declaration that a token belongs to."""
    i = at
    while (
        i > 0
        and tokens[i - 1].directive == tokens[at].directive
        and tokens[i - 1].text not in ("{", "}", ";", ":")
    ):
        if tokens[i - 1].text == ")":
            opening = backward(tokens, i - 1)
            if opening < 1 or tokens[opening - 1].text not in NO_FUNCTION:
                break
            i = opening
        i -= 1
    return i


def _declaration(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """The first token of a declaration and its `;`."""
    end = at
    while end < len(tokens) and tokens[end].text != ";":
        if tokens[end].kind == "mark" and tokens[end].text in ("(", "[", "{"):
            end = forward(tokens, end)
        end += 1
    return boundary(tokens, at), end


def shared(edits: Edits, tokens: Sequence[Token], at: int) -> None:
    """Make references into the block's memory of a `__shared__` declaration."""
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


def variable(edits: Edits, tokens: Sequence[Token], at: int) -> None:
    """Give a variable of the device its section; functions keep the qualifier, which means nothing here."""
    token = tokens[at]
    if token.directive:
        return
    start = boundary(tokens, at)
    if any(t.text in MEMORY for t in tokens[start:at]):
        return  # the first of several decides for all
    i = at + 1
    while i < len(tokens) and tokens[i].text not in (";", "=", "[", "{"):
        if tokens[i].text == "operator":
            return
        if tokens[i].text == "(":
            if tokens[i - 1].text not in NO_FUNCTION:
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
    kinds = {t.text for t in words if t.text in MEMORY}
    kind = next(k for k in ("__managed__", "__constant__", "__device__") if k in kinds)
    if any(t.text in ("constexpr", "const") for t in words) and "*" not in [t.text for t in words]:
        section = ""  # a constant of the compiler's own
    else:
        section = MEMORY[kind]
    for word in words:
        if word.text in MEMORY:
            edits.replace(word.start, word.end, section)
            section = ""
