"""What a run shows beside its verdict: the counterexample as a table and a map, the ladder of levels, one's own history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from mlsys_path.checking.events import (
    CheckResult,
    CheckStarted,
    Counterexample,
    Declared,
    Measurement,
    Mismatch,
    Started,
)
from mlsys_path.checking.heat import GLYPHS, heat_map
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt
from mlsys_path.roadmap.load import load
from mlsys_path.tui import check_text, counterexample, history, ladder, run_state
from mlsys_path.tui.run_state import RunState

from .conftest import failed


def text(parts) -> str:
    return "\n".join(part.plain for part in parts)


# the counterexample


def test_input_got_and_expected_are_rows_of_a_table():
    shown = text(counterexample.shown(Counterexample(("push(1)", "pop()"), got="2", expected="1"), 40))
    assert shown == (
        "\n  The smallest input that shows it:\n"
        "  ──────────┬───────────────────────────\n"
        "   input    │ push(1)\n"
        "   input    │ pop()\n"
        "   got      │ 2\n"
        "   expected │ 1\n"
        "  ──────────┴───────────────────────────"
    )


def test_what_differs_between_two_values_is_marked_and_nothing_where_all_does():
    got, expected = counterexample._compared("[1, 2, 3]", "[1, 7, 3]")
    marked = [
        (content.plain[s.start : s.end], str(s.style)) for content in (got, expected) for s in content.spans
    ]
    assert [(word, style.split()[:2]) for word, style in marked] == [
        ("2", ["bold", "underline"]),
        ("7", ["bold", "underline"]),
    ]
    assert (got.plain, expected.plain) == ("[1, 2, 3]", "[1, 7, 3]")
    assert not any(content.spans for content in counterexample._compared("[5]", "[6]"))
    assert not any(content.spans for content in counterexample._compared("1 " * 5000, "2 " * 5000))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.integers(20, 90))
def test_no_value_makes_a_table_wider_or_loses_its_rules(got, expected, width):
    (table,) = [
        p
        for p in counterexample.shown(Counterexample((got,), got=got or "x", expected=expected), width)
        if "┬" in p.plain
    ]
    lines = table.plain.split("\n")
    assert all(cell_len(line) <= width + 2 for line in lines)
    assert len({line.index(mark) for line in lines for mark in "┬│┴" if mark in line[:14]}) == 1


def test_a_map_shows_where_arrays_differ_by_glyphs_and_numbers():
    wrong = np.zeros((4, 4), bool)
    wrong[1] = True
    example = Counterexample(
        mismatch=Mismatch((4, 4), "float32", 4, 16, (1, 0), "1", "0", heat=heat_map(wrong)),
        got="1",
        expected="0",
    )
    shown = text(counterexample.shown(example, 50))
    assert f"  1 {GLYPHS[-1] * 4}  4/4" in shown and f"  0 {GLYPHS[0] * 4}  0/4" in shown
    assert "·· none" in shown


async def test_the_map_is_on_the_screen_of_a_failed_comparison(opened, checker):
    wrong = np.eye(8, dtype=bool)
    mismatch = Mismatch((8, 8), "float32", 8, 64, (0, 0), "1", "0", 1.0, heat=heat_map(wrong))
    checker.results = [
        failed("test_small", counterexample=Counterexample(("double(3)",), "5", "6", mismatch)),
        *checker.results[1:],
    ]
    async with opened(size=(120, 50)) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees(
            "Where they differ:", "0 ██··············  1/8", "7 ··············██  1/8", "·· none  ░░ few"
        )


# the ladder


@pytest.fixture
def run() -> RunState:
    return RunState(load().exercise("alpha"), {Level.GPU: "needs a GPU"})


def test_the_ladder_says_what_is_to_check_what_runs_and_what_an_open_level_needs(run):
    assert ladder.short(run).plain == "· correct → ○ gpu"
    run.begin()
    declared = tuple(
        Declared(n, c.level, "needs a GPU" if c.level is Level.GPU else "")
        for n, c in run.exercise.checks.items()
    )
    run.take(Started("alpha", declared, "rlimits", "m"))
    run.take(CheckStarted("test_small"))
    assert ladder.short(run).plain == "▸ correct → ○ gpu"
    run.take(CheckResult("test_small", Level.CORRECT, Outcome.PASSED))
    run.take(CheckStarted("test_large"))
    assert "▸ correct  running · 1 of 2" in ladder.whole(run, 60).plain
    run.take(CheckResult("test_large", Level.CORRECT, Outcome.PASSED))
    assert ladder.whole(run, 60).plain == (
        "Levels\n✓ correct  passed · 2 of 2\n│ right on every input tried, on a CPU\n○ gpu      open\n  needs a GPU"
    )
    run.end()
    assert [rung.word.text for rung in ladder.rungs(run)] == ["error", "open"], (
        "the run did not come to its end"
    )


def test_an_exercise_of_one_level_needs_no_ladder_in_a_line(run):
    one = replace(run.exercise, checks={"test_small": run.exercise.checks["test_small"]})
    assert not ladder.short(RunState(one)).plain
    assert ladder.whole(RunState(one), 60).plain.startswith("Levels\n· correct  to check")


def test_a_check_that_takes_long_shows_its_seconds(run, monkeypatch):
    clock = 10.0
    monkeypatch.setattr(run_state, "monotonic", lambda: clock)
    run.begin()
    run.take(Started("alpha", (Declared("test_small", Level.CORRECT),), "rlimits", "m"))
    run.take(CheckStarted("test_small"))
    assert " s " not in check_text.rows(run, 60).plain
    clock = 14.2
    assert "▸ running      4 s  Doubles a small number" in check_text.rows(run, 60).plain


# the learner's own history


def attempts(*ratios: float, **facts) -> tuple[Attempt, ...]:
    """One for each ratio, the oldest first; returned as a query does, newest first."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [
        Attempt.new(exercise="alpha", started_at=start + timedelta(days=n), seconds=1.0, verdict=Outcome.PASSED,
                    levels=facts.get("levels", {Level.CORRECT: Outcome.PASSED}), files_hash="f", exercise_hash="e",
                    measurements=({"name": "double", "ratio": ratio},))
        for n, ratio in enumerate(ratios)
    ]  # fmt: skip
    return tuple(reversed(made))


def measured(run: RunState, ratio: float) -> RunState:
    run.begin()
    run.take(Measurement("double", 1.0, "s", ratio=ratio))
    return run


def test_a_measurement_is_set_against_the_best_and_the_last(run):
    (title, line) = history.lines(measured(run, 3.5), attempts(1.0, 3.0, 2.0), 90)
    assert title.plain == "Against your own runs"
    assert line.plain == "double  ▁▇▄█  best 3 · last time 2 · 3 runs  ▲ your best so far"
    (_title, line) = history.lines(measured(run, 1.5), attempts(1.0, 3.0, 2.0), 90)
    assert line.plain.endswith("▼ slower than last time")


def test_a_run_that_is_stored_already_is_not_its_own_history(run):
    assert not history.lines(measured(run, 2.0), attempts(2.0), 90)
    (_title, line) = history.lines(measured(run, 2.0), attempts(3.0, 2.0), 90)
    assert "best 3 · last time 3 · 1 run" in line.plain


def test_what_a_wrong_program_measured_counts_nothing(run):
    assert not history.lines(run, attempts(9.0, levels={Level.CORRECT: Outcome.FAILED}), 90)


@given(st.lists(st.floats(0.01, 100)))
def test_a_sparkline_has_a_bar_for_each_of_the_last_values(values):
    bars = history.sparkline(values)
    assert len(bars) == min(len(values), history.LONGEST) and set(bars) <= set(history.BARS)


async def test_the_history_is_on_the_screen_and_grows_with_each_run(opened, checker):
    async with opened(size=(120, 50)) as ui:
        await ui.open()
        for ratio in (2.0, 3.0):
            checker.results = [*checker.results[:2], Measurement("double", 0.5, "s", 1.0, ratio)]
            await ui.press("c")
            await ui.settles()
        await ui.sees("2 attempts · runs ✓✓")
        assert "double ▁█ best 2 · last time 2 · 1 run ▲ your best so far" in " ".join(
            ui.card("measured").split()
        )
