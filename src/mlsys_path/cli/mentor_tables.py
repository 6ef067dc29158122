"""A mentor's views as tables, as CSV for spreadsheets, and what their words are."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.language import N_, _, labelled

if TYPE_CHECKING:
    from mlsys_path.mentoring.matrix import Cell

csv_option = click.option("--csv", "as_csv", is_flag=True, help=_("Print CSV for a spreadsheet."))
GAP = 2
WIDEST_NAME = 24
# what makes a spreadsheet compute
_FORMULA = ("=", "+", "-", "@", "\t")

STATES: dict[str, tuple[str, str, str | None]] = {
    "passed": ("✓", N_("passed"), "green"),
    "failed": ("✗", N_("failed"), "red"),
    "error": ("!", N_("error"), "magenta"),
    "open": ("○", N_("unchecked"), "yellow"),
    "started": ("▸", N_("started"), "cyan"),
    "known": ("~", N_("by their word"), "blue"),
    "waived": ("~", N_("waived"), "blue"),
    "new": ("·", N_("new"), None),
}
FINDINGS = {
    "verified": N_("verified"),
    "refuted": N_("does not reproduce"),
    "agrees": N_("fails here too"),
    "differs": N_("passes here"),
    "broken": N_("came to no verdict"),
    "unchecked": N_("cannot be checked here"),
}


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as CSV, with nothing in them that a spreadsheet would compute."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    click.echo(out.getvalue(), nl=False)


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def one_line(text: str) -> str:
    """A text of a learner in one line, in quotes nowhere: it is harmless, as it was imported."""
    return " ".join(text.split())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns; the last is cut to the terminal's width."""
    widths = [max(cells(click.unstyle(row[at])) for row in (head, *rows)) for at in range(len(head) - 1)]
    for number, row in enumerate((head, *rows)):
        line = "".join(
            text + " " * (width - cells(click.unstyle(text)) + GAP)
            for text, width in zip(row, widths, strict=False)
        )
        last = cut(row[-1], max(columns() - sum(widths) - GAP * len(widths), 12))
        text = (line + last).rstrip()
        click.echo(style(text, bold=True) if number == 0 else text)


def blocks(names: Sequence[str], exercises: Sequence[str], shown: Mapping[str, Sequence[Cell]]) -> None:
    """Print learners × exercises, as many exercises at a time as fit beside one another."""
    left = min(max((cells(name) for name in names), default=0), WIDEST_NAME)
    texts = {name: [cell_text(cell) for cell in shown[name]] for name in names}
    at = 0
    while at < len(exercises):
        widths: list[int] = []
        for number in range(at, len(exercises)):
            longest = max((cells(click.unstyle(texts[name][number])) for name in names), default=0)
            width = max(longest, cells(exercises[number]))
            if widths and left + sum(widths) + GAP * (len(widths) + 1) + width > columns():
                break
            widths.append(width)
        some = range(at, at + len(widths))
        head = "".join("  " + pad(exercises[n], width) for n, width in zip(some, widths, strict=True))
        click.echo(style(" " * left + head.rstrip(), bold=True))
        for name in names:
            line = pad(cut(name, left), left)
            for n, width in zip(some, widths, strict=True):
                text = texts[name][n]
                line += "  " + text + " " * (width - cells(click.unstyle(text)))
            click.echo(line.rstrip())
        at += len(widths)
        if at < len(exercises):
            click.echo()


def cell_text(cell: Cell) -> str:
    """State, level and age of one cell."""
    glyph, word, colour = STATES[cell.state]
    parts = [glyph, str(cell.level) if cell.level else _(word)]
    parts += [_("{n} d").format(n=cell.age)] if cell.age is not None else []
    if cell.verified:
        parts.append("✓✓" if cell.verified == "verified" else "≠")
    if cell.below:
        parts.append("<")
    return style(" ".join(parts), fg=colour)


def legend() -> str:
    """What the signs of `cell_text` mean."""
    signs = [
        ("✓✓", _("verified by you")),
        ("≠", _("does not reproduce")),
        ("<", _("below the level asked for")),
    ]
    return "; ".join(labelled(sign, text) for sign, text in signs)


def moment(at: datetime | None) -> str:
    """A moment in the reader's own time zone, by the minute."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else _("never")


def span(time: timedelta) -> str:
    """How long, in the largest unit that makes sense."""
    seconds = max(0, round(time.total_seconds()))
    if seconds >= 2 * 86400:
        return _("{n} d").format(n=seconds // 86400)
    if seconds >= 2 * 3600:
        return _("{n:g} h").format(n=seconds // 3600)
    return _("{m} min").format(m=seconds // 60) if seconds >= 60 else _("{n} s").format(n=seconds)
