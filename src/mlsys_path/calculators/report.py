"""What a calculator found: rows to read, the same rows as data, and the notes below them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsys_path.calculators import quantities
from mlsys_path.calculators.inputs import Value
from mlsys_path.language import _


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    key: str  # stable, for scripts
    label: str  # in the interface language
    value: float | str
    unit: str = quantities.NUMBER

    @property
    def text(self) -> str:
        """The value as people read it."""
        return quantities.show(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a compute function returns."""

    rows: tuple[Row, ...]
    formulas: tuple[str, ...]  # in the names of the options; they need no translation
    sources: tuple[str, ...]  # citations; they need none either
    remarks: tuple[str, ...] = ()  # in the interface language


@dataclass(frozen=True, slots=True)
class Report:
    """What a calculator says to a set of inputs."""

    calculator: str
    title: str
    inputs: Mapping[str, Value]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def row(self, key: str) -> Row:
        """The row of a key; KeyError if there is none."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def to_json(self) -> dict[str, Any]:
        """The report as docs/cli.md describes it, without the schema's number."""
        return {
            "calculator": self.calculator,
            "inputs": dict(self.inputs),
            "rows": [
                {"label": row.label, "key": row.key, "value": row.value, "unit": row.unit, "text": row.text}
                for row in self.rows
            ],
            "notes": list(self.notes),
        }

    def table(self) -> list[str]:
        """A line for each row, labels and values in columns."""
        width = max((cells(row.label) for row in self.rows), default=0)
        return [f"{row.label}{' ' * (width - cells(row.label))}  {row.text}" for row in self.rows]


def notes_of(findings: Findings) -> tuple[str, ...]:
    """Formulas, remarks and sources, a line for each."""
    return (
        *(_("Formula: {text}").format(text=text) for text in findings.formulas),
        *findings.remarks,
        *(_("Source: {text}").format(text=text) for text in findings.sources),
    )


def cells(text: str) -> int:
    """How many columns of a terminal a text takes; the standard library alone knows enough for labels."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: str, width: int, hanging: str = "  ") -> list[str]:
    """A text in lines of at most `width` columns, broken at spaces and between full-width characters."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line.strip() and cells(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = hanging
        line += piece if line.strip() else piece.lstrip()
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for character in text:
        pieces[-1] += character
        # no line begins with a full-width comma or stop
        if character == " " or _cells(character) == 2:
            pieces.append("")
    return _joined([piece for piece in pieces if piece])


def _joined(pieces: list[str]) -> list[str]:
    kept: list[str] = []
    for piece in pieces:
        if kept and piece[0] in "，。、；：）？！”》":
            kept[-1] += piece
        else:
            kept.append(piece)
    return kept
