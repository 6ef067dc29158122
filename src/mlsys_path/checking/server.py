"""The checker's warm parent: imports what checks import, keeps sandboxes warm, and forks a checker per run.

Started by the app as `python -m mlsys_path.checking.server FD CONFIG`. It ends when the app's end of its
channel closes, however the app ended, and takes everything with it.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys_path import language, locations
from mlsys_path.checking import codec, sandbox
from mlsys_path.checking.codec import exercise_from_document, to_document
from mlsys_path.checking.events import CheckEvent
from mlsys_path.checking.sandbox import Profile, Sandbox
from mlsys_path.checking.worker import wire
from mlsys_path.checking.worker.wire import Channel, ChannelClosed

_PR_SET_PDEATHSIG = 1


@dataclass
class Warm:
    """A sandbox that is ready to be used or in use."""

    sandbox: Sandbox
    profile: Profile
    ready: bool = False  # has been waited for by an earlier run


@dataclass
class Forked:
    """A forked checker and the sandboxes that it holds."""

    pid: int
    held: list[Warm]
    report: int  # a pipe on which the checker says at its end which sandboxes it has used


@dataclass
class Ahead:
    """A forked checker that has collected the checks of the last request, in case the same are asked for again."""

    forked: Forked
    plan: object
    start: Channel  # takes the files, and the socket of the events


class Server:
    """Serves one app."""

    def __init__(self, channel: Channel, profiles: list[Profile]) -> None:
        self.channel = channel
        self.idle: list[Warm] = []
        self.running: dict[int, Forked] = {}
        self.ahead: Ahead | None = None
        self.last: dict[str, Any] | None = None  # the last request
        self.repeated = False  # it was that before it, too: somebody saves and checks, again and again
        self.wake, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.wake_write = write
        # sandboxes warm up beside our own imports
        for profile in profiles:
            self.idle.append(Warm(sandbox.start(profile), profile))

    def serve(self) -> None:
        """Answer until the app closes the channel, then end everything."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        try:
            with contextlib.suppress(ChannelClosed):
                while True:
                    watched: list[Any] = [self.channel, self.wake]
                    ready, _, _ = select.select(watched, [], [])
                    if self.wake in ready:
                        with contextlib.suppress(BlockingIOError):
                            os.read(self.wake, 4096)
                        self.reap()
                    if self.channel in ready:
                        request, _, fds = self.channel.receive()
                        self.handle(request, fds)
        finally:
            if self.ahead is not None:
                self.drop(self.ahead)
            for running in self.running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(running.pid, signal.SIGKILL)
                for warm in running.held:
                    warm.sandbox.kill()
            for warm in self.idle:
                warm.sandbox.kill()

    def handle(self, request: dict[str, Any], fds: list[int]) -> None:
        """Start a run, or end one that is over or no longer wanted."""
        match request["op"]:
            case "check":
                self.check(request, fds[0])
                os.close(fds[0])
            case "end":
                if running := self.running.get(request["run"]):
                    if request["kill"]:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(running.pid, signal.SIGKILL)
                    # it has nothing more to do: its sandboxes are free before the next run asks for them
                    with contextlib.suppress(ChildProcessError):
                        _, status = os.waitpid(running.pid, 0)
                        self.take_back(request["run"], status)
                        self.run_ahead()

    def take(self, profile: Profile) -> Warm:
        """An idle sandbox of a profile, or a new one."""
        for warm in self.idle:
            if warm.profile == profile and warm.sandbox.process.poll() is None:
                self.idle.remove(warm)
                return warm
        return Warm(sandbox.start(profile), profile)

    def check(self, request: dict[str, Any], events: int) -> None:
        """Give a run to the checker that is ahead, or fork one for it."""
        ahead, self.ahead = self.ahead, None
        plan = _plan(request)
        if ahead is not None and ahead.plan == plan:
            with contextlib.suppress(ChannelClosed):
                ahead.start.send({"files": request["files"]}, fds=(events,))
            ahead.start.close()
            forked = ahead.forked
        else:
            if ahead is not None:
                self.drop(ahead)
            forked = self.fork(request, events)
        self.running[request["run"]] = forked
        self.repeated = self.last is not None and _plan(self.last) == plan
        self.last = request

    def run_ahead(self) -> None:
        """Let a checker collect the checks of a request that may well come again."""
        if self.repeated and self.last is not None and not self.running and self.ahead is None:
            ours, theirs = socket.socketpair()
            with theirs:
                plan = _plan(self.last)
                self.ahead = Ahead(self.fork(self.last, -1, theirs), plan, Channel(ours))

    def drop(self, ahead: Ahead) -> None:
        """End a checker that ran ahead for nothing; it has not touched its sandboxes."""
        ahead.start.close()
        os.close(ahead.forked.report)
        with contextlib.suppress(ProcessLookupError):
            os.kill(ahead.forked.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(ahead.forked.pid, 0)
        self.idle += ahead.forked.held

    def fork(self, request: dict[str, Any], events: int, start: socket.socket | None = None) -> Forked:
        """Fork a checker; one with a `start` waits there for the files and the socket of the events."""
        held = [self.take(_profile(p)) for p in request["profiles"]]
        report, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                self.channel.close()
                code = _run(request, events, start, held, write)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(write)
        return Forked(pid, held, report)

    def reap(self) -> None:
        """Notice checkers that have ended by themselves."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for number in [n for n, running in self.running.items() if running.pid == pid]:
                self.take_back(number, status)

    def take_back(self, number: int, status: int) -> None:
        """Keep the sandboxes of an ended checker that are clean, and replace the others."""
        running = self.running.pop(number)
        clean = os.waitstatus_to_exitcode(status) == 0
        used = os.read(running.report, 64)
        os.close(running.report)
        for index, warm in enumerate(running.held):
            if clean and warm.sandbox.process.poll() is None:
                warm.ready = warm.ready or index in used
                self.idle.append(warm)
            else:
                warm.sandbox.kill()
                self.idle.append(Warm(sandbox.start(warm.profile), warm.profile))


def _profile(document: dict[str, Any]) -> Profile:
    environment = tuple((name, value) for name, value in document["environment"])
    return Profile(tuple(document["preload"]), environment, document["gpu"])


def _plan(request: dict[str, Any]) -> object:
    """All that a checker does before it asks for the files depends on this."""
    checks = Path(request["folder"]) / "checks"
    stats = [(str(p), s.st_mtime_ns, s.st_size) for p in sorted(checks.rglob("*")) if (s := p.stat())]
    return {name: value for name, value in request.items() if name not in ("run", "files")}, stats


def _run(
    request: dict[str, Any], events: int, start: socket.socket | None, held: list[Warm], report: int
) -> int:
    """In the forked checker: run the job; 0 when all sandboxes may be used again.

    The numbers of those that were used, and so waited for, are written to `report`.
    """
    from mlsys_path.checking.run import Job, run

    language.use(request["language"])
    # a run is short: looking for cycles at the usual pace takes a twentieth of it
    gc.set_threshold(100_000)

    def files() -> dict[str, bytes]:
        nonlocal events
        sent = request["files"]
        if start is not None:
            document, _, (events,) = Channel(start).receive()
            sent = document["files"]
        return {name: base64.b64decode(data) for name, data in sent.items()}

    def emit(event: CheckEvent) -> None:
        line = json.dumps(to_document(event)).encode() + b"\n"
        while line:
            line = line[os.write(events, line) :]

    job = Job(
        exercise=exercise_from_document(request["exercise"]),
        folder=Path(request["folder"]),
        files=files,
        selected=tuple(request["selected"]),
        ahead=start is not None,
    )
    sandboxes = {warm.profile: warm.sandbox for warm in held}
    ready = frozenset(warm.profile for warm in held if warm.ready)
    clean, used = run(job, sandboxes, ready, emit)
    os.write(report, bytes(number for number, warm in enumerate(held) if warm.profile in used))
    return 0 if clean else 1


def warm_up(preload: list[str]) -> None:
    """Import what checks import, and run pytest once, so that forks find its lazy imports done."""
    for name in ["pytest", "hypothesis", "hypothesis.strategies", "hypothesis.stateful", "mlsys_path.checking.run",
                 "mlsys_path.checking.testing", "mlsys_path.checking.learner", "mlsys_path.checking.native",
                 *preload]:  # fmt: skip
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from mlsys_path.checking.run import configure_hypothesis, run_pytest

    codec.prepare()
    wire.warm_up()
    configure_hypothesis()
    run_pytest(Path(__file__).with_name("throwaway"), [])
    gc.collect()
    gc.freeze()


def main() -> None:
    """Become the warm parent."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # as in the sandboxes: the first GPU is the same one for all
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    # hypothesis keeps what it learnt of the checks' constants; it belongs into no folder of ours
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(locations.cache_dir() / "hypothesis")
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = json.loads(sys.argv[2])
    server = Server(
        Channel(socket.socket(fileno=int(sys.argv[1]))), [_profile(p) for p in config["profiles"]]
    )
    warm_up(config["preload"])
    server.serve()


if __name__ == "__main__":
    main()
