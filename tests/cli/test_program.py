"""The program as a whole: its table of commands, its errors, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys_path.cli import program
from mlsys_path.cli.program import COMMANDS


def test_help_lists_every_command_without_importing_one(invoke):
    before = set(sys.modules)
    result = invoke("--help")
    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    assert not [name for name in set(sys.modules) - before if name.startswith("mlsys_path.cli.commands.")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(invoke, name):
    result = invoke(name, "--help")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Usage: mlsys-path {name}")


def test_version(invoke):
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("mlsys-path ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["chek"], "did you mean `check`?"),
        (["xyzzy"], "`mlsys-path --help` lists them"),
        (["list", "--colour"], "--colour"),
        (["start"], "ID"),
        (["start", "add-oen"], "did you mean 'add-one'?"),
        (["list", "--stage", "fundations"], "did you mean 'foundations'?"),
        (["list", "--track", "arithmatic"], "did you mean 'arithmetic'?"),
        (["show", "a-bok"], "did you mean 'a-book'?"),
        (["--lang", "fr", "list"], "fr"),
        (["list", "--lang", "fr"], "fr"),
        (["next", "--lang"], "'--lang' requires an argument"),
        (["show", "--", "--lang", "zh"], "zh"),
        (["check", "--level", "best", "add-one"], "best"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(invoke, args, words):
    result = invoke(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("mlsys-path: ")
    assert words in result.stderr


def test_a_mistake_in_the_content_says_where(invoke, content: Path):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace("resource: a-book", "resource: a-bok"))
    result = invoke("list")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert f"{stage}:" in result.stderr


def test_a_defect_is_a_line_and_a_report_in_the_log_folder(invoke, home: Path, monkeypatch):
    def broken(_language: object) -> int:
        raise ZeroDivisionError("a defect of ours")

    monkeypatch.setattr("mlsys_path.cli.opening.open_screens", broken)
    result = invoke()
    assert result.exit_code == program.CRASHED
    assert result.stderr.count("\n") == 1
    [report] = (home / "logs").iterdir()
    assert str(report) in result.stderr
    assert "ZeroDivisionError: a defect of ours" in report.read_text()


def test_a_defect_while_the_log_folder_cannot_be_written(invoke, home: Path, monkeypatch, tmp_path: Path):
    home.mkdir()
    (home / "logs").write_text("a file where the folder should be")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("mlsys_path.cli.opening.open_screens", lambda _language: 1 // 0)
    result = invoke()
    assert result.exit_code == program.CRASHED
    assert len(list(tmp_path.glob("crash-*.txt"))) == 1


def test_without_a_terminal_the_first_steps_are_printed(invoke):
    result = invoke()
    assert result.exit_code == 0
    for command in ("next", "show", "start", "check", "doctor"):
        assert f"mlsys-path {command}" in result.stdout


def test_a_reader_that_goes_away_is_no_error(spawn, content: Path):
    # a pipe whose reader is closed before anything is written to it
    read, write = os.pipe()
    os.close(read)
    process = spawn("list", stdout=write)
    os.close(write)
    _out, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == program.BROKEN_PIPE


def test_the_language_is_that_of_the_option_the_variable_or_the_locale(content: Path):
    def title(*args: str, **variables: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG")}
        done = subprocess.run(
            [sys.executable, "-m", "mlsys_path", *args, "list"],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        return "zh" if "加上 1" in done.stdout else "en" if "Add 1" in done.stdout else done.stdout

    assert title(LC_ALL="C.UTF-8") == "en"
    assert title(LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1") == "zh"
    assert title(LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1", MLSYS_PATH_LANG="en") == "en"
    assert title("--lang", "zh", LC_ALL="C.UTF-8", MLSYS_PATH_LANG="en") == "zh"


@pytest.mark.parametrize(
    "args",
    [
        ["list", "--lang", "zh"],
        ["list", "--lang=zh", "--stage", "foundations"],
        ["track", "show", "arithmetic", "--lang", "zh"],
        ["track", "--lang", "zh", "show", "arithmetic"],
        ["show", "--lang", "zh", "add-two"],
        ["search", "加上", "--lang", "zh"],
        ["--lang", "en", "next", "--lang", "zh"],
    ],
)
def test_the_language_may_stand_after_any_command(invoke, args):
    result = invoke(*args)
    assert result.exit_code == 0, result.stderr
    assert "加上 2" in result.stdout or "加 2" in result.stdout or "加上 1" in result.stdout


def test_what_stands_after_two_hyphens_is_no_option(invoke):
    assert program.asked_language(["search", "--", "--lang", "zh"]) is None
    assert invoke("search", "--", "--lang", "zh").exit_code == 0


def test_help_is_in_the_language_too(content: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mlsys_path", "list", "--lang", "zh", "--help"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert "练习" in done.stdout
    assert "--lang" in done.stdout


def test_a_terminal_without_unicode_gets_question_marks_and_no_traceback(content: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mlsys_path", "list"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"add-one" in done.stdout


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_switched_off(monkeypatch, variable):
    from mlsys_path.cli.terminal import style

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style("word", fg="green") != "word"
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    assert style("word", fg="green") == "word"


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_names_the_program(self, invoke, shell):
        result = invoke("completion", shell)
        assert result.exit_code == 0
        assert "_MLSYS_PATH_COMPLETE" in result.stdout
        assert "mlsys-path" in result.stdout

    def complete(self, words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "mlsys_path"],
            env={
                **os.environ,
                "_MLSYS_PATH_COMPLETE": "bash_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split(" ")) - 1),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    def test_commands(self, content: Path):
        assert self.complete("mlsys-path pro") == ["progress"]

    def test_ids(self, content: Path):
        assert self.complete("mlsys-path start add-t") == ["add-two"]
        assert self.complete("mlsys-path list --track ") == ["arithmetic"]
        assert self.complete("mlsys-path show a-") == ["a-book"]
        assert self.complete("mlsys-path mark ad") == ["adding", "add-one", "add-two", "add-nowhere"]

    def test_readings_after_the_slash(self, content: Path):
        assert self.complete("mlsys-path mark adding/") == ["adding/a-book"]
        assert self.complete("mlsys-path show adding/a") == ["adding/a-book"]

    def test_broken_content_completes_nothing(self, content: Path):
        (content / "roadmap" / "stages" / "01-foundations.yaml").write_text("id: [")
        assert self.complete("mlsys-path start add-t") == []
