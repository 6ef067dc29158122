"""What a failed check shows of its smallest input: a table, and a map of where two arrays differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from textual.content import Content

from mlsys_path.checking import heat
from mlsys_path.checking.events import Counterexample, HeatMap, Mismatch
from mlsys_path.language import _
from mlsys_path.tui.blocks import MUTED, hang, stacked, table
from mlsys_path.tui.foreign import foreign

GOT, EXPECTED = "$state-failed", "$state-passed"
MAX_TOKENS = 400  # of a value that is compared with another token by token
_TOKEN = re.compile(r"[^\s,;:()\[\]{}]+|\s+|.")
# how much of a cell differs, from none to all: glyphs tell it too
_SHADES = ("$text-muted", "$state-open", "$state-open", "$state-failed", "bold $state-failed")


def shown(example: Counterexample, width: int) -> list[Content]:
    """The table of the input, what came and what was expected; below it the map, where there is one."""
    values = [(_row(_("input"), MUTED), foreign(call)) for call in example.calls]
    got, expected = foreign(example.got), foreign(example.expected)
    if example.got and example.expected:
        got, expected = _compared(got.plain, expected.plain)
    if example.got:
        values.append((_row(_("got"), GOT), got))
    if example.expected:
        values.append((_row(_("expected"), EXPECTED), expected))
    if not values:
        return []
    # how many elements differ, and where the first is, the message says
    parts = [_heading(_("The smallest input that shows it:"))] if example.calls else []
    parts.append(hang("  ", table(values, width - 2), width))
    if example.mismatch is not None and example.mismatch.heat is not None:
        parts += [Content(""), hang("  ", map_of(example.mismatch, example.mismatch.heat, width - 2), width)]
    return [Content(""), *parts]


def _heading(text: str) -> Content:
    return Content.styled(f"  {text}", "bold")


def _row(label: str, style: str) -> Content:
    return Content.styled(label, style)


def _compared(got: str, expected: str) -> tuple[Content, Content]:
    """Two values; where they have something in common, what they have not is bold and underlined."""
    mine, theirs = _TOKEN.findall(got), _TOKEN.findall(expected)
    plain = Content(got), Content(expected)
    if max(len(mine), len(theirs)) > MAX_TOKENS or got == expected:
        return plain
    spans: tuple[list[Content], list[Content]] = ([], [])
    common = False
    for kind, a, b, c, d in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        same = kind == "equal"
        common |= same and any(token.strip(" ,;:()[]{}") for token in mine[a:b])
        for into, tokens, colour in ((spans[0], mine[a:b], GOT), (spans[1], theirs[c:d], EXPECTED)):
            if text := "".join(tokens):
                into.append(Content(text) if same else Content.styled(text, f"bold underline {colour}"))
    return (Content.assemble(*spans[0]), Content.assemble(*spans[1])) if common else plain


def map_of(mismatch: Mismatch, found: HeatMap, width: int) -> Content:
    """Where two arrays differ, as glyphs with the index of each row and how many differ in it."""
    marks = [foreign(mark).plain for mark in heat.labels(found, mismatch.shape)]
    room = max(map(len, marks), default=0)
    lines = [
        hang("", Content.styled(heat.title(found), "bold"), width),
        Content.styled(" " * (room + 1) + heat.axis(found), MUTED),
    ]
    rows = zip(marks, found.counts, heat.sizes(found), heat.totals(found), strict=True)
    for mark, counts, sizes, total in rows:
        cells = list(_cells(counts, sizes))
        style = "bold" if any(counts) else MUTED
        lines.append(
            Content.styled(f"{mark:>{room}} ", MUTED)
            + Content.assemble(*cells)
            + Content.styled(f"  {total}", style)
        )
    lines.append(hang("", Content.styled(heat.legend(), MUTED), width))
    return stacked(lines)


def _cells(counts: tuple[int, ...], sizes: list[int]) -> Iterator[Content]:
    for count, size in zip(counts, sizes, strict=True):
        shade = heat.shade(count, size)
        yield Content.styled(heat.GLYPHS[shade], _SHADES[shade])
