"""The real program on a pty of its own: however it is ended, no process and no terminal mode is left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlsys_path.progress import queries

DEADLINE = 60.0
EXERCISE = "lru-cache"
# what the program switches on, and how each is switched off
MODES = {b"\x1b[?1049h": b"\x1b[?1049l", b"\x1b[?25l": b"\x1b[?25h", b"\x1b[?1000h": b"\x1b[?1000l"}


class Terminal:
    """A pty whose controlling process is the program itself."""

    def __init__(self, home: Path, editor: Path) -> None:
        self.home = home
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.said = b""
        wanted = ("PATH", "HOME", "MLSYS_PATH_SANDBOX")
        environment = {name: os.environ[name] for name in wanted if name in os.environ}
        environment |= {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "MLSYS_PATH_HOME": str(home)}
        environment |= {"EDITOR": str(editor)}
        self.program = subprocess.Popen(
            [sys.executable, "-c", LEADER, sys.executable, "-m", "mlsys_path"],
            stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, env=environment, start_new_session=True,
        )  # fmt: skip

    def read(self, seconds: float = 0.05) -> None:
        """Take what was written, so that the program never waits for a reader."""
        while self.ours >= 0 and select.select([self.ours], [], [], seconds)[0]:
            try:
                data = os.read(self.ours, 65536)
            except OSError:
                return
            if not data:
                return
            self.said += data
            seconds = 0

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"{what} never came: {self.said[-2000:]!r}"
            self.read()

    def sees(self, text: str) -> None:
        """Until words have been drawn; what was drawn before does not count."""
        plain = text.encode()
        self.until(lambda: plain in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.said), text)
        self.said = b"".join(mode for mode in MODES if mode in self.said)

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def close(self) -> None:
        """The window is closed: its shell is told, and nobody reads any more."""
        os.close(self.ours)
        os.close(self.theirs)
        self.ours = self.theirs = -1

    def is_left_clean(self) -> None:
        """Every mode is off again, and the line is as it was."""
        self.until(lambda: self.program.poll() is not None, "the end")
        self.read()
        for on, off in MODES.items():
            assert on not in self.said or self.said.rindex(off) > self.said.rindex(on), off
        assert termios.tcgetattr(self.theirs)[:4] == self.before[:4]
        assert b"Traceback" not in self.said

    def nothing_runs(self) -> None:
        self.until(lambda: not self.processes(), "the end of every process")

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("MLSYS_PATH_HOME") == str(self.home)
                    and process.status() != "zombie"
                ):
                    found.append(process)
        return found


# takes the pty as its controlling terminal, as a shell in a window has it
LEADER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho the editor has it\nread line\n")
    editor.chmod(0o755)
    endless = tmp_path / "home/workspace" / EXERCISE
    endless.mkdir(parents=True)
    (endless / "lru_cache.py").write_text("import time\nwhile True: time.sleep(0.1)\n")
    found = Terminal(tmp_path / "home", editor)
    yield found
    for process in found.processes():
        with contextlib.suppress(psutil.Error):
            process.kill()
    found.program.wait()
    for end in (found.ours, found.theirs):
        if end >= 0:
            os.close(end)


def open_exercise(terminal: Terminal) -> None:
    terminal.sees("Welcome")
    terminal.press("n")
    terminal.sees("Why it matters")


ENDS = {
    "SIGTERM": lambda t: t.program.send_signal(signal.SIGTERM),
    "SIGHUP": lambda t: t.program.send_signal(signal.SIGHUP),
    "a closed terminal": lambda t: t.close(),
    "a lost line": lambda t: (t.close(), t.program.send_signal(signal.SIGHUP)),
    "keys": lambda t: t.press("\x03"),
}


@pytest.mark.parametrize("how", ENDS)
def test_ended_in_the_middle_of_a_check_it_leaves_nothing(terminal: Terminal, how: str) -> None:
    open_exercise(terminal)
    terminal.press("c")
    terminal.sees("running")
    ENDS[how](terminal)
    if terminal.ours >= 0:
        terminal.is_left_clean()
    terminal.nothing_runs()
    assert queries.attempts(EXERCISE, path=terminal.home / "progress.db") == ()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "a closed terminal"])
def test_ended_while_an_editor_has_the_terminal_the_editor_ends_too(terminal: Terminal, how: str) -> None:
    open_exercise(terminal)
    terminal.press("e")
    terminal.sees("the editor has it")
    ENDS[how](terminal)
    if terminal.ours >= 0:
        terminal.is_left_clean()
    terminal.nothing_runs()


def test_an_editor_that_does_not_listen_is_ended_after_a_while(terminal: Terminal) -> None:
    (terminal.home.parent / "editor").write_text(
        "#!/bin/sh\ntrap '' TERM HUP\necho the editor has it\nwhile :; do read line; done\n"
    )
    open_exercise(terminal)
    terminal.press("e")
    terminal.sees("the editor has it")
    terminal.program.send_signal(signal.SIGTERM)
    terminal.is_left_clean()
    terminal.nothing_runs()


def test_ended_before_the_first_screen_it_leaves_nothing(terminal: Terminal) -> None:
    terminal.until(lambda: b"\x1b[?1049h" in terminal.said, "the first mode that is switched on")
    terminal.program.send_signal(signal.SIGTERM)
    terminal.is_left_clean()
    terminal.nothing_runs()
