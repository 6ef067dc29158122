"""On a real terminal: what Ctrl-C leaves behind, and that lessons are rendered."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

SECONDS = 60


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, *args: str) -> None:
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", "mlsys_path", *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        )
        self.slave = slave
        self.seen = ""

    def read(self) -> None:
        """Read what it prints next."""
        ready, _, _ = select.select([self.master], [], [], SECONDS)
        assert ready, f"nothing more came; what came was:\n{self.seen}"
        self.seen += os.read(self.master, 4096).decode("utf-8", "replace")

    def until(self, words: str) -> None:
        """Read until these words come."""
        while words not in self.seen:
            self.read()

    def children(self) -> list[psutil.Process]:
        """Every process that runs for it, once the checker stands; a bar on the terminal beats the time."""
        while True:
            found = psutil.Process(self.process.pid).children(recursive=True)
            with contextlib.suppress(psutil.Error):
                if any("checking.server" in " ".join(child.cmdline()) for child in found):
                    return found
            self.read()

    def finish(self) -> int:
        """Read to the end; the exit code."""
        code = self.process.wait(SECONDS)
        os.set_blocking(self.master, False)
        try:
            while data := os.read(self.master, 65536):
                self.seen += data.decode("utf-8", "replace")
        except BlockingIOError:
            pass
        return code


@pytest.fixture
def terminal(content: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    monkeypatch.delenv("NO_COLOR", raising=False)
    opened: list[Terminal] = []

    def start(*args: str) -> Terminal:
        opened.append(Terminal(*args))
        return opened[-1]

    yield start
    for each in opened:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.master)
        os.close(each.slave)


@pytest.mark.parametrize(
    "args", [["check", "--all"], ["check", "add-one"], ["check", "add-one", "--watch"]], ids=" ".join
)
def test_ctrl_c_leaves_the_terminal_as_it_was_and_no_process(terminal, solve, args):
    (solve("add-one") / "add_one.py").write_text("def add_one(n):\n    while True:\n        pass\n")
    if "--all" in args:
        (solve("add-two") / "add_two.py").write_text("def add_two(n):\n    while True:\n        pass\n")
    running = terminal(*args)
    running.until("0/2" if "--all" in args else "Right for zero")
    children = running.children()
    os.write(running.master, b"\x03")
    assert running.finish() == 130
    assert termios.tcgetattr(running.slave) == running.before
    assert running.seen.count("\x1b[?25l") == running.seen.count("\x1b[?25h"), "the cursor is not shown again"
    assert "Traceback" not in running.seen
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_lessons_are_rendered_on_a_terminal(terminal):
    running = terminal("show", "add-one")
    assert running.finish() == 0
    assert "Adding 1" in running.seen
    assert "# Adding 1" not in running.seen


def test_passed_and_failed_are_words_and_colours(terminal, solve):
    solve("add-one")
    running = terminal("check", "add-one")
    assert running.finish() == 0
    assert "\x1b[32m✓ passed" in running.seen


QUESTION = """\
diagnostic:
  - id: which
    ask: {en: Which is even?, zh: 哪个是偶数？}
    options: [{text: {en: two, zh: 二}, right: true}, {text: {en: three, zh: 三}}]
    because: {en: Two halves are one., zh: 二的一半是一。}
"""


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_ends_a_diagnostic_has_answered_nothing(terminal, content: Path, tmp_path: Path, key):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text() + QUESTION)
    running = terminal("diagnose", "foundations")
    running.until("Answer: ")
    os.write(running.master, b"x\n")
    running.until("answer with a number from 1 to 2")
    os.write(running.master, key)
    assert running.finish() == (130 if key == b"\x03" else 2)
    assert "question 1 of 1 was not answered: nothing is stored" in running.seen
    assert "Traceback" not in running.seen
    assert not (tmp_path / "home" / "progress.db").exists()


def test_a_diagnostic_is_answered_on_a_terminal(terminal, content: Path):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text() + QUESTION)
    running = terminal("diagnose", "foundations")
    running.until("Answer: ")
    os.write(running.master, b"1\n" if "1. two" in running.seen else b"2\n")
    assert running.finish() == 0
    assert "\x1b[32m✓ right" in running.seen
    assert "1 of 1: you can skip it" in running.seen
