"""The screen of an exercise: checks, verdicts, and what becomes of trouble."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mlsys_path import preferences
from mlsys_path.checking.events import CheckResult, Measurement
from mlsys_path.checking.timing.roofline import place
from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries


def result(
    name: str, outcome: Outcome = Outcome.PASSED, level: Level = Level.CORRECT, message: str = ""
) -> CheckResult:
    return CheckResult(name, level, outcome, message, seconds=0.01)


async def test_the_declared_checks_stand_there_before_a_run(opened, checker):
    async with opened(size=(120, 36)) as ui:
        await ui.open()
        await ui.sees("· new", "c runs the checks", "Not started")
        await ui.sees("· to check          Doubles a small number", "○ open", "Doubles on a GPU", "[gpu]")
        await ui.until(lambda: "needs an NVIDIA GPU" in ui.card("levels"))
        await ui.until(lambda: checker.warmed == ["alpha"])


async def test_a_check_starts_the_exercise_and_results_stream_in_as_they_come(opened, checker):
    checker.step_by_step = True
    async with opened(size=(120, 36)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees(
            "▸ running  0 of 3",
            "▸ running           Doubles a small number",
            "· to check          Doubles a large",
        )
        checker.go()
        await ui.sees(
            "✓ passed    0.01 s  Doubles a small number", "▸ running           Doubles a large number"
        )
        checker.go()
        await ui.sees("✓ passed  level correct · 2 of 3 checks passed", "0.12 s · bubblewrap")
        assert (workspace_of("alpha") / "alpha.py").is_file()
        await ui.sees("Your file:", "1 attempt")
    assert checker.requests[0].files["alpha.py"].startswith(b"def double")


async def test_the_first_failure_is_told_in_full(opened, checker, make_failed):
    checker.results = [make_failed("test_small"), result("test_large")]
    async with opened(size=(120, 50)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees(
            "✗ failed  1 of 3 checks passed",
            "✗ Doubles a small number",
            "double gives the wrong number",
            "The smallest input that shows it:",
            "input    │ double(3)",
            "got      │ 5",
            "expected │ 6",
            "Likely cause:",
            "It adds where it should multiply [/b]",
            "alpha.py:2 in double",
            "learner was here",
        )


async def test_levels_say_what_was_reached_and_what_the_open_ones_need(opened, checker):
    checker.results += [Measurement("double", 0.5, "s", baseline=1.5, ratio=3.0, low=2.5, high=3.5)]
    async with opened(size=(120, 36)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees(
            "✓ correct → ○ gpu", "✓ correct  passed · 2 of 2", "│ right on every input tried, on a CPU"
        )
        assert "○ gpu      open\n  needs an NVIDIA GPU" in ui.card("levels")
        assert "double: 3 times the baseline (from 2.5 to 3.5)" in ui.card("measured")


async def test_a_measurement_shows_its_stars_and_its_place_under_the_roof(opened, checker):
    roof = place(1.0, moved=2e12, flops=1e12, bandwidth=4e12, peak=6e13, dtype="float32", device="H200")
    checker.results += [
        Measurement("double", 0.5, "s", 1.5, 3.0, 2.5, 3.5, bar=2.0, star_bar=2.9, star=True, roofline=roof)
    ]
    async with opened(size=(200, 60)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("★ asked for: 2   ★ second star, the reference's: 2.9")
        shown = ui.card("measured")
        assert "a  double" in shown
        assert "1 TFLOP/s of 2 TFLOP/s (50%), bound by memory" in shown


async def test_a_verdict_is_remembered(opened, checker, make_failed):
    checker.results = [make_failed("test_small"), result("test_large")]
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✗ failed")
        await ui.settles()
    (attempt,) = queries.attempts("alpha")
    assert (attempt.verdict, attempt.failing_check) == (Outcome.FAILED, "test_small")
    async with opened() as ui:
        await ui.open()
        await ui.press("tab")
        await ui.sees("✗ failed  so far; c checks again", "1 attempt")


async def test_a_database_that_cannot_be_written_is_a_notification_and_the_verdict_stays(opened, tmp_path):
    async with opened() as ui:
        (tmp_path / "home" / "progress.db").mkdir(parents=True)
        await ui.open()
        await ui.press("c")
        await ui.hears("is a folder")
        await ui.sees("✓ passed  level correct")


async def test_a_run_without_its_end_is_an_error(opened, checker):
    checker.finishes = False
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("! error", "the run ended before its verdict")


async def test_a_missing_file_is_told_in_one_line(opened):
    async with opened() as ui:
        await ui.open()
        folder = workspace_of("alpha")
        (folder / "alpha.py").mkdir(parents=True)
        await ui.press("c")
        await ui.sees("alpha.py is missing")
    assert queries.attempts("alpha") == ()


async def test_a_checker_that_breaks_breaks_no_screen(opened, checker):
    checker.trouble = RuntimeError("no [/x] parent")
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("the checker broke (RuntimeError: no [/x] parent)")
        checker.trouble = None
        await ui.press("c")
        await ui.sees("✓ passed")


@pytest.mark.parametrize("keys", [("x",), ("q",), ("ctrl+q",)])
async def test_a_run_that_is_stopped_or_left_is_cancelled_and_not_stored(opened, checker, keys):
    checker.step_by_step = True
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("▸ running")
        await ui.press(*keys)
        if keys == ("x",):
            await ui.sees("Stopped: nothing was stored")
            assert "x stop" not in ui.screen
    for _turn in range(1000):
        # the app has ended; what it cancelled ends with the event loop
        if checker.cancelled:
            break
        await asyncio.sleep(0)
    assert checker.cancelled == 1
    assert queries.attempts("alpha") == ()


async def test_c_during_a_run_begins_anew(opened, checker):
    checker.step_by_step = True
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.until(lambda: len(checker.requests) == 1)
        await ui.press("c")
        await ui.until(lambda: len(checker.requests) == 2 and checker.cancelled == 1)
        checker.go(2)
        await ui.sees("✓ passed  level correct")
        await ui.settles()
    assert len(queries.attempts("alpha")) == 1


async def test_watching_checks_at_once_at_every_save_and_restarts_a_run(opened, checker):
    async with opened() as ui:
        await ui.open()
        await ui.press("w")
        await ui.sees("watching for saves", "✓ passed", "w end watch")
        file = workspace_of("alpha") / "alpha.py"
        file.write_text("def double(x): return 1\n")
        await ui.until(lambda: len(checker.requests) == 2, "a second check")
        await ui.sees("✓ passed")
        checker.step_by_step = True
        file.write_text("def double(x): return 2\n")
        await ui.until(lambda: len(checker.requests) == 3, "a third check")
        file.write_text("def double(x): return 3\n")
        await ui.until(lambda: len(checker.requests) == 4 and checker.cancelled == 1, "a restart")
        assert checker.requests[3].files["alpha.py"] == b"def double(x): return 3\n"
        checker.go(2)
        await ui.sees("✓ passed")
        await ui.press("w")
        await ui.sees("w watch")
        await ui.until(lambda: not any(w.group == "watch" and w.is_running for w in ui.app.workers))


async def test_keys_in_quick_succession_break_nothing(opened):
    async with opened(size=(120, 36)) as ui:
        for _time in range(2):
            await ui.pilot.press("enter", "l", "l", "l", "c", "tab", "l", "t", "w", "q")
        await ui.settles()
        await ui.sees("Foundations", "Alpha, the first")


async def test_one_pane_at_a_time_below_100_columns(opened):
    async with opened(size=(80, 24)) as ui:
        await ui.open()
        assert "English text" in ui.screen and "Doubles a small" not in ui.screen
        await ui.press("tab")
        await ui.sees("Doubles a small number", "tab lesson")
        assert "English text" not in ui.screen
        await ui.press("tab")
        await ui.sees("English text", "tab checks")


async def test_both_panes_from_100_columns_on(opened):
    async with opened(size=(100, 30)) as ui:
        await ui.open()
        await ui.sees("English text", "Doubles a small")


async def test_the_language_switches_lesson_checks_and_title_at_once(opened, checker, make_failed):
    checker.results = [make_failed("test_small"), result("test_large")]
    async with opened(size=(120, 36)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✗ Doubles a small number")
        await ui.press("l")
        await ui.sees("基础 › 甲：第一个", "中文课文", "✗ 小的数翻倍", "该乘的地方用了加")
        assert "English text" not in ui.screen
        await ui.settles()
    assert preferences.load().language == "zh"


async def test_the_theme_switches_and_is_remembered(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("t")
        await ui.settles()
        assert ui.app.theme == "mlsys-light"
    assert preferences.load()["theme"] == "light"


async def test_n_opens_the_next_exercise_in_this_ones_place(opened):
    async with opened() as ui:
        await ui.open()
        await ui.press("n")
        await ui.sees("Gamma, the third", "Operating systems")
        await ui.press("q")
        await ui.sees("Welcome")


async def test_help_lists_every_action(opened):
    from mlsys_path.tui import actions

    async with opened(size=(120, 50)) as ui:
        await ui.open()
        await ui.press("question_mark")
        await ui.sees("On the roadmap", *(action.help for action in actions.of_screen(actions.EXERCISE)))
        await ui.press("escape")
        await ui.sees("English text")


async def test_a_click_on_the_key_bar_is_a_press_of_the_key(opened):
    async with opened() as ui:
        await ui.open()
        await ui.pilot.click("KeyBar", offset=(3, 0))
        await ui.sees("✓ passed")


async def test_an_exercise_that_changed_since_it_passed_says_so(opened, content: Path, tmp_path, monkeypatch):
    import shutil

    own = tmp_path / "content"
    shutil.copytree(content, own)
    monkeypatch.setenv("MLSYS_PATH_EXERCISES", str(own / "exercises"))
    async with opened() as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("✓ passed  level")
        await ui.settles()
        checks = own / "exercises/foundations/alpha/checks/test_double.py"
        checks.write_text(checks.read_text() + "# more\n")
        await ui.press("q")
        await ui.open()
        await ui.press("tab")
        await ui.sees("✓ passed  so far; c checks again", "the exercise has changed since you passed")
