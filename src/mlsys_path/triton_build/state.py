"""The checkpoint of a build: one small JSON file, replaced as a whole, so that it survives a kill at any moment."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.settings import Settings, from_json

SCHEMA = 1
_DYING_SECONDS = 20.0  # for what a killed build had started to end


@dataclass(slots=True)
class Done:
    """A finished step."""

    facts: Facts
    seconds: float
    finished_at: float


@dataclass(slots=True)
class State:
    """What is asked for, and which steps are done."""

    project: str
    settings: Settings
    done: dict[str, Done] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)  # steps that have begun, and not ended well
    libraries: list[str] = field(default_factory=list)  # digests of the library as steps have left it

    def save(self, path: Path) -> None:
        """Replace the file at once: a reader, and whoever resumes, sees the old one or the new one."""
        document = {
            "schema": SCHEMA,
            "project": self.project,
            "settings": self.settings.to_json(),
            "begun": self.begun,
            "libraries": self.libraries,
            "done": {
                name: {"facts": done.facts, "seconds": done.seconds, "finished_at": done.finished_at}
                for name, done in self.done.items()
            },
        }
        replace(path, json.dumps(document, ensure_ascii=False, indent=1).encode())

    def finish(self, step: str, facts: Facts, seconds: float) -> None:
        """A step is done."""
        self.done[step] = Done(facts, seconds, time.time())
        self.begun = [name for name in self.begun if name != step]
        if step == "libtriton":
            self.libraries = [facts["sha256"]]
        elif step == "import":
            self.libraries.append(facts["sha256"])


def replace(path: Path, content: bytes) -> None:
    """Write a file so that whatever happens it is either the old one or the new one, on the disk too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> State | None:
    """The kept state, None when there is none; UserError when it cannot be read."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA:
            raise ValueError(document["schema"])  # noqa: TRY301
        done = {name: Done(**kept) for name, kept in document["done"].items()}
        return State(
            document["project"],
            from_json(document["settings"]),
            done,
            document["begun"],
            document["libraries"],
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            _(
                "{path} cannot be read ({why}): move it away, and start again in that folder; what was built stays"
            ).format(path=path, why=f"{type(error).__name__}: {error}")
        ) from None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """The only build in a folder; the descriptor is for those that it starts, which hold the lock as it does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    """Take the lock; what is left of a killed build is given a moment to end."""
    until = time.monotonic() + _DYING_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        if _alive(holder) or time.monotonic() > until:
            raise UserError(
                _(
                    "another build (process {pid}) is at work in {folder}: wait for it, or use another --dir"
                ).format(pid=holder or "?", folder=path.parent)
            )
        time.sleep(0.05)


def _alive(pid: str) -> bool:
    try:
        stat = Path("/proc", pid, "stat").read_text()
    except OSError:
        return False
    return bool(pid) and stat.rpartition(")")[2].split()[0] not in "ZX"
