"""The table of Triton's matrix-multiplication tutorial, as it is printed: read, and drawn against the vendor's library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEAD = re.compile(r"^\s+M\s+N\s+K\s+(?P<library>cuBLAS|rocBLAS)\b.*\bTriton\b")
_ROW = re.compile(r"^\d+((?:\s+\d+(?:\.\d+)?){5})\s*$")
_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One size: what the library and Triton reached, in TFLOP/s."""

    m: int
    n: int
    k: int
    library: float
    triton: float


def parse(text: str) -> tuple[str, tuple[Row, ...]]:
    """The library's name and the rows of the first table, in fp16; "" and none where there is no table."""
    name, rows = "", list[Row]()
    for line in text.splitlines():
        if head := _HEAD.match(line):
            if rows:
                break  # the next table is of another type
            name = head["library"]
        elif name and (row := _ROW.match(line)):
            m, n, k, library, triton = map(float, row[1].split())
            rows.append(Row(int(m), int(n), int(k), library, triton))
    return name, tuple(rows)


def draw(library: str, rows: Sequence[Row]) -> list[str]:
    """Two bars a size, in one scale."""
    most = max((max(row.library, row.triton) for row in rows), default=0.0)
    if not most:
        return []
    lines = []
    for row in rows:
        size = f"{row.m}" if row.m == row.n == row.k else f"{row.m}×{row.n}×{row.k}"
        for name, value in ((library, row.library), ("Triton", row.triton)):
            bar = "█" * max(1, round(_WIDTH * value / most)) if value else ""
            label = size if name == library else ""
            ratio = f"  {value / row.library:.2f}×" if name == "Triton" and row.library else ""
            lines.append(f"{label:>8}  {name:<7} {bar:<{_WIDTH}} {value:7.1f} TFLOP/s{ratio}")
    return lines
