"""The screen of settings: each change holds at once and is kept; what is wrong is said."""

from __future__ import annotations

import contextlib

from mlsys_path import language, locations, preferences
from mlsys_path.exercises import editing


@contextlib.asynccontextmanager
async def settings(opened, **options):
    async with opened(**options) as ui:
        await ui.press("comma")
        await ui.sees("Settings", "Language")
        yield ui


async def test_the_language_switches_at_once_on_every_screen_and_is_kept(opened):
    async with settings(opened) as ui:
        await ui.sees("● as the system", "○ English", "○ Chinese", "mlsys-path config set language")
        await ui.press("enter", "enter")
        await ui.until(lambda: language.current() == "zh")
        await ui.settles()
        assert preferences.load().language == "zh"
        await ui.press("escape")
        await ui.sees("甲：第一个")


async def test_the_theme_and_calm_switch_at_once_and_are_kept(opened):
    async with settings(opened) as ui:
        assert ui.app.animation_level == "none"
        ui.app.use_calm(False)
        await ui.press("down", "enter")
        await ui.until(lambda: ui.app.theme == "mlsys-light")
        await ui.press("down", "down", "enter")
        await ui.until(lambda: ui.app.calm)
        await ui.sees("● on", "● light")
        assert ui.app.animation_level == "none"
        await ui.press("backspace")
        await ui.until(lambda: not ui.app.calm)
        assert ui.app.animation_level == "full"
    assert preferences.load().set == {"theme": "light"}


async def test_keys_of_every_screen_change_their_row_too(opened):
    async with settings(opened) as ui:
        await ui.press("t")
        await ui.sees("● light")
        await ui.press("l")
        await ui.until(lambda: language.current() == "zh")
        await ui.settles()
    found = preferences.load()
    assert (found.language, found["theme"]) == ("zh", "light")


async def test_the_editor_is_typed_and_its_letters_are_no_commands(opened):
    async with settings(opened) as ui:
        await ui.press("down", "down", "enter")
        await ui.press(*"cat -t q")
        await ui.sees("cat -t q")
        await ui.press("enter")
        await ui.until(lambda: preferences.load()["editor"] == "cat -t q")
        assert editing.command() == ["cat", "-t", "q"]
        await ui.press("enter", "x", "escape")
        await ui.sees("Settings")
        assert preferences.load()["editor"] == "cat -t q"
        await ui.press("backspace")
        await ui.sees("$VISUAL, else $EDITOR")


async def test_a_click_on_a_row_changes_it(opened):
    async with settings(opened) as ui:
        await ui.pilot.click("#settings", offset=(4, 2))
        await ui.until(lambda: ui.app.theme == "mlsys-light")


async def test_a_broken_file_is_shown_as_text_and_not_written(opened):
    path = locations.preferences_path()
    async with opened(notifications=True) as ui:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('theme = "[/x][b]\\u001b[31m"\n')
        await ui.press("comma")
        await ui.sees("theme cannot be", "[/x][b]")
        await ui.press("enter")
        await ui.hears("theme cannot be")
    assert "[/x]" in path.read_text()


async def test_a_cursor_does_not_blink_in_calm_mode(opened):
    from textual.widgets import Input

    async with settings(opened, calm=True) as ui:
        await ui.press("down", "down", "enter")
        await ui.settles()
        assert not ui.app.screen.query_one(Input).cursor_blink
