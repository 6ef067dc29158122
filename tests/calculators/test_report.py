"""Tables and notes in columns, in either language."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from mlsys_path.calculators import CALCULATORS, Report, Row
from mlsys_path.calculators.report import cells, wrapped


def test_values_stand_in_a_column_whatever_the_labels_width():
    rows = (Row("a", "每个 token", 12), Row("b", "total", 7_000_000_000), Row("c", "吞吐上限", 1, "s"))
    table = Report("x", "x", {}, rows, ()).table()
    assert table == ["每个 token  12", "total       7,000,000,000 (7B)", "吞吐上限    1 s"]
    assert len({cell_len(line) - cell_len(row.text) for line, row in zip(table, rows, strict=True)}) == 1


@pytest.mark.parametrize("calculator", CALCULATORS.values(), ids=lambda each: each.name)
def test_our_texts_are_measured_as_rich_measures_them(calculator):
    for text in (calculator.title, calculator.summary, *(each.help for each in calculator.inputs)):
        assert cells(text) == cell_len(text)
    for text in ("流水线气泡 / 理想时间", "参数（合计）", "µs × α · β → ≤ 34·s·b·h", "–"):
        assert cells(text) == cell_len(text)


@settings(deadline=None)
@given(
    text=st.text(alphabet="ab 内存，。、c（）34", max_size=120).map(str.strip),
    width=st.integers(20, 80),
)
def test_wrapping_loses_nothing_and_stays_within_the_width(text, width):
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest_word = max((cells(word) for word in text.split(" ")), default=0)
    for line in lines:
        # a full-width stop may hang over by itself
        assert cells(line) <= width + 2 or longest_word > width - 4
        start = line.strip()[:1]
        # a mark that stands by itself in the text may begin a line, too
        assert not start or unicodedata.category(start) != "Po" or line == lines[0] or f" {start}" in text
