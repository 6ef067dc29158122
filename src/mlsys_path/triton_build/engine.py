"""Runs the steps of a build in order, as a stream of events; goes on where an earlier run stopped."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.triton_build import estimates, failures, resources, state
from mlsys_path.triton_build.estimates import Taken
from mlsys_path.triton_build.events import (
    BuildFinished,
    BuildStarted,
    Event,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from mlsys_path.triton_build.failure import Facts
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.process import CommandFailed, Outcome
from mlsys_path.triton_build.project import Project
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.state import State
from mlsys_path.triton_build.steps import NAMES, STEPS
from mlsys_path.triton_build.steps.step import Step
from mlsys_path.triton_build.work import StepRefused, Work


async def build(
    project: Project,
    folder: Path,
    settings: Settings | None = None,
    *,
    resume: bool = False,
    start: str = "",
) -> AsyncGenerator[Event, None]:
    """The events of a build, to its end or to the first step that fails.

    With `resume` it goes on in a folder that holds a build: `settings` of None are those that it was begun with. With
    `start` it goes on from a step, whose earlier ones must be done. Closing the generator, or cancelling what waits for
    it, ends all that was started. UserError when the folder holds another build, or one is at work in it.
    """
    layout = Layout.of(folder)
    with state.locked(layout.lock) as lock:
        kept = opened(project, layout, settings, resume=resume, start=start)
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        running = _Build(project, layout, kept, lock, queue.put_nowait, start, resumed=resume or bool(start))

        async def all_steps() -> None:
            try:
                await running.run()
            finally:
                queue.put_nowait(None)

        task = asyncio.create_task(all_steps())
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def opened(project: Project, layout: Layout, settings: Settings | None, *, resume: bool, start: str) -> State:
    """The state to begin with: a new one, or the one that the folder holds with what is no longer true taken out."""
    kept = state.load(layout.state)
    if kept is None:
        if resume or start:
            raise UserError(
                _(
                    "{folder} holds no build to go on with: leave out --resume and --from, or name another --dir"
                ).format(folder=layout.folder)
            )
        return State(project.name, settings or Settings())
    if kept.project != project.name:
        raise UserError(
            _("{folder} holds a build of {project}: use another --dir").format(
                folder=layout.folder, project=kept.project
            )
        )
    if not resume and not start:
        raise UserError(
            _(
                "{folder} holds a build already ({done} of {all} steps done): --resume goes on, --from STEP repeats from a step, --dir takes another folder"
            ).format(folder=layout.folder, done=len(kept.done), all=len(STEPS))
        )
    if start and (lacking := [name for name in NAMES[: NAMES.index(start)] if name not in kept.done]):
        raise UserError(
            _("--from {step}: {lacking} is not done yet; --resume goes on from there").format(
                step=start, lacking=lacking[0]
            )
        )
    if settings is not None and settings != kept.settings:
        changed = [step for step in STEPS if step.settings(settings) != step.settings(kept.settings)]
        for step in changed:
            kept.done.pop(step.name, None)
        kept.settings = settings
    return kept


class _Build:
    """The steps of one run."""

    def __init__(
        self,
        project: Project,
        layout: Layout,
        kept: State,
        lock: int | None,
        emit: Callable[[Event], None],
        start: str,
        *,
        resumed: bool,
    ) -> None:
        self._project, self._layout, self._state, self._lock = project, layout, kept, lock
        self._emit, self._start, self._resumed = emit, start, resumed

    async def run(self) -> None:
        """Every step that is to be done."""
        began = time.monotonic()
        self._emit(BuildStarted(self._project.name, str(self._layout.folder), NAMES, self._resumed))
        first = NAMES.index(self._start) if self._start else 0
        done = True
        rerun = False
        for index, step in enumerate(STEPS):
            trusted = bool(self._start) and index < first
            asked = bool(self._start) and index >= first
            if not asked and not rerun and await self._still_done(step, trusted=trusted):
                self._skip(step)
                continue
            # preflight is always looked at anew, and changes nothing of what follows
            rerun = rerun or step.name != STEPS[0].name
            if not await self._step(step):
                done = False
                break
        self._emit(
            BuildFinished(
                done,
                str(self._layout.folder),
                time.monotonic() - began,
                tuple(n for n in NAMES if n in self._state.done),
            )
        )

    async def _still_done(self, step: Step, *, trusted: bool) -> bool:
        if step.name not in self._state.done:
            return False
        work, facts = self._work(step), self._state.done[step.name].facts
        if trusted:
            return True
        try:
            return await asyncio.to_thread(step.holds, work, facts)
        except (OSError, KeyError, TypeError, ValueError):
            return False  # what an older program left

    def _skip(self, step: Step) -> None:
        facts = self._state.done[step.name].facts
        self._emit(StepSkipped(step.name, _(step.title), step.say(facts), facts))

    def _work(self, step: Step) -> Work:
        facts = {name: done.facts for name, done in self._state.done.items()}
        libraries = tuple(self._state.libraries)
        return Work(
            self._project, self._state.settings, self._layout, facts, step.name, self._emit, self._lock, libraries
        )  # fmt: skip

    async def _step(self, step: Step) -> bool:
        """Run one; False when it failed."""
        work = self._work(step)
        state_, layout = self._state, self._layout
        jobs = resources.compile_jobs(state_.settings.jobs)
        expected = estimates.estimate(layout, step.name, self._project.name, state_.settings.llvm, jobs)
        self._emit(StepStarted(step.name, _(step.title), _(step.what), _(step.why), expected, str(work.log)))
        # what an earlier run has done of it would be missing from what it takes
        whole = step.name not in state_.done and step.name not in state_.begun
        # of what follows nothing is known any more, as soon as this begins
        last = len(NAMES) if step.name != NAMES[0] else 1
        for later in NAMES[NAMES.index(step.name) : last]:
            state_.done.pop(later, None)
        before = await asyncio.to_thread(resources.disk_used_mb, layout.folder)
        state_.begun = [*(name for name in state_.begun if name != step.name), step.name]
        state_.save(layout.state)
        mark = work.log.stat().st_size if work.log.exists() else 0
        began = time.monotonic()
        try:
            facts = await step.run(work)
        except (StepRefused, CommandFailed, OSError) as error:
            self._emit(await asyncio.to_thread(self._failure, step, work, error, mark))
            return False
        seconds = time.monotonic() - began
        state_.finish(step.name, facts, seconds)
        state_.save(layout.state)
        disk = max(0, await asyncio.to_thread(resources.disk_used_mb, layout.folder) - before)
        peak = max((outcome.peak_mb for outcome in work.outcomes), default=0)
        if whole:
            estimates.remember(
                layout, Taken(step.name, self._project.name, state_.settings.llvm, jobs, seconds, disk, peak)
            )
        self._emit(StepFinished(step.name, _(step.title), seconds, step.say(facts), facts, peak, disk))
        return True

    def _failure(self, step: Step, work: Work, error: Exception, mark: int) -> StepFailed:
        log = str(work.log)
        if isinstance(error, StepRefused):
            tail = work.outcomes[-1].tail if work.outcomes else ()
            work.write(f"refused: {error.failure}: {error.cause}")
            return StepFailed(
                step.name, error.failure, error.cause, error.cure, log, failures.tail_of(tail) if tail else ()
            )
        outcome = error.outcome if isinstance(error, CommandFailed) else None
        said = _since(work.log, mark) + (f"\n{error}" if outcome is None else f"\n{outcome.error}")
        facts = Facts(outcome, resources.disk_free_mb(self._layout.folder), resources.memory_mb())
        jobs = resources.compile_jobs(self._state.settings.jobs)
        tail = failures.tail_of(said.splitlines()) if outcome else (str(error),)
        if found := failures.recognise(said, facts, jobs=jobs):
            return StepFailed(step.name, found.name, found.cause, found.cure, log, tail)
        how = _unknown(outcome, error)
        return StepFailed(
            step.name, "unknown", how, (_("the log has all of it: {log}").format(log=log), _("`--resume` goes on from this step")), log, tail
        )  # fmt: skip


def _unknown(outcome: Outcome | None, error: Exception) -> str:
    if outcome is None:
        return f"{type(error).__name__}: {error}"
    name = Path(outcome.command[0]).name
    if outcome.error:
        return _("{program} could not be started: {why}").format(program=name, why=outcome.error)
    if outcome.signal:
        return _("{program} was ended by signal {signal}").format(program=name, signal=outcome.signal)
    return _("{program} failed with exit code {code}").format(program=name, code=outcome.exit)


def _since(log: Path, mark: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(mark, log.stat().st_size - (8 << 20)))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def steps_of(names: Sequence[str] = NAMES) -> tuple[Step, ...]:
    """The steps by their names."""
    return tuple(step for step in STEPS if step.name in names)
