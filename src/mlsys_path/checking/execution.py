"""Runs one program in the sandbox: to its end, or as a session that is asked and timed."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlsys_path.checking.bench import Bench
from mlsys_path.checking.box import MAX_ANSWER, Box, Ended
from mlsys_path.checking.failures import CheckFailed, LearnerDied
from mlsys_path.checking.show import clean
from mlsys_path.language import _


@dataclass(frozen=True)
class Completed:
    """A program that has ended; `returncode` is negative for a signal, as in `subprocess`."""

    stdout: bytes
    stderr: bytes
    returncode: int
    seconds: float
    cpu_seconds: float = 0.0
    peak_kb: int = 0


class Session:
    """A running program that answers what it is sent; the clock is the checker's."""

    def __init__(
        self, box: Box, argv: Sequence[str], env: Mapping[str, str], data_limit: bool, bench: Bench
    ) -> None:
        self._box = box
        self._bench = bench
        stdin_read, self._stdin = os.pipe()
        self._stdout, stdout_write = os.pipe()
        self._stderr, stderr_write = os.pipe()
        for fd in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(fd, False)
        try:
            self._job = box.execute(
                argv, (stdin_read, stdout_write, stderr_write), env, data_limit=data_limit
            )
        finally:
            for fd in (stdin_read, stdout_write, stderr_write):
                os.close(fd)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program."""
        for fd in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._box.kill(self._job)

    def ask(self, data: bytes, *, read: int | None = None) -> tuple[bytes, float]:
        """Send bytes; the answer, one line or `read` bytes, and the seconds until all of it was here."""
        calls = self._bench.calls
        calls.add("ask", [data], {})
        if select.select([self._stdout], [], [], 0)[0] and os.read(self._stdout, 1):
            raise CheckFailed(_("The program answered before it was asked"))
        answer = bytearray()
        pending = memoryview(data)
        began = time.perf_counter()
        while (len(answer) < read) if read is not None else (not answer.endswith(b"\n")):
            remaining = self._box.deadline - time.monotonic()
            if remaining <= 0:
                self._box.kill(self._job)
                raise self._box.over(calls.last)
            writing = [self._stdin] if pending else []
            readable, writable, _x = select.select([self._stdout, self._stderr], writing, [], remaining)
            if writable:
                with contextlib.suppress(BrokenPipeError, BlockingIOError):
                    pending = pending[os.write(self._stdin, pending[: 1 << 16]) :]
            if self._stderr in readable and (text := os.read(self._stderr, 1 << 16)):
                self._bench.output.add(text)
            if self._stdout in readable:
                part = os.read(self._stdout, 1 << 20)
                if not part:
                    raise self._box.died(self._job, calls.last)
                answer += part
                if len(answer) > MAX_ANSWER:
                    raise CheckFailed(_("The program printed more than {mb} MB").format(mb=MAX_ANSWER >> 20))
        seconds = time.perf_counter() - began
        calls.returned(bytes(answer[:2000]))
        return bytes(answer), seconds


def demand_success(bench: Bench, done: Completed) -> None:
    """Raise for a program that a signal has ended, or that ended with an exit code other than 0."""
    if done.returncode < 0 or done.returncode >= 128:
        # a shell, mpirun and qemu report a child's signal as 128 + its number
        number = done.returncode if done.returncode < 0 else 128 - done.returncode
        raise LearnerDied.of(number, "", bench.calls.last, bench.exercise.limits)
    if done.returncode != 0:
        words = clean(done.stderr.decode("utf-8", "replace").strip()[-600:])
        message = _("The program ended with exit code {code}").format(code=done.returncode)
        raise CheckFailed(f"{message}\n{words}" if words else message)


def execute(
    box: Box,
    argv: Sequence[str],
    stdin: bytes,
    env: Mapping[str, str],
    timeout: float | None,
    *,
    data_limit: bool,
    doing: str = "",
) -> Completed:
    """Run a program in a sandbox to its end; raises RunOver, LearnerDied at a limit, CheckFailed past `timeout`."""
    stdin_read, stdin_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    began = time.perf_counter()
    try:
        job = box.execute(argv, (stdin_read, out_write, err_write), env, data_limit=data_limit)
    finally:
        for fd in (stdin_read, out_write, err_write):
            os.close(fd)
    until = min(box.deadline, time.monotonic() + timeout if timeout else box.deadline)
    streams = {out_read: bytearray(), err_read: bytearray()}
    try:
        ended = _transfer(box, job, stdin_write, stdin, streams, until)
    finally:
        for fd in (stdin_write, out_read, err_read):
            with contextlib.suppress(OSError):
                os.close(fd)
    seconds = time.perf_counter() - began
    if ended is None:
        box.kill(job)
        if time.monotonic() >= box.deadline:
            raise box.over(doing)
        limit = _("The program was not done within {seconds:g} s").format(seconds=timeout)
        raise CheckFailed(f"{limit}: {doing}" if doing else limit)
    if ended.reason:
        raise LearnerDied.of(ended.status, ended.reason, doing, box.limits)
    return Completed(
        bytes(streams[out_read]), bytes(streams[err_read]), ended.status, seconds, ended.cpu, ended.peak_kb
    )


def _transfer(
    box: Box, job: int, stdin_fd: int, stdin: bytes, streams: dict[int, bytearray], until: float
) -> Ended | None:
    """Feed stdin and collect both outputs until the program has ended; None when time ran out."""
    pending = memoryview(stdin)
    stdin_open = True
    for fd in (stdin_fd, *streams):
        os.set_blocking(fd, False)
    reading = set(streams)
    while True:
        if stdin_open and not pending:
            os.close(stdin_fd)
            stdin_open = False
        ended = box.ended(job)
        remaining = until - time.monotonic()
        if remaining <= 0 and ended is None:
            return None
        # once it has ended, take what is there: a descendant may hold the pipes open for ever
        watched: list[Any] = [*reading, box.control]
        ready, writable, _x = select.select(
            watched, [stdin_fd] if stdin_open else [], [], 0 if ended else min(remaining, 3600)
        )
        if writable:
            try:
                pending = pending[os.write(stdin_fd, pending[: 1 << 16]) :]
            except BrokenPipeError:
                pending = memoryview(b"")
        for fd in reading & set(ready):
            part = os.read(fd, 1 << 18)
            if not part:
                reading.discard(fd)
            streams[fd] += part
            if len(streams[fd]) > MAX_ANSWER:
                box.kill(job)
                raise CheckFailed(_("The program printed more than {mb} MB").format(mb=MAX_ANSWER >> 20))
        if ended and not (reading & set(ready)):
            return ended
