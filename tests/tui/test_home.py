"""The first screen."""

from __future__ import annotations

from mlsys_path import language
from mlsys_path.progress.store import Store


def remember_a_pass(exercise: str) -> None:
    from datetime import UTC, datetime

    from mlsys_path.levels import Level, Outcome
    from mlsys_path.progress.records import Attempt, new_id

    with Store.open() as store:
        store.record(
            Attempt(
                new_id(),
                exercise,
                datetime.now(UTC),
                0.1,
                Outcome.PASSED,
                {Level.CORRECT: Outcome.PASSED},
                "f",
                "e",
            )
        )


async def test_an_empty_database_is_welcomed_with_the_first_exercise(opened):
    async with opened() as ui:
        await ui.sees("Welcome", "Alpha, the first", "0 of 3 passed")


async def test_the_tree_says_how_one_stands_with_a_glyph_and_a_word(opened):
    remember_a_pass("alpha")
    async with opened(size=(120, 36)) as ui:
        await ui.sees("✓ passed", "· new", "Foundations  1/2", "1 of 3 passed", "1 day in a row")
        await ui.sees("Next  Beta, the second", "You have passed everything that it builds")


async def test_what_comes_after_something_else_is_blocked_and_says_after_what(opened):
    async with opened(size=(120, 36)) as ui:
        await ui.sees("- blocked    Beta, the second")
        await ui.press("down")
        await ui.sees("After: Alpha, the first")


async def test_enter_opens_the_exercise_under_the_cursor_and_q_comes_back(opened):
    async with opened() as ui:
        await ui.press("enter")
        await ui.sees("English text of the lesson")
        await ui.press("q")
        await ui.sees("Welcome")


async def test_n_opens_what_is_next(opened):
    remember_a_pass("alpha")
    async with opened() as ui:
        await ui.sees("Next  Beta")
        await ui.press("n")
        await ui.sees("Foundations › Beta, the second")


async def test_a_stage_unfolds_and_shows_what_it_is_about(opened):
    async with opened(size=(80, 24)) as ui:
        await ui.press("home", "enter")
        await ui.until(lambda: "Alpha" not in ui.screen.split("Welcome")[0])
        await ui.sees("▶ Foundations", "What Foundations is about")


async def test_when_all_is_passed_nothing_is_next(opened):
    for name in ("alpha", "beta", "gamma"):
        remember_a_pass(name)
    async with opened() as ui:
        await ui.sees("You have passed every exercise.")
        assert "n next" not in ui.screen
        await ui.press("n")
        assert len(ui.app.screen_stack) == 2


async def test_the_tree_is_up_to_date_after_coming_back(opened):
    async with opened() as ui:
        await ui.press("enter")
        await ui.sees("English text")
        await ui.press("c")
        await ui.sees("✓ passed")
        await ui.press("q")
        await ui.sees("1 of 3 passed", "✓ passed     Alpha")


async def test_a_database_that_cannot_be_read_is_one_notification(opened, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "progress.db").write_bytes(b"this is no database, and longer than a header " * 40)
    async with opened() as ui:
        await ui.hears("progress database")
        await ui.sees("Foundations")
    assert (home / "progress.db").read_bytes().startswith(b"this is no database")


async def test_q_leaves(opened):
    async with opened() as ui:
        await ui.press("q")
        await ui.until(lambda: not ui.app.is_running)


async def test_ctrl_c_leaves(opened):
    async with opened() as ui:
        await ui.press("ctrl+c")
        await ui.until(lambda: not ui.app.is_running)


async def test_the_language_switches_tree_and_details_at_once(opened):
    async with opened() as ui:
        await ui.press("l")
        await ui.sees("基础", "甲：第一个", "关于甲：第一个")
        assert language.current() == "zh"
        await ui.press("l")
        await ui.sees("Foundations", "Alpha, the first")


async def test_what_is_planned_says_so_and_opens_nothing(opened):
    async with opened(size=(120, 36)) as ui:
        await ui.sees("… planned", "Delta, to come")
        await ui.press("end")
        await ui.sees("Not yet")
        await ui.press("enter")
        await ui.sees("Welcome", "Delta, to come")
