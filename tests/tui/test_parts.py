"""The parts without a screen: the table of actions, line breaks, the editor, a run's state."""

from __future__ import annotations

import contextlib
import itertools
import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import SuspendNotSupported
from textual.content import Content

from mlsys_path.checking.events import CheckResult, CheckStarted, Declared, Finished, Started
from mlsys_path.errors import UserError
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.load import load
from mlsys_path.tui import actions, check_text, editor, line_breaks
from mlsys_path.tui.check_text import hang
from mlsys_path.tui.run_state import RunState

from .conftest import failed


def test_no_key_means_two_things_on_one_screen():
    for screen in {name for action in actions.ACTIONS for name in action.screens}:
        keys = list(itertools.chain.from_iterable(action.keys for action in actions.of_screen(screen)))
        assert len(keys) == len(set(keys)), screen


def test_ctrl_z_is_not_bound():
    assert not any("ctrl+z" in action.keys for action in actions.ACTIONS)


def test_a_narrow_key_bar_drops_the_highest_ranks_and_keeps_the_order():
    listed = actions.of_screen(actions.EXERCISE)
    widths = {action.name: 10 for action in listed}
    kept = actions.that_fit(listed, widths, room=45)
    assert [a.name for a in kept] == [a.name for a in listed if a in kept]
    assert len(kept) == 4 and max(a.rank for a in kept) <= min(a.rank for a in listed if a not in kept)
    assert {"check", "help", "back"} <= {a.name for a in kept}


# line breaks


@pytest.fixture
def chinese_breaks(monkeypatch):
    import rich._wrap

    monkeypatch.setattr(rich._wrap, "words", rich._wrap.words)
    line_breaks.install()


def test_chinese_lines_are_filled_and_marks_stay_with_their_words(chinese_breaks):
    text = "快的内存总是小的，所以 ML 系统的每一层都只能把一部分数据留在快内存里（很多），推理服务“最典型”。"
    lines = [line.plain for line in Content(text).wrap(24)]
    assert "".join(line.replace(" ", "") for line in lines) == text.replace(" ", "")
    assert all(18 <= cell_len(line) <= 24 for line in lines[:-1])
    assert not any(line[0] in "，。）”" or line.rstrip()[-1] in "（“" for line in lines)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab 中文，。（）“”\t", max_size=60))
def test_breaking_loses_no_character(text):
    pieces = list(line_breaks.words(text))
    if text.strip():
        assert "".join(piece for _start, _end, piece in pieces) == text
    assert all(text[start:end] == piece for start, end, piece in pieces)


def test_a_line_end_between_chinese_characters_is_no_space_but_code_keeps_it():
    assert line_breaks.joined("甲，\n乙\nfoo 丙\n丁\n") == "甲，乙\nfoo 丙丁\n"
    assert line_breaks.joined("```\n甲\n乙\n```\n- 甲\n- 乙\n") == "```\n甲\n乙\n```\n- 甲\n- 乙\n"


def test_further_lines_hang_below_the_first():
    assert hang("✓ ok  ", "one two three four", 16).plain == "✓ ok  one two\n      three four"


# the editor


class Terminal:
    """An app that lends its terminal, or does not."""

    def __init__(self, *, can: bool = True) -> None:
        self.can, self.lent = can, 0

    @contextlib.contextmanager
    def suspend(self):
        if not self.can:
            raise SuspendNotSupported
        self.lent += 1
        yield


@pytest.fixture
def script(tmp_path):
    """An editor that writes its arguments and its folder into a file."""
    path = tmp_path / "my editor"
    path.write_text('#!/bin/sh\npwd > "$0.ran"\nprintf "%s\\n" "$@" >> "$0.ran"\nexit ${CODE:-0}\n')
    path.chmod(0o755)
    return path


def test_the_editor_gets_the_files_in_their_folder_and_its_own_options(monkeypatch, tmp_path, script):
    monkeypatch.setenv("VISUAL", f"'{script}' --wait")
    monkeypatch.setenv("EDITOR", "false")
    terminal = Terminal()
    before = signal.getsignal(signal.SIGINT)
    editor.edit(terminal, tmp_path, ["a.py", "b.h"])
    ran = (tmp_path / "my editor.ran").read_text().splitlines()
    assert ran == [str(tmp_path), "--wait", "a.py", "b.h"]
    assert terminal.lent == 1 and signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("no-such-editor -w", "there is no such program"),
        ("vi 'unclosed", "No closing quotation"),
        ("", "neither $VISUAL nor $EDITOR"),
    ],
)
def test_an_editor_that_cannot_be_found_is_one_line(monkeypatch, tmp_path, value, told):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", value)
    with pytest.raises(UserError, match=told.replace("$", r"\$")):
        editor.edit(Terminal(), tmp_path, ["a.py"])


def test_an_editor_that_fails_and_a_terminal_that_cannot_be_lent_are_one_line(monkeypatch, tmp_path, script):
    monkeypatch.setenv("EDITOR", f"'{script}'")
    monkeypatch.setenv("CODE", "3")
    with pytest.raises(UserError, match="exit code 3"):
        editor.edit(Terminal(), tmp_path, ["a.py"])
    with pytest.raises(UserError, match="cannot be lent"):
        editor.edit(Terminal(can=False), tmp_path, ["a.py"])


# a run's state


def test_no_cause_is_guessed_where_the_check_did_not_see_what_the_code_does():
    exercise = load().exercise("alpha")
    told = check_text.failure(exercise, failed("test_small"), 60).plain
    assert "Likely cause:" in told
    for obstacle in ("unwritten", "unloaded", "unbuilt"):
        told = check_text.failure(exercise, failed("test_small", obstacle=obstacle), 60).plain
        assert "double gives the wrong number" in told
        assert "Likely cause:" not in told


def test_a_run_knows_at_any_moment_what_leads_and_what_runs():
    run = RunState(load().exercise("alpha"), {Level.GPU: "needs a GPU"})
    assert [d.open_because for d in run.declared] == ["", "", "needs a GPU"]
    run.begin()
    assert run.phase == "running" and run.current == "" and run.leading_failure is None
    run.take(
        Started(
            "alpha", tuple(Declared(n, Level.CORRECT) for n in ("test_small", "test_large")), "rlimits", "m"
        )
    )
    run.take(CheckStarted("test_small"))
    assert run.current == "test_small"
    run.take(CheckResult("test_small", Level.CORRECT, Outcome.PASSED))
    assert run.current == ""
    run.take(CheckResult("test_large", Level.CORRECT, Outcome.FAILED, "no"))
    assert run.leading_failure is not None and run.leading_failure.name == "test_large"
    run.take(Finished(1.0))
    assert run.end().verdict is Outcome.FAILED
    run.begin()
    assert run.verdict is None and not run.results and run.leading_failure is None


def test_a_stream_that_breaks_off_leaves_no_pass():
    run = RunState(load().exercise("alpha"))
    run.begin()
    assert run.end().verdict is Outcome.ERROR
    assert {r.outcome for r in run.results.values()} <= {Outcome.ERROR}
