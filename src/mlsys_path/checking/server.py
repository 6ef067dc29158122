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
class Running:
    """A forked checker and the sandboxes that it holds."""

    number: int
    pid: int
    held: list[Warm]
    report: int  # a pipe on which the checker says at its end which sandboxes it has used


class Server:
    """Serves one app."""

    def __init__(self, channel: Channel, profiles: list[Profile]) -> None:
        self.channel = channel
        self.idle: list[Warm] = []
        self.running: dict[int, Running] = {}
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
            for running in list(self.running.values()):
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
                        self.take_back(running, status)

    def take(self, profile: Profile) -> Warm:
        """An idle sandbox of a profile, or a new one."""
        for warm in self.idle:
            if warm.profile == profile and warm.sandbox.process.poll() is None:
                self.idle.remove(warm)
                return warm
        return Warm(sandbox.start(profile), profile)

    def check(self, request: dict[str, Any], events: int) -> None:
        """Fork a checker for one run."""
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
                code = _run(request, events, held, write)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(write)
        self.running[request["run"]] = Running(request["run"], pid, held, report)

    def reap(self) -> None:
        """Notice checkers that have ended by themselves."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for running in [r for r in self.running.values() if r.pid == pid]:
                self.take_back(running, status)

    def take_back(self, running: Running, status: int) -> None:
        """Keep the sandboxes of an ended checker that are clean, and replace the others."""
        del self.running[running.number]
        clean = os.waitstatus_to_exitcode(status) == 0
        used = os.read(running.report, 64)
        os.close(running.report)
        for number, warm in enumerate(running.held):
            if clean and warm.sandbox.process.poll() is None:
                warm.ready = warm.ready or number in used
                self.idle.append(warm)
            else:
                warm.sandbox.kill()
                self.idle.append(Warm(sandbox.start(warm.profile), warm.profile))


def _profile(document: dict[str, Any]) -> Profile:
    environment = tuple((name, value) for name, value in document["environment"])
    return Profile(tuple(document["preload"]), environment, document["gpu"])


def _run(request: dict[str, Any], events: int, held: list[Warm], report: int) -> int:
    """In the forked checker: run the job; 0 when all sandboxes may be used again.

    The numbers of those that were used, and so waited for, are written to `report`.
    """
    from mlsys_path.checking.run import Job, run

    language.use(request["language"])
    # a run is short: looking for cycles at the usual pace takes a twentieth of it
    gc.set_threshold(100_000)
    sink = socket.socket(fileno=events)

    def emit(event: CheckEvent) -> None:
        sink.sendall(json.dumps(to_document(event)).encode() + b"\n")

    job = Job(
        exercise=exercise_from_document(request["exercise"]),
        folder=Path(request["folder"]),
        files={name: base64.b64decode(data) for name, data in request["files"].items()},
        selected=tuple(request["selected"]),
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
