"""The piece of a text that is shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.search.entries import prose
from mlsys_path.search.snippets import columns, cut, pattern
from mlsys_path.search.words import parse, plain


def shown(query, text, width=40):
    """The snippet, with its marks in brackets."""
    snippet = cut(pattern(parse(query)), text, width)
    out = snippet.text
    for start, end in reversed(snippet.marks):
        out = f"{out[:start]}[{out[start:end]}]{out[end:]}"
    return out


def test_a_short_paragraph_is_shown_whole():
    assert shown("cache", "First.\nA cache of caches.\nLast.") == "A [cache] of [caches]."


def test_the_paragraph_with_most_words():
    assert shown("cache line", "A cache.\nA line.\nA line of a cache.") == "A [line] of a [cache]."


def test_the_beginning_when_nothing_stands_there():
    assert shown("zebra", "The beginning.\nThe end.") == "The beginning."
    assert shown("zebra", "") == ""


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("needle", "word " * 20 + "needle" + " word" * 20, "…word word [needle] word word word word…"),
        ("needle", "word " * 20 + "needle", "…word word word word word word [needle]"),
        ("针", "草" * 60 + "针" + "草" * 60, "…草草草草草草[针]草草草草草草草草草草草草…"),
        ("needle", "needle " + "word " * 20, "[needle] word word word word word word…"),
        ("needle", "x" * 200 + " needle", "…" + "x" * 32 + " [needle]"),
    ],
)
def test_a_long_paragraph_is_cut_around_the_words_by_columns(query, text, expected):
    assert shown(query, text) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("allreduce", "An [All-Reduce] here"),
        ("all-reduce", "An [All-Reduce] here"),
        ("all-re", "An [All-Reduce] here"),
        ("reduce", "An All-[Reduce] here"),
        ("ALL", "An [All]-Reduce here"),
    ],
)
def test_words_are_marked_as_they_are_written(query, expected):
    assert shown(query, "An All-Reduce here") == expected


def test_accents_full_width_letters_and_c_plus_plus_are_marked():
    assert shown("cafe c++ gpu", "Ｇｐｕ, Café and C++") == "[Ｇｐｕ], [Café] and [C++]"
    assert shown("i j", "İi, is it j?") == "İi, is it [j]?"


@given(
    text=st.text(alphabet=st.one_of(st.sampled_from("ab 并行é\n-İﬁ"), st.characters()), max_size=120),
    query=st.text(alphabet="ab并行-", max_size=6),
    width=st.integers(4, 60),
)
@settings(max_examples=400, deadline=None)
def test_it_fits_and_its_marks_lie_in_it(text, query, width):
    text = "\n".join(map(plain, text.split("\n")))
    snippet = cut(pattern(parse(query)), text, width)
    assert columns(snippet.text) <= width
    assert "\n" not in snippet.text
    assert snippet.text.strip("…") in text
    ends = [place for mark in snippet.marks for place in mark]
    assert ends == sorted(ends)
    assert all(0 <= place <= len(snippet.text) for place in ends)


def test_markdown_becomes_paragraphs():
    markdown = (
        "# A *title*\n\nOne line\nand `the next`,\nwith [a link](https://example.org).\n\n- an item\n  that goes on\n- **two**\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```c\nint *p = 0;\n# define X\n```\n\n中文\n换行，English\nwords\n"
    )
    assert prose(markdown).split("\n") == [
        "A *title*",
        "One line and the next, with a link.",
        "an item that goes on",
        "two",
        "a · b",
        "1 · 2",
        "int *p = 0;",
        "# define X",
        "中文换行，English words",
    ]
