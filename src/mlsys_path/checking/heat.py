"""Where two arrays differ, counted block by block and small enough for a screen; and how it is drawn in text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mlsys_path.checking.events import HeatMap
from mlsys_path.language import _

MAX_ROWS, MAX_COLUMNS = 12, 16
CELL = 2  # columns of a drawn cell: so it is about as high as it is wide
GLYPHS = ("··", "░░", "▒▒", "▓▓", "██")  # none, less than a third, less than two thirds, more, all


def heat_map(wrong: Any) -> HeatMap | None:
    """The elements that differ, of a boolean numpy array, as counts; None where there is no more than one element."""
    import numpy as np

    if wrong.size < 2:
        return None
    matrix = wrong.reshape(-1, wrong.shape[-1])
    rows, columns = (int(n) for n in matrix.shape)
    block = (_block(rows, MAX_ROWS), _block(columns, MAX_COLUMNS))
    counts = np.add.reduceat(matrix, range(0, rows, block[0]), axis=0, dtype=np.int64)
    counts = np.add.reduceat(counts, range(0, columns, block[1]), axis=1)
    return HeatMap(tuple(tuple(int(n) for n in row) for row in counts), rows, columns, block)


def _block(length: int, most: int) -> int:
    """How many elements a cell stands for: a power of two, as the tiles of kernels are."""
    return 1 if length <= most else 1 << math.ceil(math.log2(length / most))


def sizes(heat: HeatMap) -> list[list[int]]:
    """How many elements each cell stands for; those at the edges may be fewer."""
    height, width = heat.block
    return [
        [min(height, heat.rows - i * height) * min(width, heat.columns - j * width) for j in range(len(row))]
        for i, row in enumerate(heat.counts)
    ]


def shade(count: int, size: int) -> int:
    """Which of GLYPHS stands for `count` of `size`: one that differs is never none, and one that does not never all."""
    if count <= 0:
        return 0
    if count >= size:
        return len(GLYPHS) - 1
    return 1 + min(2, 3 * count // size)


def labels(heat: HeatMap, shape: Sequence[int]) -> list[str]:
    """The index at which each row of cells begins, in the axes before the last."""
    leading = list(shape[:-1]) or [1]
    return [", ".join(map(str, _index(i * heat.block[0], leading))) for i in range(len(heat.counts))]


def _index(flat: int, shape: Sequence[int]) -> list[int]:
    index: list[int] = []
    for n in reversed(shape):
        flat, rest = divmod(flat, max(n, 1))
        index.insert(0, rest)
    return index


def axis(heat: HeatMap) -> str:
    """The columns at which cells begin: every one of them, or every so many that all have room."""
    marks = [str(j * heat.block[1]) for j in range(len(heat.counts[0]))] if heat.counts else []
    step = -(-(max(map(len, marks), default=0) + 1) // CELL)
    return "".join(mark.ljust(step * CELL) for mark in marks[::step]).rstrip()


def title(heat: HeatMap) -> str:
    """What the drawing shows."""
    height, width = heat.block
    if height * width == 1:
        return _("Where they differ:")
    return _("Where they differ, {rows}×{columns} elements in each cell:").format(rows=height, columns=width)


def legend() -> str:
    """What the glyphs stand for."""
    return _("{none} none  {few} few  {half} about half  {most} most  {all} all").format(
        **dict(zip(("none", "few", "half", "most", "all"), GLYPHS, strict=True))
    )


def totals(heat: HeatMap) -> list[str]:
    """How many elements differ in each row of cells, of how many."""
    return [f"{sum(row)}/{sum(size)}" for row, size in zip(heat.counts, sizes(heat), strict=True)]


def lines(heat: HeatMap, shape: Sequence[int]) -> list[str]:
    """All of it in plain characters, for a terminal without a screen."""
    marks = labels(heat, shape)
    room = max(map(len, marks), default=0)
    rows = zip(marks, heat.counts, sizes(heat), totals(heat), strict=True)
    drawn = [
        f"{mark:>{room}} "
        + "".join(GLYPHS[shade(n, of)] for n, of in zip(row, size, strict=True))
        + f"  {total}"
        for mark, row, size, total in rows
    ]
    return [title(heat), " " * (room + 1) + axis(heat), *drawn, legend()]
