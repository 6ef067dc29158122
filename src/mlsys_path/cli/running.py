"""One run of an exercise's checks, from the learner's files to a verdict that is remembered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlsys_path.checking.events import CheckEvent, Verdict
from mlsys_path.checking.submission import Submission
from mlsys_path.checking.verdict import Tally
from mlsys_path.levels import LEVELS, Level, Outcome

if TYPE_CHECKING:
    from mlsys_path.checking.session import Checker
    from mlsys_path.machine.inspect import Machine
    from mlsys_path.progress.records import Attempt


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that came to a verdict."""

    submission: Submission
    verdict: Verdict
    started_at: datetime  # UTC

    partial: bool  # a level that this machine can check was not asked for

    def attempt(self) -> Attempt:
        """What is stored of it; a pass of some levels, with others left out, is no pass of the exercise."""
        verdict = self.verdict
        if self.partial and verdict.verdict is Outcome.PASSED:
            verdict = replace(verdict, verdict=Outcome.OPEN)
        return self.submission.attempt(verdict, self.started_at)


async def run(
    checker: Checker,
    machine: Machine,
    submission: Submission,
    only: frozenset[Level] | None,
    told: Callable[[CheckEvent], None],
) -> Ran:
    """Make one run and tell each event as it comes; cancelling it leaves no process behind."""
    started_at = datetime.now(UTC)
    tally = Tally(submission.exercise.id)
    request = await asyncio.to_thread(submission.request, machine, only=only)
    stream = checker.check(request)
    assert isinstance(stream, AsyncGenerator)
    async with contextlib.aclosing(stream) as events:
        async for event in events:
            tally.add(event)
            told(event)
    if tally.compiled:
        from mlsys_path.checking import artefacts

        artefacts.keep(submission, tally.compiled)
    levels = {check.level for check in submission.exercise.checks.values()}
    partial = only is not None and bool(levels - only - set(request.open_levels))
    return Ran(submission, tally.verdict(), started_at, partial)


def wanted_levels(
    submission: Submission, machine: Machine, names: tuple[str, ...]
) -> frozenset[Level] | None:
    """The levels that `--level` asks for; None is all, "highest" the strongest that can be checked here."""
    if not names:
        return None
    levels = {Level(name) for name in names if name != "highest"}
    if "highest" in names:
        closed = submission.request(machine).open_levels
        here = {check.level for check in submission.exercise.checks.values()} - set(closed)
        levels |= {max(here, key=LEVELS.index)} if here else set()
    return frozenset(levels)
