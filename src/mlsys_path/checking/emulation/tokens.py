"""C++ as a list of tokens that remember where they stand: enough of the language to rewrite what only CUDA has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment> //(?:[^\n\\]|\\.)* | /\*.*?(?:\*/|\Z) )
  | (?P<raw> (?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" )
  | (?P<string> (?:u8|[uUL])?(?:"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*') )
  | (?P<number> \.?\d(?:'?[\w.]|(?<=[eEpP])[+-])* )
  | (?P<name> [A-Za-z_$][\w$]* )
  | (?P<space> \s+ | \\\r?\n )
  | (?P<mark_of> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Token:
    """A name, a number, a string or one punctuation mark; comments and spaces are left out."""

    kind: str  # "name", "number", "string", "mark"
    text: str
    start: int
    directive: int  # the number of the preprocessor's directive that it belongs to; 0 outside

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a source."""
    directives = _directives(text)
    found: list[Token] = []
    current = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark_of"
        if match["raw"] is not None:
            kind = "string"
        if kind in ("comment", "space"):
            continue
        start = match.start()
        while current < len(directives) and directives[current][1] <= start:
            current += 1
        inside = current < len(directives) and directives[current][0] <= start
        found.append(
            Token("mark" if kind == "mark_of" else kind, match[0], start, current + 1 if inside else 0)
        )
    return found


def _directives(text: str) -> list[tuple[int, int]]:
    """Where each `#…` line begins and ends, continued lines included."""
    return [
        (m.start(), m.end()) for m in re.finditer(r"^[ \t]*#(?:[^\n\\]|\\.)*", text, re.MULTILINE | re.DOTALL)
    ]


def forward(tokens: Sequence[Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`; the number of tokens when none does."""
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].kind == "mark":
            depth += (tokens[i].text in _OPEN) - (tokens[i].text in _CLOSE)
            if depth == 0:
                return i
    return len(tokens)


def backward(tokens: Sequence[Token], at: int) -> int:
    """The index of the bracket that opens the one at `at`; -1 when none does."""
    depth = 0
    for i in range(at, -1, -1):
        if tokens[i].kind == "mark":
            depth += (tokens[i].text in _CLOSE) - (tokens[i].text in _OPEN)
            if depth == 0:
                return i
    return -1


def angle_backward(tokens: Sequence[Token], at: int) -> int:
    """The index of the `<` that opens the template arguments which the `>` at `at` closes; -1 when none does."""
    depth, i = 0, at
    while i >= 0:
        text = tokens[i].text if tokens[i].kind == "mark" else ""
        if text == ">":
            depth += 1
        elif text == "<":
            depth -= 1
            if depth == 0:
                return i
        elif text in _CLOSE and text:
            i = backward(tokens, i)
        elif text in (*_OPEN, ";"):
            return -1
        i -= 1
    return -1


def angle_forward(tokens: Sequence[Token], at: int, end: int) -> int:
    """The index of the `>` that closes the template arguments opened at `at`, before `end`; -1 when none does."""
    depth, i = 0, at
    while i < end:
        text = tokens[i].text if tokens[i].kind == "mark" else ""
        if text == "<":
            depth += 1
        elif text == ">":
            depth -= 1
            if depth == 0:
                return i
        elif text in _OPEN and text:
            i = forward(tokens, i)
        elif text in (*_CLOSE, ";"):
            return -1
        i += 1
    return -1


def split(tokens: Sequence[Token], start: int, end: int) -> list[tuple[int, int]]:
    """The ranges between the commas of tokens[start:end], apart from commas in brackets and template arguments."""
    parts: list[tuple[int, int]] = []
    first, i = start, start
    while i < end:
        text = tokens[i].text if tokens[i].kind == "mark" else ""
        if text and text in _OPEN:
            i = min(forward(tokens, i), end)
        elif text == "<" and i > start and tokens[i - 1].kind == "name":
            closing = angle_forward(tokens, i, end)
            i = closing if closing > 0 else i
        elif text == ",":
            parts.append((first, i))
            first = i + 1
        i += 1
    if end > first or parts:
        parts.append((first, end))
    return parts


def in_function(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token stands in the body of a function rather than in a namespace or a class."""
    depth = 0
    for i in range(at - 1, 0, -1):
        if tokens[i].kind != "mark" or tokens[i].directive:
            continue
        if tokens[i].text == "}":
            depth += 1
        elif tokens[i].text == "{":
            if depth:
                depth -= 1
            elif tokens[i - 1].text in (")", "const", "noexcept", "else", "do", "try", "override"):
                return True
    return False
