"""The palette offers what can be done now, finds it by a few letters, and does it where it was asked for."""

from __future__ import annotations

from mlsys_path.tui import actions
from mlsys_path.tui.palette import PaletteScreen, commands


async def test_it_lists_every_action_that_can_be_done_now(opened):
    async with opened(size=(120, 50)) as ui:
        await ui.press("ctrl+p")
        await ui.sees(*(entry.text for entry in commands(ui.app.screen_stack[-2])))
        await ui.sees("Open what to do next", "Leave the program")
        await ui.press("escape")
        await ui.open()
        names = {entry.name for entry in commands(ui.app.screen)}
        assert {"check", "watch", "stats", "machine", "settings"} <= names
        assert not names & {"stop", "undo", "palette"}, "nothing runs, and nothing was reset"


async def test_a_few_letters_find_a_command_which_is_done_on_the_screen_below(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("ctrl+p", *"run the ch")
        await ui.sees("Run the checks against your files")
        await ui.press("enter")
        await ui.sees("✓ passed")


async def test_an_exercise_is_found_by_its_title_in_either_language(opened):
    for letters in ("gamma", "丙"):
        async with opened() as ui:
            await ui.press("ctrl+p")
            ui.app.screen.query_one("Input").value = letters
            await ui.sees("Gamma, the third: open it")
            await ui.press("enter")
            await ui.sees("Operating systems › Gamma")


async def test_the_cursor_moves_by_keys_and_a_click_chooses(opened):
    async with opened() as ui:
        await ui.press("ctrl+p")
        palette = ui.app.screen
        assert isinstance(palette, PaletteScreen)
        await ui.press("up")
        assert palette.hits.highlighted == len(palette.shown) - 1
        await ui.press("down", "down")
        assert palette.hits.highlighted == 1
        await ui.press("pagedown", "pageup", "pageup")
        assert palette.hits.highlighted == 0
        await ui.press(*"settings", "home")
        ui.app.screen.query_one("Input").value = "calm"
        await ui.sees("Language, theme, editor, calm")
        await ui.pilot.click("OptionList", offset=(4, 0))
        await ui.sees("mlsys-path › Settings")


async def test_what_fits_nothing_says_so_and_hostile_letters_are_letters(opened):
    async with opened() as ui:
        await ui.press("ctrl+p")
        for text in ("[/x]", "[@click=app.exit]x[/]", "\x1b[31m", "x" * 10_000, "好" * 500):
            ui.app.screen.query_one("Input").value = text
            await ui.sees("nothing fits")
        await ui.press("enter")
        await ui.sees("nothing fits")


def test_the_help_lists_each_action_of_every_place():
    assert all(of in [a.screens for a in actions.ACTIONS] for of in (actions.PLACES,))
