"""Plain text for a terminal: widths by cells, colour where it is wanted, and one line for an error."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import click

from mlsys_path.language import N_, _
from mlsys_path.levels import Outcome

# never colour alone: each outcome has a glyph and a word
OUTCOMES: dict[Outcome, tuple[str, str, str]] = {
    Outcome.PASSED: ("✓", N_("passed"), "green"),
    Outcome.FAILED: ("✗", N_("failed"), "red"),
    Outcome.ERROR: ("!", N_("error"), "magenta"),
    Outcome.OPEN: ("○", N_("open"), "yellow"),
}
_ONE_CELL = frozenset("✓✗○◐▸·…─█░“”’–")


def cells(text: str) -> int:
    """How many columns a text takes; CJK characters take two."""
    # our glyphs and Latin text need no table: rich's takes as long to import as a database to read
    if _narrow(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _narrow(text: str) -> bool:
    """Whether each character is known to take one column."""
    return text.isascii() or all(c < "\u0300" or c in _ONE_CELL for c in text)


def pad(text: str, width: int) -> str:
    """The text with spaces up to `width` columns."""
    return text + " " * max(0, width - cells(text))


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    if _narrow(text):
        text = text[: max(width - 1, 0)]
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text + "…"


def columns() -> int:
    """The terminal's width; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def on_terminal() -> bool:
    """Whether what is printed is read on a terminal that can take a line back."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def style(text: str, **attributes: Any) -> str:
    """Coloured text, unless NO_COLOR or a dumb terminal asks for none; click drops colour off a terminal."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **attributes)


def outcome_label(outcome: Outcome) -> str:
    """Glyph and word of an outcome, padded so that what follows aligns in either language."""
    glyph, word, colour = OUTCOMES[outcome]
    width = max(cells(_(w)) for _g, w, _c in OUTCOMES.values())
    return style(f"{glyph} {pad(_(word), width)}", fg=colour)


def indent(text: str, by: int) -> str:
    """Every line of a text moved to the right."""
    return "\n".join(" " * by + line if line else line for line in text.splitlines())


def stderr_line(message: str) -> None:
    """One line for an error."""
    click.echo(f"mlsys-path: {' '.join(message.split())}", err=True)
