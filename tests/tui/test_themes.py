"""Both themes can be read: text has 4.5:1 or better, by its definition and as it is drawn."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from textual.color import Color

from mlsys_path.tui import themes

ENOUGH = 4.5


def contrast(one: Color, other: Color) -> float:
    """WCAG 2's contrast ratio."""

    def luminance(colour: Color) -> float:
        parts = (c / 255 for c in colour.rgb)
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_wcags():
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda t: t.name)
def test_every_text_colour_can_be_read_on_every_surface(theme):
    colours = {**theme.to_color_system().generate(), **theme.variables}
    for text, surface in itertools.product(themes.TEXTS, themes.SURFACES):
        ratio = contrast(Color.parse(colours[text]), Color.parse(colours[surface]))
        assert ratio >= ENOUGH, f"{theme.name}: {text} on {surface} has {ratio:.2f}"
    cursor = contrast(
        Color.parse(colours["block-cursor-foreground"]), Color.parse(colours["block-cursor-background"])
    )
    assert cursor >= ENOUGH


def unreadable(ui) -> list[str]:
    """The texts on the screen whose colours are too close."""
    found = []
    for line in ui.app.screen._compositor.render_strips():
        for segment in line:
            words = "".join(c for c in segment.text if unicodedata.category(c)[0] in "LNP").strip()
            style = segment.style
            if not words or style is None or style.color is None or style.bgcolor is None:
                continue
            front, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
            if style.reverse:
                front, back = back, front
            if contrast(front, back) < ENOUGH or style.dim:
                found.append(f"{segment.text!r}: {front.hex} on {back.hex}")
    return found


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT])
async def test_what_is_drawn_can_be_read(opened, checker, make_failed, theme):
    checker.results = [make_failed("test_small"), *checker.results[1:]]
    async with opened(size=(120, 50), theme=theme) as ui:
        assert not unreadable(ui)
        await ui.press("down")
        assert not unreadable(ui)
        await ui.open()
        assert not unreadable(ui)
        checker.step_by_step = True
        await ui.press("c")
        await ui.sees("▸ running  0 of 3")
        assert not unreadable(ui)
        checker.go(2)
        await ui.sees("✗ failed  1 of 3")
        await ui.settles()
        assert not unreadable(ui)
        await ui.press("s", "y")
        await ui.sees("# the reference")
        assert not unreadable(ui)


async def test_a_switch_of_the_theme_reaches_everything_on_the_screen(opened, checker, make_failed):
    checker.results = [make_failed("test_small"), *checker.results[1:]]
    async with opened(size=(120, 50)) as ui:
        await ui.press("t")
        await ui.settles()
        await ui.until(lambda: not unreadable(ui), "a readable roadmap")
        await ui.open()
        await ui.press("c")
        await ui.sees("✗ failed  1 of 3")
        await ui.press("t")
        await ui.settles()
        await ui.until(lambda: not unreadable(ui), "a readable exercise")


async def test_no_color_is_respected(opened, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✓ passed")
        assert ui.app.no_color


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT])
async def test_the_places_beside_the_roadmap_can_be_read(opened, theme):
    async with opened(size=(120, 36), theme=theme, defects=True) as ui:
        for keys in (("S",), ("w",), ("M",), ("comma",), ("down", "down", "enter"), ("escape",)):
            await ui.press(*keys)
            await ui.settles()
            assert not unreadable(ui), keys
        ui.app.screen.call_later(lambda: 1 / 0)
        await ui.sees("ZeroDivisionError")
        assert not unreadable(ui)
