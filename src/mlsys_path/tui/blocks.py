"""Blocks of styled text of a given width: labels with texts beside them, and tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

MUTED = "$text-muted"


def hang(label: Content | str, body: Content | str, width: int) -> Content:
    """A label and a text beside it whose further lines begin where the first did."""
    head = Content(label) if isinstance(label, str) else label
    return head + Content("\n" + " " * head.cell_length).join(wrapped(body, width - head.cell_length))


def wrapped(body: Content | str, width: int) -> list[Content]:
    """The lines of a text in a width."""
    text = Content(body) if isinstance(body, str) else body
    return [line for part in text.split("\n") for line in (part.wrap(max(8, width)) or [part])]


def stacked(parts: Iterable[Content]) -> Content:
    """Parts below one another."""
    return Content("\n").join(list(parts))


def table(rows: Sequence[tuple[Content, Content]], width: int) -> Content:
    """Labels and values in two columns between two rules.

    Nothing stands to the right of a value: whatever a value holds, the lines stay straight.
    """
    room = max((label.cell_length for label, _value in rows), default=0)
    left, right = "─" * (room + 2), "─" * max(8, width - room - 3)
    bar = Content.styled("│ ", MUTED)
    lines = [Content.styled(f"{left}┬{right}", MUTED)]
    for label, value in rows:
        padded = Content(" ") + label.pad_right(room - label.cell_length + 1)
        for number, line in enumerate(wrapped(value, width - room - 4)):
            lines.append((Content(" " * (room + 2)) if number else padded) + bar + line)
    lines.append(Content.styled(f"{left}┴{right}", MUTED))
    return stacked(lines)
