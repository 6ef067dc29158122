"""`check --watch`: every save is checked, the newest wins, Ctrl-C ends it and leaves nothing."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlsys_path.progress import queries

RIGHT = "def add_one(number):\n    return number + 1\n"
WRONG = "def add_one(number):\n    return number\n"
ENDLESS = "def add_one(number):\n    while True:\n        pass\n"
SECONDS = 60
END = "\0"


class Watching:
    """A running watch, and the lines that it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(END)

    def until(self, words: str) -> str:
        """Everything up to the line that holds these words."""
        seen = ""
        while words not in seen:
            line = self.lines.get(timeout=SECONDS)
            if line == END:
                pytest.fail(f"{words!r} never came; what came was:\n{seen}{self.process.communicate()[1]}")
            seen += line
        return seen


@pytest.fixture
def watching(spawn, solve) -> Iterator[tuple[Watching, Path]]:
    """A watch of add-one, and the learner's file."""
    folder = solve("add-one", "wrong/identity")
    yield Watching(spawn("check", "add-one", "--watch")), folder / "add_one.py"


def save(file: Path, text: str) -> None:
    """As editors save: a new file in the place of the old one."""
    temporary = file.with_name(".add_one.py.swp")
    temporary.write_text(text)
    temporary.replace(file)


def test_every_save_is_checked(watching: tuple[Watching, Path]):
    watch, file = watching
    assert "✗ failed  Right for zero" in watch.until("watching")
    save(file, RIGHT)
    assert "✓ add-one: passed" in watch.until("watching")
    save(file, WRONG)
    assert "✗ add-one: failed" in watch.until("watching")
    assert queries.statuses()["add-one"].attempts == 3


def test_a_save_during_a_check_cancels_it_and_checks_the_newer_files(watching: tuple[Watching, Path]):
    watch, file = watching
    watch.until("watching")
    save(file, ENDLESS)
    # the head of the next run
    watch.until("add-one  Add 1")
    save(file, RIGHT)
    seen = watch.until("watching")
    assert "this run is cancelled" in seen
    assert "✓ add-one: passed" in seen
    assert [a.verdict for a in queries.attempts("add-one")] == ["passed", "failed"]


def test_a_file_that_goes_and_comes_back(watching: tuple[Watching, Path]):
    watch, file = watching
    watch.until("watching")
    file.unlink()
    watch.until("watching")
    save(file, RIGHT)
    assert "✓ add-one: passed" in watch.until("watching")


def test_a_reset_is_a_save(watching: tuple[Watching, Path], invoke: Callable[..., object]):
    watch, file = watching
    watch.until("watching")
    invoke("reset", "add-one")
    assert "write add_one()" in watch.until("watching")
    save(file, RIGHT)
    assert "✓ add-one: passed" in watch.until("watching")


@pytest.mark.parametrize("when", ["idle", "checking"])
def test_ctrl_c_ends_the_watch_and_all_its_processes(watching: tuple[Watching, Path], when: str):
    watch, file = watching
    watch.until("watching")
    if when == "checking":
        save(file, ENDLESS)
        watch.until("add-one  Add 1")
    children = psutil.Process(watch.process.pid).children(recursive=True)
    assert children
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(SECONDS) == 130
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert watch.process.stderr is not None
    assert watch.process.stderr.read().strip() == ""
    assert queries.statuses()["add-one"].attempts == 1
