"""The learner's files, in colour, and what was changed in them, as the sections of a browser. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.highlight import highlight

from mlsys_path.language import ngettext
from mlsys_path.tui.sections import Section, cleaned
from mlsys_path.tui.themes import CodeStyle

MAX_COLOURED = 4000  # lines; a longer file has one colour
MAX_BYTES = 1 << 20  # of a file that is shown


def file(name: str, data: bytes) -> Section:
    """A file with its line numbers. It is coloured as a whole, so that a text of many lines stays one."""
    lines = cleaned(data[:MAX_BYTES].decode("utf-8", "replace"))
    room = len(str(len(lines)))
    coloured: list[Content] = []
    if len(lines) <= MAX_COLOURED:
        coloured = list(highlight("\n".join(lines), path=name, theme=CodeStyle).split("\n", allow_blank=True))

    def paint(number: int, text: str) -> Content:
        known = number < len(coloured) and coloured[number].plain == text
        return coloured[number] if known else Content(text)

    note = ngettext("{n} line", "{n} lines", len(lines)).format(n=len(lines))
    return Section(cleaned(name)[0], lines, note, paint, gutter=room)


def changes(parts: Mapping[str, str]) -> tuple[Section, ...]:
    """A section for each file that differs from the starter, of the unified diff."""
    return tuple(_changed(name, diff) for name, diff in parts.items())


def _changed(name: str, diff: str) -> Section:
    lines = cleaned(diff)[2:]  # the names stand in the heading
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return Section(cleaned(name)[0], lines, f"+{added} -{removed}", _change)


def _change(_number: int, text: str) -> Content:
    style = {"+": "$state-passed", "-": "$state-failed", "@": "$accent"}.get(text[:1], "")
    return Content.styled(text, style) if style else Content.styled(text, "$text-muted")
