"""The checker's end of a sandbox: starts jobs, waits for them, collects what they print, and ends them all."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsys_path.checking.failures import LearnerDied, RunOver
from mlsys_path.checking.sandbox import Sandbox
from mlsys_path.checking.worker.wire import Channel, ProtocolError, Timeout
from mlsys_path.roadmap.model import Limits

KEPT = 64 << 10  # bytes kept of the beginning and of the end of an output
MAX_ANSWER = 64 << 20  # bytes of a program's stdout that a check may look at
OPEN_FILES = 512
FILE_MB = 256
GRACE_SECONDS = 1.0


@dataclass
class Output:
    """A stream of output of which the first and the last part are kept."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def add(self, data: bytes) -> None:
        """Append what was printed."""
        room = KEPT - len(self.head)
        self.head += data[:room]
        self.tail += data[room:] if room > 0 else data
        if len(self.tail) > 2 * KEPT:
            self.dropped += len(self.tail) - KEPT
            del self.tail[:-KEPT]

    def text(self) -> str:
        """What was kept, with a line that says how much was left out."""
        excess = max(0, len(self.tail) - KEPT)
        dropped, tail = self.dropped + excess, bytes(self.tail[excess:])
        middle = f"\n[… {dropped} bytes left out …]\n".encode() if dropped else b""
        return (bytes(self.head) + middle + tail).decode("utf-8", "replace")

    def clear(self) -> None:
        """Forget everything: a new check begins."""
        self.head.clear()
        self.tail.clear()
        self.dropped = 0


@dataclass(frozen=True)
class Ended:
    """How a job's first process ended: its exit status (negative: the signal) and its use of the machine."""

    status: int
    reason: str
    cpu: float
    peak_kb: int


class Box:
    """One run's use of one sandbox."""

    def __init__(self, sandbox: Sandbox, limits: Limits, output: Output) -> None:
        self.sandbox = sandbox
        self.limits = limits
        self.output = output
        self.control = Channel(sandbox.control)
        self.deadline = float("inf")
        self._ended: dict[int, Ended] = {}
        self._unacknowledged: deque[str] = deque()
        self._next_job = 1
        self._begun = False
        self.run_over: RunOver | None = None

    # -- the sandbox

    def begin(self, files: Mapping[str, bytes]) -> None:
        """Wait until the parent is warm, set the limits and write the files."""
        if not self._begun:
            # the imports of a cold parent are ours to wait for, and no part of the learner's time
            if "ready" not in self._receive(time.monotonic() + 120):
                raise ProtocolError("the sandbox did not say that it is ready")
            self._begun = True
        self._post({"op": "begin", "limits": self._limits()})
        self.write(files)

    def adopt(self) -> None:
        """The parent has said that it is ready to an earlier run."""
        self._begun = True

    def _limits(self) -> dict[str, Any]:
        return {
            "seconds": self.limits.seconds,
            "memory_mb": self.limits.memory_mb,
            "processes": self.limits.processes,
            "file_mb": FILE_MB,
            "open_files": OPEN_FILES,
            # threads count too; only from Linux 5.14 on is the count that of the sandbox alone
            "count_threads": 64 + 4 * (os.cpu_count() or 1)
            if self.sandbox.kind == "bubblewrap" and _counts_per_sandbox()
            else 0,
        }

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files into the work folder."""
        self._post(
            {"op": "write", "files": {name: base64.b64encode(data).decode() for name, data in files.items()}}
        )

    def read(self, name: str) -> bytes:
        """Read a file of the work folder; raises OSError when there is none."""
        self.control.send({"op": "read", "name": name})
        reply, blob = self._reply()
        if "error" in reply:
            raise OSError(reply["error"])
        return blob

    def end(self) -> bool:
        """Kill every process and empty every folder; True when nothing had been left behind."""
        try:
            self.control.send({"op": "end"})
            return self._reply(time.monotonic() + 6)[0].get("clean") is True
        except (ProtocolError, Timeout):
            return False

    # -- jobs

    def fork(
        self, fds: tuple[int, int, int], env: Mapping[str, str], device: str | None, *, data_limit: bool
    ) -> int:
        """Fork a worker; the three descriptors are its channel, its stdout and its stderr."""
        return self._start(
            {"op": "worker", "env": dict(env), "device": device, "data_limit": data_limit}, fds
        )

    def execute(
        self,
        argv: Sequence[str],
        fds: tuple[int, int, int],
        env: Mapping[str, str],
        *,
        data_limit: bool,
        cwd: str = ".",
    ) -> int:
        """Start a program; the three descriptors are its stdin, stdout and stderr."""
        return self._start(
            {"op": "exec", "argv": list(argv), "env": dict(env), "cwd": cwd, "data_limit": data_limit}, fds
        )

    def _start(self, request: dict[str, Any], fds: tuple[int, int, int]) -> int:
        job, self._next_job = self._next_job, self._next_job + 1
        if self.deadline == float("inf"):
            self.deadline = time.monotonic() + self.limits.seconds
        self._post({**request, "job": job}, fds)
        return job

    def kill(self, job: int) -> None:
        """Kill a job's processes."""
        self._post({"op": "kill", "job": job})

    def ended(self, job: int) -> Ended | None:
        """How a job ended, when it has."""
        while select.select([self.control], [], [], 0)[0]:
            self._note(self._receive(time.monotonic() + 5))
        return self._ended.get(job)

    def wait(self, job: int, deadline: float) -> Ended | None:
        """Wait for a job's end until a time of the monotonic clock."""
        while (ended := self._ended.get(job)) is None:
            try:
                self._note(self._receive(deadline))
            except Timeout:
                return None
        return ended

    def pump(self, wanted: Any, streams: Mapping[int, Output], job: int, deadline: float) -> bool:
        """Wait until `wanted` can be read, and keep what the streams print meanwhile.

        Returns False when the job ended and `wanted` stays silent; raises Timeout at the deadline.
        """
        open_streams = dict(streams)
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise Timeout
            over = job in self._ended
            ready, _, _ = select.select(
                [wanted, self.control, *open_streams], [], [], 0 if over else min(remaining, 3600)
            )
            for fd in [fd for fd in ready if fd in open_streams]:
                data = os.read(fd, 1 << 16)
                if data:
                    open_streams[fd].add(data)
                else:
                    del open_streams[fd]
            if wanted in ready:
                return True
            if self.control in ready:
                self._note(self._receive(deadline))
            if over and not ready:
                return False

    def over(self, what: str) -> RunOver:
        """The exception for a run that has used up its time."""
        self.run_over = self.run_over or RunOver(what, self.limits.seconds)
        return self.run_over

    def died(self, job: int, doing: str) -> LearnerDied:
        """The exception for a job that ended by itself while something was expected of it."""
        ended = self.wait(job, time.monotonic() + GRACE_SECONDS)
        return LearnerDied.of(
            ended.status if ended else None, ended.reason if ended else "", doing, self.limits
        )

    # -- messages

    def _post(self, request: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """Send a request whose acknowledgement is read with whatever comes next: nobody waits for it."""
        self.control.send(request, fds=fds)
        self._unacknowledged.append(request["op"])

    def _reply(self, deadline: float | None = None) -> tuple[dict[str, Any], bytes]:
        deadline = deadline or time.monotonic() + 10
        while True:
            try:
                reply, blob, fds = self.control.receive(deadline)
            except Timeout as error:
                raise ProtocolError("the sandbox does not answer") from error
            for fd in fds:
                os.close(fd)
            if not isinstance(reply, dict):
                raise ProtocolError("the sandbox sent no object")
            if "ended" not in reply and not self._unacknowledged:
                return reply, blob
            self._note(reply)

    def _receive(self, deadline: float) -> dict[str, Any]:
        reply, _, fds = self.control.receive(deadline)
        for fd in fds:
            os.close(fd)
        if not isinstance(reply, dict):
            raise ProtocolError("the sandbox sent no object")
        return reply

    def _note(self, message: dict[str, Any]) -> None:
        if "ended" not in message and self._unacknowledged:
            operation = self._unacknowledged.popleft()
            if message.get("ok") is not True:
                raise ProtocolError(f"the sandbox refused {operation!r}: {str(message.get('error'))[:200]}")
            return
        try:
            self._ended[int(message["ended"])] = Ended(
                int(message["status"]),
                str(message["reason"])[:40],
                float(message["cpu"]),
                int(message["peak_kb"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError("the sandbox sent an unexpected message") from error


def _counts_per_sandbox() -> bool:
    with contextlib.suppress(ValueError):
        major, minor = os.uname().release.split(".")[:2]
        return (int(major), int(minor)) >= (5, 14)
    return False
