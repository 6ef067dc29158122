"""Sentences in lines: nothing is lost, nothing is wider than it may be where its words allow it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mlsys_path.cli.layout import hours, wrapped
from mlsys_path.cli.terminal import cells, cut
from mlsys_path.language import duration


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0 min"), (45, "45 min"), (60, "1 h"), (90, "1 h 30 min"), (102_195, "1,703 h 15 min")],
)
def test_durations(minutes, text):
    assert duration(minutes) == text


def test_hours_of_a_json_object():
    assert (hours(90), hours(5), hours(480)) == (1.5, 0.08, 8)


def test_words_stay_whole_and_characters_break_anywhere():
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("先读这一章，再做练习。", 10) == ["先读这一", "章，再做练", "习。"]
    assert wrapped("见（第二章）", 4) == ["见", "（第", "二", "章）"]
    assert wrapped("", 10) == []


def test_lines_of_its_own_stay_apart():
    assert wrapped("for i in n:\n    one two three\n", 12) == ["for i in n:", "    one two", "three"]


PIECES = st.sampled_from(
    [
        "a ",
        "word ",
        "x-b ",
        "1.5 ",
        "中",
        "文，",
        "字。",
        "（文）",
        "（word）",
        "（a，b）",
        "word。",
        "《x》",
        "é ",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(8, 30))
def test_whatever_the_text(text, width):
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert line == line.rstrip() != ""
        assert cells(line) <= width
        assert line[0] not in "，。）》"
        assert line[-1] not in "（《"


@given(st.text(alphabet="ab“…’– 字，é中🙂\u0301x", max_size=60), st.integers(1, 40))
def test_a_cut_text_is_never_wider_and_a_short_one_stays(text, width):
    shown = cut(text, width)
    assert cell_len(shown) <= width
    assert shown == text if cell_len(text) <= width else shown.endswith("…")
