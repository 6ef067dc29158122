"""`--plain`: the loop of the screens as lines."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mlsys_path import language, preferences
from mlsys_path.cli.plain import LETTERS, WORDS, arguments_of
from mlsys_path.cli.program import COMMANDS, build
from mlsys_path.progress import queries


@pytest.fixture
def typed(content, monkeypatch):
    """Type lines, and read all that was said."""
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(*lines: str):
        language.use("en")
        return CliRunner().invoke(build(), ["--plain"], input="".join(f"{line}\n" for line in lines))

    return run


def test_it_says_what_is_next_and_takes_it_up_through_to_a_pass(typed, solve):
    solve("add-one")
    done = typed("check", "next")
    assert done.exit_code == 0
    assert "`help` lists what you can type" in done.stdout
    assert done.stdout.index("add-one> ") < done.stdout.index("passed") < done.stdout.index("add-two> ")
    assert queries.statuses()["add-one"].passed
    assert not any(c in done.output for c in "\x1b\r"), "nothing is coloured or taken back"
    assert os.environ["TERM"] == "xterm-256color"


def test_an_exercise_is_opened_and_each_of_its_commands_is_of_it(typed):
    said = typed("open add-two", "hint", "diff", "start", "diff", "n").stdout
    assert "# Adding 2" in said or "Adding 2" in said
    assert "The first hint of add-two" in said
    assert said.rstrip().endswith("add-one>"), "`next` takes its own up"


def test_the_letters_of_the_screens_and_any_other_command(typed):
    said = typed("h", "?", "track list", "stats", "machine", "settings", "roadmap", "q", "never").stdout
    for text in (
        "The first hint",
        "settings",
        "The arithmetic track",
        "In a year",
        "sandbox",
        "config.toml",
        "Adding",
    ):
        assert text in said
    assert "░" not in said and "never" not in said


def test_what_is_wrong_is_one_line_and_the_loop_goes_on(typed):
    done = typed("chek", 'open "', "open nowhere", "check --level nonsense", "edit", "", "h")
    assert "did you mean `check`?" in done.output and "cannot be read" in done.output
    assert "neither $VISUAL nor $EDITOR is set" in done.output
    assert "The first hint" in done.output and done.exit_code == 0


def test_the_editor_gets_the_files_and_its_own_terminal(typed, tmp_path, monkeypatch, home):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "$TERM $NO_COLOR $1" > seen\n')
    editor.chmod(0o755)
    preferences.store("editor", str(editor))
    typed("edit")
    assert (home / "workspace/add-one/seen").read_text() == "xterm-256color  add_one.py\n"


def test_a_language_that_is_set_holds_at_once_and_one_of_a_single_command_does_not(typed):
    said = typed("hint --lang zh", "help", "config set language zh", "help").stdout
    assert "第一条提示" in said and "these words" in said
    assert language.current() == "zh"


def test_an_options_value_is_no_exercise(content):
    assert arguments_of(["check", "--level", "correct", "--all"]) == []
    assert arguments_of(["check", "--level=correct", "add-one", "--lang", "zh"]) == ["add-one"]
    assert arguments_of(["no-such-command", "x"]) == ["x"]


def test_every_word_is_a_command_that_there_is():
    assert all(command[0] in COMMANDS for command, _text in WORDS.values() if command)
    assert set(LETTERS.values()) <= set(WORDS)


def test_a_dumb_terminal_gets_the_lines(content):
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "mlsys_path"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, b"hint\nquit\n")
    said = b""
    while True:
        try:
            read = os.read(ours, 4096)
        except OSError:
            break
        if not read:
            break
        said += read
    assert program.wait() == 0
    assert b"add-one> " in said and b"The first hint of add-one" in said and b"\x1b" not in said
