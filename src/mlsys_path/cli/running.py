"""One run of an exercise's checks, from the learner's files to a verdict that is remembered."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlsys_path.checking.events import CheckEvent, Verdict
from mlsys_path.checking.submission import Submission
from mlsys_path.checking.verdict import Tally
from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError
from mlsys_path.levels import LEVELS, Level

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

    def attempt(self) -> Attempt:
        """What is stored of it."""
        return self.submission.attempt(self.verdict, self.started_at)


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
    request = submission.request(machine, only=only)
    async with contextlib.aclosing(checker.check(request)) as events:
        async for event in events:
            tally.add(event)
            told(event)
    return Ran(submission, tally.verdict(), started_at)


def wanted_levels(submission: Submission, machine: Machine, names: tuple[str, ...]) -> frozenset[Level] | None:
    """The levels that `--level` asks for; None is all. "highest" is the strongest that this machine can check."""
    if not names:
        return None
    levels = {Level(name) for name in names if name != "highest"}
    if "highest" in names:
        closed = submission.request(machine).open_levels
        here = {check.level for check in submission.exercise.checks.values()} - set(closed)
        levels |= {max(here, key=LEVELS.index)} if here else set()
    return frozenset(levels)


def remember(ran: Ran) -> None:
    """Store the attempt; a database that cannot be written is one line, and the verdict stands."""
    from mlsys_path.progress.store import Store

    try:
        with Store.open() as store:
            store.record(ran.attempt())
    except UserError as error:
        stderr_line(str(error))
