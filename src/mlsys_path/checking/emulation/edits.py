"""A text that is changed in places, and why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field


class CannotEmulate(Exception):
    """Something that only a GPU can do, or that cannot be rewritten; `line` is where it stands."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Edits:
    """Replacements in a text that keep every line where it is."""

    text: str
    made: list[tuple[int, int, str]] = field(default_factory=list)

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in the place of text[start:end], on the same lines."""
        missing = self.text.count("\n", start, end) - new.count("\n")
        self.made.append((start, end, new + "\n" * max(0, missing)))

    def applied(self) -> str:
        """The text with all replacements."""
        out, at = [], 0
        for start, end, new in sorted(self.made):
            out += [self.text[at:start], new]
            at = end
        return "".join([*out, self.text[at:]])


def line_of(text: str, offset: int) -> int:
    """The number of the line at an offset, from 1."""
    return text.count("\n", 0, offset) + 1
