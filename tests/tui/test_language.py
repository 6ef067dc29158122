"""Texts of the interface go through the catalogue, and change with the language while they are shown."""

from __future__ import annotations

import string

import pytest

from mlsys_path import language


class Pseudo:
    """A translation that can be seen: every message in brackets of its own."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return f"«{singular if n == 1 else plural}»"


@pytest.fixture
def pseudo_chinese(monkeypatch):
    """Switching to Chinese brings the pseudo translation."""
    real = language.use

    def use(name: language.Language) -> None:
        real(name)
        if name == "zh":
            language._Current.translations = Pseudo()  # type: ignore[assignment]

    monkeypatch.setattr(language, "use", use)


def untranslated(screen: str) -> list[str]:
    """The English words that stand outside of translated messages."""
    outside, depth = "", 0
    for c in screen:
        depth += {"«": 1, "»": -1}.get(c, 0)
        outside += c if depth <= 0 else " "
    return [
        word
        for word in outside.split()
        if len(word.strip(string.punctuation)) > 2 and word.isascii() and word.isalpha()
    ]


async def test_every_word_of_the_interface_is_translated_live(opened, checker, make_failed, pseudo_chinese):
    checker.results = [make_failed("test_small", message="", output="", traceback=""), *checker.results[1:]]
    async with opened(size=(200, 50)) as ui:
        await ui.press("l")
        await ui.sees("«quit»", "«new»", "«Welcome»")
        assert set(untranslated(ui.screen)) <= {"mlsys", "python"}
        await ui.open()
        await ui.press("c")
        await ui.sees("«failed»", "«Likely cause:»", "«got»", "«open»")
        await ui.settles()
        assert set(untranslated(ui.screen)) <= {"list", "text", "lesson", "def", "double", "call", "result", "alpha", "bubblewrap", "correct", "gpu", "tab", "GPU", "needs", "with", "its", "driver", "the", "and"}  # fmt: skip
        await ui.press("l")
        await ui.sees("Likely cause:", "c check")
        assert "«" not in ui.screen
