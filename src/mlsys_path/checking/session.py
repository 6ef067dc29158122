"""The app's side of checking: asks warm parents for runs and passes on their events."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlsys_path import language, locations
from mlsys_path.checking import sandbox
from mlsys_path.checking.codec import from_document
from mlsys_path.checking.events import CheckEvent, Declared, Finished, Started
from mlsys_path.checking.languages import ADAPTERS
from mlsys_path.checking.sandbox import Profile
from mlsys_path.checking.worker.wire import Channel, ChannelClosed
from mlsys_path.language import _
from mlsys_path.levels import Level
from mlsys_path.roadmap.model import Exercise

WARM_SECONDS = 120.0  # a cold parent on a busy machine imports torch in this time
GRACE_SECONDS = 15.0
MAX_PARENTS = 3  # idle warm parents are some hundred MB each
MAX_EVENT = 32 << 20


@dataclass(frozen=True)
class CheckRequest:
    """A run to be made: an exercise, the learner's files, and why some of its levels cannot be checked here."""

    exercise: Exercise
    folder: Path
    files: Mapping[str, bytes]
    open_levels: Mapping[Level, str] = field(default_factory=dict)
    only: frozenset[Level] | None = None  # run checks of these levels only; others are open
    machine: str = ""

    def declared(self) -> tuple[Declared, ...]:
        """Every declared check, with why it is not run."""
        return tuple(
            Declared(name, check.level, self._open_because(check.level))
            for name, check in self.exercise.checks.items()
        )

    def _open_because(self, level: Level) -> str:
        if self.only is not None and level not in self.only:
            return _("not asked for")
        adapter = ADAPTERS[self.exercise.language]
        if adapter.own_network and sandbox.kind() != "bubblewrap":
            return _("needs a sandbox with a network of its own: install bubblewrap")
        if adapter.profile(self.exercise, level).gpu and sandbox.kind() == "landlock":
            return _("the GPU's driver does not work under Landlock: install bubblewrap")
        return self.open_levels.get(level, "")


@dataclass
class _Parent:
    """A warm parent process, of which each serves the exercises that import the same."""

    process: subprocess.Popen[bytes]
    channel: Channel
    busy: int = 0

    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """Let it end by itself, which cleans up; then make sure."""
        self.channel.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Checker:
    """Runs checks; keeps a bounded number of warm parents until it is closed."""

    def __init__(self, *, max_parents: int = MAX_PARENTS) -> None:
        self._parents: dict[tuple[Any, ...], _Parent] = {}
        self._closing: list[threading.Thread] = []
        self._numbers = itertools.count(1)
        self._max_parents = max_parents

    async def check(self, request: CheckRequest) -> AsyncIterator[CheckEvent]:
        """The events of one run, ending with Finished unless the checker broke.

        Closing the iterator cancels the run and leaves no process of it behind.
        """
        declared = request.declared()
        selected = [c.name for c in declared if not c.open_because]
        yield Started(request.exercise.id, declared, sandbox.kind(), request.machine)
        if not selected:
            yield Finished(0.0)
            return
        events, theirs = socket.socketpair()
        number = next(self._numbers)
        parent = None
        try:
            parent = self._start(number, request, selected, theirs)
        finally:
            theirs.close()
        parent.busy += 1
        reader, writer = await asyncio.open_unix_connection(sock=events, limit=MAX_EVENT)
        finished = False
        try:
            budget = WARM_SECONDS + request.exercise.limits.seconds + GRACE_SECONDS
            async with asyncio.timeout(budget):
                while line := await reader.readline():
                    event = from_document(json.loads(line))
                    finished = isinstance(event, Finished)
                    yield event
                    if finished:
                        break
            if not finished:
                yield Finished(0.0, _("the checker ended before the verdict"))
        except TimeoutError:
            yield Finished(
                budget, _("the checker did not answer within {seconds:g} s").format(seconds=budget)
            )
        finally:
            parent.busy -= 1
            with contextlib.suppress(ChannelClosed):
                parent.channel.send({"op": "end", "run": number, "kill": not finished})
            writer.close()
            self._trim()

    def _start(
        self, number: int, request: CheckRequest, selected: list[str], theirs: socket.socket
    ) -> _Parent:
        adapter = ADAPTERS[request.exercise.language]
        levels = dict.fromkeys(request.exercise.checks[name].level for name in selected)
        profiles = list(
            dict.fromkeys(p for level in levels for p in adapter.profiles(request.exercise, level))
        )
        document = {
            "op": "check",
            "run": number,
            "exercise": asdict(request.exercise),
            "folder": str(request.folder),
            "files": {name: base64.b64encode(data).decode() for name, data in request.files.items()},
            "selected": selected,
            "profiles": [asdict(p) for p in profiles],
            "language": language.current(),
        }
        key = _key(request.exercise, profiles)
        for _attempt in range(2):
            parent = self._parents.get(key)
            if parent is None or not parent.alive():
                if parent is not None:
                    parent.close()
                parent = self._parents[key] = _spawn(request.exercise, profiles)
            try:
                parent.channel.send(document, fds=(theirs.fileno(),))
            except ChannelClosed:
                continue
            # the most recently used comes last
            self._parents[key] = self._parents.pop(key)
            return parent
        raise ChannelClosed("the checker cannot be started")

    def warm(self, exercise: Exercise, levels: tuple[Level, ...] = (Level.CORRECT,)) -> None:
        """Start the parent that an exercise will want, so that the first check finds it warm."""
        adapter = ADAPTERS[exercise.language]
        profiles = list(dict.fromkeys(p for level in levels for p in adapter.profiles(exercise, level)))
        key = _key(exercise, profiles)
        if key not in self._parents or not self._parents[key].alive():
            self._parents[key] = _spawn(exercise, profiles)
            self._trim()

    def _trim(self) -> None:
        idle = [key for key, parent in self._parents.items() if not parent.busy]
        for key in idle[: max(0, len(self._parents) - self._max_parents)]:
            # waiting for a parent's end is nothing for the event loop that we may be in
            closing = threading.Thread(target=self._parents.pop(key).close)
            closing.start()
            self._closing.append(closing)

    def close(self) -> None:
        """End all parents and everything that they run."""
        while self._parents:
            self._parents.popitem()[1].close()
        for closing in self._closing:
            closing.join()

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checker_modules(exercise: Exercise) -> tuple[str, ...]:
    # the checks compare tensors; nothing of triton is needed on the trusted side
    wanted = set(exercise.needs.python) | (
        {"torch"} if exercise.language in ("triton", "distributed") else set()
    )
    if exercise.language == "cuda" and any(c.level is Level.FAST for c in exercise.checks.values()):
        wanted |= {"torch"}  # the checker's baselines and references
    return ("numpy", "safetensors", *(name for name in ("torch",) if name in wanted))


def _key(exercise: Exercise, profiles: list[Profile]) -> tuple[Any, ...]:
    return (_checker_modules(exercise), profiles[0].preload, profiles[0].gpu)


def _spawn(exercise: Exercise, profiles: list[Profile]) -> _Parent:
    ours, theirs = socket.socketpair()
    config = {"profiles": [asdict(p) for p in profiles], "preload": list(_checker_modules(exercise))}
    try:
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-c",
                _START,
                str(theirs.fileno()),
                json.dumps(config),
                json.dumps(_path()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("MLSYS_PATH_DEBUG") else subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd="/",
        )
    finally:
        theirs.close()
    return _Parent(process, Channel(ours))


_START = "import json, sys; sys.path[:] = json.loads(sys.argv[3]); from mlsys_path.checking.server import main; main()"


def _path() -> list[str]:
    """Where the checker finds packages: where we do, except in the folder that we were started from.

    That may be the learner's own, with a torch.py or a sitecustomize.py in it.
    """
    here = Path.cwd()
    entries = [p for p in sys.path if Path(p).is_absolute() and Path(p) != here]
    return [*entries, str(locations.package_dir().parent)]
