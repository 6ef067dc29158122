"""What a learner does with the files of an exercise, and the help there is: edit, reset, hints, solution."""

from __future__ import annotations

from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.progress import queries


async def test_without_an_editor_the_file_to_open_is_named(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("e")
        await ui.hears("neither $VISUAL nor $EDITOR is set")
        assert str(workspace_of("alpha") / "alpha.py") in ui.said
        assert (workspace_of("alpha") / "alpha.py").is_file()


async def test_a_terminal_that_cannot_be_lent_is_told(opened, monkeypatch):
    monkeypatch.setenv("EDITOR", "true")
    async with opened() as ui:
        await ui.open()
        await ui.press("e")
        await ui.hears("this terminal cannot be lent to an editor")
        await ui.sees("English text")


async def test_editing_during_a_run_stops_it_first(opened, checker, monkeypatch):
    monkeypatch.setenv("EDITOR", "true")
    checker.step_by_step = True
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("▸ running")
        await ui.press("e")
        await ui.hears("cannot be lent")
        await ui.sees("Stopped: nothing was stored")
    assert checker.cancelled == 1


async def test_hints_come_one_at_a_time_and_are_remembered(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("h")
        await ui.sees("Hint 1 of 2", "First hint, a list[int]")
        await ui.until(lambda: queries.hints_seen("alpha") == 1)
        await ui.press("escape")
        await ui.settles()
        await ui.press("h")
        await ui.sees("Hint 1 of 2", "Hint 2 of 2", "Second hint")
        assert ui.screen.count("h hint") == 1, "only in the screen below"
        await ui.sees("That was the last hint")
        await ui.press("q", "tab")
        await ui.sees("2 hints seen")
    assert queries.hints_seen("alpha") == 2


async def test_the_solution_before_a_pass_is_asked_about_and_remembered(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("s")
        await ui.sees("You have not passed yet")
        await ui.press("n")
        await ui.settles()
        assert not queries.statuses()
        await ui.press("s", "y")
        await ui.sees("alpha.py", "return 2 * x  # the reference")
        await ui.press("q")
        await ui.sees("English text")
        await ui.settles()
    assert queries.statuses()["alpha"].solution_seen


async def test_the_solution_after_a_pass_just_opens(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✓ passed  level")
        await ui.settles()
        await ui.press("s")
        await ui.sees("return 2 * x  # the reference")
        await ui.press("q")
        await ui.settles()
    assert not queries.statuses()["alpha"].solution_seen


async def test_a_reset_is_asked_about_keeps_the_files_and_can_be_undone(opened):
    async with opened() as ui:
        await ui.open()
        assert "r reset" not in ui.screen
        await ui.press("c")
        await ui.sees("✓ passed  level")
        await ui.settles()
        file = workspace_of("alpha") / "alpha.py"
        file.write_text("mine\n")
        await ui.press("r", "enter")
        await ui.settles()
        assert file.read_text() == "mine\n", "Enter answers no"
        await ui.press("r", "y")
        await ui.hears("The starter is back; your files are in")
        await ui.settles()
        assert file.read_text().startswith("def double")
        (backup,) = (workspace_of("alpha").parent / ".backups").iterdir()
        assert str(backup) in ui.said and (backup / "alpha.py").read_text() == "mine\n"
        await ui.sees("u undo reset")
        await ui.press("u")
        await ui.hears("Your files are back")
        await ui.settles()
        assert file.read_text() == "mine\n"
        assert "u undo reset" not in ui.screen


async def test_undoing_a_reset_asks_before_what_was_written_since_is_lost(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✓ passed  level")
        await ui.settles()
        await ui.press("r", "y")
        await ui.hears("The starter is back")
        await ui.settles()
        file = workspace_of("alpha") / "alpha.py"
        file.write_text("newer\n")
        await ui.press("u")
        await ui.sees("What you wrote since the reset is lost")
        await ui.press("n")
        await ui.settles()
        assert file.read_text() == "newer\n"
        await ui.press("u", "y")
        await ui.hears("Your files are back")
        await ui.settles()
        assert file.read_text().startswith("def double")
