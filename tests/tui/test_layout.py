"""What is in sight at the sizes that people have."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.language import _
from mlsys_path.tui.actions import ACTIONS

TINY = (20, 6)


def keys(*names):
    """The items of the key bar, in the language in use."""
    return [f"{action.key} {action.text()}" for action in ACTIONS if action.name in names]


def fits(ui, size):
    lines = ui.screen.split("\n")
    return len(lines) == size[1] and all(cell_len(line) == size[0] for line in lines)


@pytest.mark.parametrize(
    ("size", "lang"), [((80, 24), "en"), ((80, 24), "zh"), ((120, 36), "en"), ((200, 50), "zh")], ids=str
)
async def test_the_important_things_are_in_sight(opened, checker, make_failed, size, lang):
    checker.results = [make_failed("test_small"), *checker.results[1:]]
    language.use(lang)
    title = {"en": "Alpha, the first", "zh": "甲：第一个"}[lang]
    async with opened(size=size) as ui:
        await ui.sees(
            "mlsys-path", _("{passed} of {total} passed").format(passed=0, total=3), _("Welcome"), title
        )
        await ui.sees(*keys("open", "next", "help", "leave"))
        assert fits(ui, size)
        await ui.press("enter")
        await ui.sees(title, "list[int]", *keys("check", "edit", "watch", "hint", "help", "back"))
        assert fits(ui, size)
        await ui.settles()
        await ui.press("c")
        check = {"en": "Doubles a small number", "zh": "小的数翻倍"}[lang]
        await ui.sees(f"✗ {_('failed')}  ", f"✗ {check}", _("got"), _("expected"), _("Likely cause:"))
        assert fits(ui, size)
        await ui.settles()
        await ui.press("h")
        await ui.sees(_("Hint {number} of {total}").format(number=1, total=2), *keys("hint", "back"))
        assert fits(ui, size)
        await ui.press("q", "question_mark")
        await ui.sees(_("On the roadmap"))
        assert fits(ui, size)
        await ui.press("q", "s")
        await ui.sees(f"y  {_('yes')}", f"n  {_('no')}")
        assert fits(ui, size)


async def test_a_tiny_terminal_shows_something_and_a_larger_one_brings_all_back(opened):
    async with opened(size=TINY) as ui:
        await ui.open()
        await ui.press("tab", "c")
        await ui.settles()
        await ui.pilot.resize_terminal(120, 36)
        await ui.sees("English text", "✓ passed  level correct")
        await ui.pilot.resize_terminal(80, 24)
        await ui.sees("✓ passed  level correct")
        assert "English text" not in ui.screen


async def test_a_tall_terminal_shows_the_whole_roadmap(opened):
    async with opened(size=(120, 36)) as ui:
        await ui.sees("Alpha, the first", "Beta, the second", "Gamma, the third")
