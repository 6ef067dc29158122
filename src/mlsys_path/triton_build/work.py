"""What a step has at hand: the build's paths, what earlier steps found out, and a way to run commands."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsys_path.triton_build import ninja, process
from mlsys_path.triton_build.events import Event, Facts, Note, Progress, Ran
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.process import CommandFailed, Outcome, Stall
from mlsys_path.triton_build.project import Project
from mlsys_path.triton_build.settings import Settings


class StepRefused(Exception):
    """A step knows itself why it cannot go on: the name of the failure, its cause, and what to do."""

    def __init__(self, failure: str, cause: str, *cure: str) -> None:
        super().__init__(cause)
        self.failure, self.cause, self.cure = failure, cause, tuple(each for each in cure if each)


@dataclass(slots=True)
class Work:
    """One step of one build."""

    project: Project
    settings: Settings
    layout: Layout
    facts: Mapping[str, Facts]  # of the steps that are done
    step: str = ""
    emit: Callable[[Event], None] = lambda event: None
    lock: int | None = None
    libraries: tuple[str, ...] = ()  # digests of the library as steps have left it
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """The log of this step."""
        return self.layout.log(self.step)

    def fact(self, step: str, name: str, default: Any = None) -> Any:
        """What an earlier step found out."""
        return self.facts.get(step, {}).get(name, default)

    def note(self, text: str) -> None:
        """Say something that stops nothing; it is in the log too."""
        self.write(f"note: {text}")
        self.emit(Note(self.step, text))

    def write(self, text: str) -> None:
        """A line of this program's own in the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"== {text}\n")

    def progress(self, done: int, total: int, unit: str, what: str, eta: float | None = None) -> None:
        """Say how far the step is."""
        self.emit(Progress(self.step, done, total, unit, what, eta))

    def environment(self, **more: str) -> dict[str, str]:
        """The user's environment, with every cache and scratch folder moved into the build's own folder."""
        caches = self.layout.caches
        for folder in (self.layout.scratch, caches):
            folder.mkdir(parents=True, exist_ok=True)
        kept = {
            name: value
            for name, value in os.environ.items()
            # of another environment, which must not leak in; or would put a second Triton on the path
            if name
            not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CMAKE_GENERATOR", "CFLAGS", "CXXFLAGS")
        }
        return {
            **kept,
            "TMPDIR": str(self.layout.scratch),
            "XDG_CACHE_HOME": str(caches),
            "PIP_CACHE_DIR": str(caches / "pip"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "CCACHE_DIR": str(caches / "ccache"),
            "TRITON_HOME": str(caches),
            "TRITON_CACHE_DIR": str(caches / "triton"),
            "PYTHONNOUSERSITE": "1",
            "PYTHONUNBUFFERED": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",  # failures are recognised by their words
            **dict(self.project.variables),
            **more,
        }

    async def command(
        self,
        words: Sequence[str | Path],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stall: Stall | None = None,
        heard: Callable[[str], None] | None = None,
        check: bool = True,
    ) -> Outcome:
        """Run a command of this step; CommandFailed when it fails, unless that is not to be checked."""
        command = tuple(str(word) for word in words)
        folder = folder or self.layout.folder
        self.write(f"{time.strftime('%H:%M:%S')} $ {' '.join(command)}   (in {folder})")
        self.emit(Ran(self.step, command, str(folder)))
        outcome = await process.run(
            command,
            folder=folder,
            environment=environment if environment is not None else self.environment(),
            log=self.log,
            heard=heard or self._ninja(),
            stall=stall,
            lock=self.lock,
        )
        self.outcomes.append(outcome)
        if check and not outcome.ok:
            raise CommandFailed(outcome)
        return outcome

    def _ninja(self) -> Callable[[str], None]:
        """Finds ninja's progress among the lines of whatever runs it."""
        pace = ninja.Pace()

        def heard(line: str) -> None:
            if (found := ninja.parse(line)) is not None:
                done, total, what = found
                self.progress(done, total, "steps", what, pace.eta(done, total))

        return heard

    async def ask(self, words: Sequence[str | Path], *, seconds: float = 20.0) -> str:
        """What a small program says, on either stream; "" when it fails or does not answer. Not in the log."""
        try:
            asked = await asyncio.create_subprocess_exec(
                *map(str, words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )
        except OSError:
            return ""
        try:
            said, _nothing = await asyncio.wait_for(asked.communicate(), seconds)
        except (TimeoutError, asyncio.CancelledError) as error:
            asked.kill()
            await asked.wait()
            if isinstance(error, TimeoutError):
                return ""
            raise
        return said.decode(errors="replace") if asked.returncode == 0 else ""
