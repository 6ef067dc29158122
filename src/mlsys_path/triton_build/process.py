"""Runs a command of a step: its lines go to the log and to whoever listens, and nothing of it outlives the build."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys_path.triton_build import keeper

_TAIL_LINES = 60
_LONGEST_LINE = 1 << 20
_END_SECONDS = 15.0  # for the keeper to end what it keeps


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it took; `peak_mb` is of its largest single process."""

    command: tuple[str, ...]
    exit: int | None = None  # None: ended by `signal`, or never started
    signal: int = 0
    error: str = ""  # why it could not be started
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: int = 0
    oom_kills: int = 0  # processes that the kernel ended for want of memory meanwhile
    stalled: bool = False  # it was ended, as it said nothing and did nothing for too long
    tail: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked to."""
        return self.exit == 0


class CommandFailed(Exception):
    """A command of a step has failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.command[0]}: exit {outcome.exit}, signal {outcome.signal}")
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Stall:
    """When a command counts as stalled: `seconds` without a line, while `size` (bytes that came) does not grow."""

    seconds: float
    size: Callable[[], int]


async def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    heard: Callable[[str], None] = lambda line: None,
    stall: Stall | None = None,
    lock: int | None = None,
) -> Outcome:
    """Run a command to its end; cancelling ends it with all that it started, before this returns.

    `lock` is a descriptor that the keeper holds as long as anything of the command lives.
    """
    words = tuple(str(word) for word in command)
    reading, writing = os.pipe()
    keeper_file = Path(keeper.__file__)
    passed = [writing, *([lock] if lock is not None else [])]
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(keeper_file), str(writing), *words,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            cwd=folder, env=dict(environment), pass_fds=passed, start_new_session=True, limit=_LONGEST_LINE,
        )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    listener = _Listener(process, log, tail, heard)
    try:
        stalled = await _until_end(listener, stall)
    finally:
        told = await _let_go(process, reading)
    return Outcome(words, stalled=stalled, tail=tuple(tail), **told)


async def _until_end(listener: _Listener, stall: Stall | None) -> bool:
    """Listen until the command has ended; True when it was given up as stalled."""
    if stall is None:
        await listener.listen()
        return False
    listening = asyncio.create_task(listener.listen())
    try:
        size = stall.size()
        while not listening.done():
            await asyncio.wait([listening], timeout=min(1.0, stall.seconds / 4))
            if (now := stall.size()) != size:
                size, listener.last = now, time.monotonic()
            if time.monotonic() - listener.last > stall.seconds:
                return True
        await listening
        return False
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


class _Listener:
    """Reads the lines of a command, also those that are far too long and those that end in carriage returns."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        log: Path,
        tail: deque[str],
        heard: Callable[[str], None],
    ) -> None:
        self._process, self._log, self._tail, self._heard = process, log, tail, heard
        self.last = time.monotonic()

    async def listen(self) -> None:
        """Read until the command has closed its output."""
        assert self._process.stdout is not None
        self._log.parent.mkdir(parents=True, exist_ok=True)
        rest = b""
        with self._log.open("ab") as log:
            while piece := await self._process.stdout.read(1 << 16):
                self.last = time.monotonic()
                log.write(piece)
                log.flush()
                # git and pip redraw a line by carriage returns
                *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
                for line in lines:
                    self._take(line)
                if len(rest) > _LONGEST_LINE:
                    self._take(rest)
                    rest = b""
            if rest:
                self._take(rest)

    def _take(self, line: bytes) -> None:
        if text := line[:_LONGEST_LINE].decode(errors="replace").rstrip():
            self._tail.append(text)
            self._heard(text)


async def _let_go(process: asyncio.subprocess.Process, reading: int) -> dict[str, Any]:
    """Close the keeper's input, which ends what still runs, and take what it has to tell."""
    try:
        assert process.stdin is not None
        process.stdin.close()
        # shielded: a second Ctrl-C must not leave children behind
        await asyncio.shield(_ended(process))
        return _told(os.read(reading, 1 << 16))
    finally:
        os.close(reading)


async def _ended(process: asyncio.subprocess.Process) -> None:
    drain = asyncio.create_task(_drain(process))
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
    finally:
        drain.cancel()


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Nothing may wait for this process to read its last words."""
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass


def _told(message: bytes) -> dict[str, Any]:
    if not message:
        return {}  # cancelled, or the keeper itself was killed
    told = json.loads(message)
    if "error" in told:
        return {"error": told["error"]}
    return {key: told[key] for key in ("exit", "signal", "seconds", "cpu_seconds", "peak_mb", "oom_kills")}
