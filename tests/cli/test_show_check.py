"""How a run is printed, from events alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.checking.events import (
    CheckEvent,
    CheckResult,
    CheckStarted,
    Counterexample,
    Declared,
    Finished,
    Measurement,
    Mismatch,
    Started,
)
from mlsys_path.checking.timing.roofline import place
from mlsys_path.checking.verdict import Tally
from mlsys_path.cli import show_check
from mlsys_path.cli.show_check import CheckPrinter, brief
from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Check, Exercise

WORD = Text("a word", "词语")


@pytest.fixture
def exercise() -> Exercise:
    checks = {
        "test_short": Check(Text("Short", "短")),
        "test_long": Check(
            Text("A title that is a little longer", "一个稍微长一些的标题"), cause=Text("A cause", "原因")
        ),
        "test_gpu": Check(Text("On a GPU", "在 GPU 上"), Level.GPU),
    }
    return Exercise("adding", WORD, WORD, "python", ("adding.py",), 1, 5, checks, (WORD,))


def printed(exercise: Exercise, events: Iterable[CheckEvent], capsys) -> str:
    printer, tally = CheckPrinter(exercise), Tally(exercise.id)
    for event in events:
        tally.add(event)
        printer.told(event)
    printer.finished(tally.verdict(), exercise.id)
    return capsys.readouterr().out


def events(*results: CheckResult, broken: str = "") -> list[CheckEvent]:
    declared = (
        Declared("test_short", Level.CORRECT),
        Declared("test_long", Level.CORRECT),
        Declared("test_gpu", Level.GPU, "needs a GPU: buy one"),
    )
    return [Started("adding", declared, "bubblewrap", "here"), *results, Finished(0.5, broken)]


def result(name: str, outcome: Outcome = Outcome.PASSED, **more) -> CheckResult:
    return CheckResult(name, Level.CORRECT, outcome, seconds=0.25, **more)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_columns_align_in_both_languages(exercise, capsys, lang):
    language.use(lang)
    text = printed(exercise, events(result("test_short"), result("test_long")), capsys)
    rows = [line for line in text.splitlines() if line.endswith("0.25 s")]
    assert len(rows) == 2
    assert len({cell_len(row) for row in rows}) == 1


def test_a_pass_says_which_level_and_what_is_open(exercise, capsys):
    text = printed(exercise, events(result("test_short"), result("test_long")), capsys)
    assert "○ open    On a GPU" in text
    assert "gpu is open: needs a GPU: buy one" in text
    assert "✓ adding: passed, level correct  (2 of 3 checks passed, 0.50 s, bubblewrap)" in text


def test_the_first_failure_in_teaching_order_leads(exercise, capsys):
    both = [
        result("test_long", Outcome.FAILED, message="the second is wrong"),
        result("test_short", Outcome.FAILED, message="the first is wrong"),
    ]
    text = printed(exercise, events(*both), capsys)
    assert "the first is wrong" in text
    assert "the second is wrong" not in text


def test_everything_that_a_failure_has_to_say(exercise, capsys):
    mismatch = Mismatch((2, 3), "float32", 4, 6, (0, 1), "1.0", "2.0", 0.5, "(0, 0) of 16x16")
    failure = result(
        "test_long",
        Outcome.FAILED,
        message="ValueError: the sum is wrong",
        counterexample=Counterexample(("add(1, 2)", "add(0, 0)"), "3\n4", "5", mismatch),
        traceback="  adding.py:3 in add\n    return a\nValueError: the sum is wrong",
        output="printed by me\n",
    )
    text = printed(exercise, events(result("test_short"), failure), capsys)
    assert text.count("ValueError: the sum is wrong") == 1
    for words in (
        "    add(1, 2)\n    add(0, 0)\n",
        "got       3\n            4\n",
        "expected  5\n",
        "4 of 6 elements differ, the first at [0, 1]: got 1.0, expected 2.0",
        "tile (0, 0) of 16x16",
        "largest error 0.5",
        "adding.py:3 in add\n",
        "    printed by me\n",
        "Likely cause: A cause",
        "mend adding.py, then `mlsys-path check adding`",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("outcome", "obstacle", "message"),
    [
        (Outcome.FAILED, "unwritten", "NotImplementedError: write add()"),
        (Outcome.FAILED, "unloaded", "SyntaxError: invalid syntax"),
        (Outcome.FAILED, "unbuilt", "It does not build"),
        (Outcome.ERROR, "", "the run broke its contract"),
    ],
)
def test_no_cause_is_guessed_for_what_is_not_written_or_could_not_be_judged(
    exercise, capsys, outcome, obstacle, message
):
    broken = result("test_long", outcome, message=message, obstacle=obstacle)
    text = printed(exercise, events(result("test_short"), broken), capsys)
    assert message in text
    assert "Likely cause" not in text


def test_foreign_text_is_never_markup(exercise, capsys):
    hostile = "[bold]list[int] [/x] {braces} %s"
    failure = result("test_short", Outcome.FAILED, message=hostile, output=hostile, traceback=hostile + "!")
    text = printed(exercise, events(failure), capsys)
    assert text.count(hostile) == 3


def test_output_is_bounded_in_lines_and_in_width(exercise, capsys):
    lines = [f"line {n} " + "x" * 1000 for n in range(500)]
    text = printed(
        exercise, events(result("test_short", Outcome.FAILED, message="m", output="\n".join(lines))), capsys
    )
    assert "line 499" in text
    assert "line 479" not in text
    assert f"the last {show_check.MAX_OUTPUT_LINES} of 500 lines" in text
    assert max(map(len, text.splitlines())) < 300


def test_a_run_that_broke_says_why_and_blames_nobody(exercise, capsys):
    text = printed(exercise, events(broken="the checker ended before the verdict"), capsys)
    assert "the checker ended before the verdict" in text
    assert "Nothing can be said of your code" in text


def test_on_a_terminal_the_running_check_is_shown_and_taken_back(exercise, capsys, monkeypatch):
    monkeypatch.setattr(show_check, "on_terminal", lambda: True)
    started, *rest = events(result("test_short"), result("test_long"))
    text = printed(exercise, [started, CheckStarted("test_short"), *rest], capsys)
    # click has dropped the escape that clears the line, as this is no terminal
    assert "  … Short\r  ✓ passed  Short" in text


def test_measurements_come_with_their_stars_and_a_plot_at_the_end(exercise, capsys):
    roof = place(2e-3, moved=4e9, flops=1e9, bandwidth=4e12, peak=6e13, dtype="float32", device="H200")
    timed = Measurement(
        "dot", 0.002, "s", 0.008, 4.0, 3.5, 4.25, "torch", bar=2.0, star_bar=5.0, star=False, roofline=roof
    )
    plain = Measurement("utilisation", 0.825, "")
    stream = events(result("test_short"), result("test_long"))
    text = printed(exercise, [*stream[:2], timed, plain, *stream[2:]], capsys)
    told = (
        "      dot: 4 times torch (from 3.5 to 4.25), 2 ms against 8 ms\n"
        "      ★ asked for: 2   ☆ second star, the reference's: 5\n"
        "      utilisation: 0.825\n"
    )
    assert told in text
    plot = text.partition("H200: 4 TB/s, 60 TFLOP/s float32\n")[2]
    assert plot.index("a  dot\n") < plot.index("gpu is open")


def test_one_among_many_is_two_lines(exercise):
    tally = Tally("adding")
    for event in events(result("test_short", Outcome.FAILED, message="first line\nsecond line")):
        tally.add(event)
    text = brief(exercise, tally.verdict())
    assert text.splitlines()[1] == "    Short: first line"
    assert len(text.splitlines()) == 2
