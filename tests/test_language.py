"""How texts are put together: by patterns that each language has its own of."""

from __future__ import annotations

import gettext

import pytest

from mlsys_path import language
from mlsys_path.language import bracketed, labelled, listed, sentences

CHINESE = {
    "{first}, {more}": "{first}、{more}",
    "{first} {more}": "{first}{more}",
    "{text} ({note})": "{text}（{note}）",
    "{label}: {text}": "{label}：{text}",
}


class _Chinese(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return CHINESE[message]


@pytest.fixture
def _chinese(monkeypatch):
    monkeypatch.setattr(language._Current, "translations", _Chinese())


def test_in_english():
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert sentences(["One.", "", "Two."]) == "One. Two."
    assert bracketed("A book", "2 h") == "A book (2 h)"
    assert labelled("Goal", "to learn") == "Goal: to learn"


@pytest.mark.usefixtures("_chinese")
def test_in_chinese():
    assert listed(["甲", "乙", "丙"]) == "甲、乙、丙"
    assert sentences(["一。", "", "二。"]) == "一。二。"
    assert bracketed("一本书", "2 小时") == "一本书（2 小时）"
    assert labelled("目标", "学会") == "目标：学会"


def test_of_nothing_and_of_one():
    assert (listed([]), listed(["a"]), sentences(iter(["One."])), bracketed("a", "")) == (
        "",
        "a",
        "One.",
        "a",
    )


def test_what_is_put_together_is_no_pattern():
    assert listed(["{first}", "{0}", "{"]) == "{first}, {0}, {"
