"""The real program in a real terminal of 80×24: from nothing to a pass, and the terminal is as it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlsys_path import locations
from mlsys_path.levels import Outcome
from mlsys_path.progress import queries

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

DEADLINE = 90.0  # of something that never comes, on a machine that is busy with other tests
EXERCISE = "lru-cache"


class Terminal:
    """A shell in tmux, on a server of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.socket = str(folder / "tmux")
        self.environment = environment
        shell = ["env", "PS1=ready$ ", "bash", "--norc", "--noprofile"]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", *shell)

    def tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self.socket, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def type(self, line: str) -> None:
        self.tmux("send-keys", "-l", line)
        self.press("Enter")

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"{what} never came; the screen:\n{self.screen}"
            time.sleep(0.05)

    def sees(self, *texts: str) -> None:
        self.until(lambda: all(text in self.screen for text in texts), str(texts))

    def state(self) -> dict[str, str]:
        """What a program may have left switched on."""
        names = ("alternate_on", "cursor_flag", "mouse_any_flag", "keypad_flag")
        values = self.tmux("display-message", "-p", " ".join(f"#{{{name}}}" for name in names)).split()
        return dict(zip(names, values, strict=True))

    def is_sane(self) -> None:
        """The shell is back, shows what is typed, and nothing is left switched on."""
        self.until(lambda: self.screen.rstrip().endswith("ready$"), "the prompt")
        assert self.state() == {
            "alternate_on": "0",
            "cursor_flag": "1",
            "mouse_any_flag": "0",
            "keypad_flag": "0",
        }
        self.type("clear; stty -a | tr ' ;' '\\n\\n' | grep -cxE 'icanon|echo|isig|icrnl|opost'")
        self.until(lambda: self.screen.split("\n")[0] == "5", "a terminal that is not raw")

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def terminal(tmp_path: Path, home: Path) -> Iterator[Terminal]:
    editor = tmp_path / "editor"
    solution = locations.exercises_dir() / "foundations" / EXERCISE / "solution"
    editor.write_text(f'#!/bin/sh\nread -p "the editor has the terminal" line\ncp {solution}/* .\n')
    editor.chmod(0o755)
    wanted = ("PATH", "HOME", "LANG", "MLSYS_PATH_SANDBOX")
    environment = {name: os.environ[name] for name in wanted if name in os.environ}
    environment |= {
        "LC_ALL": "C.UTF-8",
        "MLSYS_PATH_HOME": str(home),
        "EDITOR": str(editor),
        "TERM": "xterm-256color",
    }
    found = Terminal(tmp_path, environment)
    yield found
    found.close()


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that was started for this home: the program, its checkers, what they run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() not in ("tmux: server", "bash") and process.environ().get(
                "MLSYS_PATH_HOME"
            ) == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_newcomer_fails_edits_passes_and_leaves(terminal: Terminal, home: Path) -> None:
    terminal.until(lambda: "ready$" in terminal.screen, "the shell")
    terminal.type(f"{sys.executable} -m mlsys_path")
    terminal.sees("Welcome", "An LRU cache in O(1)", "q quit")
    terminal.press("Enter")
    terminal.sees("Why it matters", "c check")
    terminal.press("c")
    terminal.sees("✗ failed  1 of 10 checks passed", "NotImplementedError", "1 attempt")
    terminal.press("e")
    terminal.sees("the editor has the terminal")
    terminal.press("Enter")
    terminal.sees("Your file:", "q back")
    terminal.press("w")
    terminal.sees("✓ passed  level fast", "watching for saves")
    terminal.press("q")
    terminal.sees("✓ passed", "1 of ")
    terminal.press("q")
    terminal.is_sane()
    terminal.until(lambda: not processes_of(home), "the end of every process")
    attempts = queries.attempts(EXERCISE, path=home / "progress.db")
    assert [a.verdict for a in attempts] == [Outcome.PASSED, Outcome.FAILED]


@pytest.mark.parametrize("how", ["keys", "SIGTERM", "hang up"])
def test_leaving_in_the_middle_of_a_check_leaves_nothing_behind(
    terminal: Terminal, home: Path, how: str
) -> None:
    endless = home / "workspace" / EXERCISE
    endless.mkdir(parents=True)
    (endless / "lru_cache.py").write_text("import time\nwhile True: time.sleep(0.1)\n")
    terminal.until(lambda: "ready$" in terminal.screen, "the shell")
    terminal.type(f"{sys.executable} -m mlsys_path")
    terminal.sees("Welcome")
    terminal.press("Enter")
    terminal.sees("Why it matters")
    terminal.press("c")
    terminal.sees("▸ running")
    match how:
        case "keys":
            terminal.press("C-c")
        case "SIGTERM":
            (program,) = (p for p in processes_of(home) if p.cmdline()[1:3] == ["-m", "mlsys_path"])
            program.send_signal(signal.SIGTERM)
        case "hang up":
            terminal.close()
    if how != "hang up":
        terminal.is_sane()
    deadline = time.monotonic() + DEADLINE
    while left := processes_of(home):
        assert time.monotonic() < deadline, f"still there: {[p.cmdline() for p in left]}"
        time.sleep(0.05)
    assert queries.attempts(EXERCISE, path=home / "progress.db") == ()
