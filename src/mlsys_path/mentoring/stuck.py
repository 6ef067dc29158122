"""Who waits for help, and why: the longest stuck first. Pure.

A learner is stuck since the first attempt after their last pass, of anything, when their last attempt failed. Who has
not tried anything for a week, with something assigned left to do, is stuck since their last attempt; who sent nothing,
since it was assigned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlsys_path.language import _, ngettext, sentences
from mlsys_path.levels import Outcome

if TYPE_CHECKING:
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.progress.records import Attempt

QUIET_DAYS = 7
MANY = 3  # attempts without a pass, or at the same check, that are worth a word


@dataclass(frozen=True, slots=True)
class Stuck:
    """A learner who waits, on what, and since when."""

    learner: str
    exercise: str  # the last that they tried; "" of who tried nothing
    since: datetime
    days: float  # until now
    attempts: int  # since the last pass
    inactive_days: int
    failing_check: str = ""
    same_check: int = 0  # how often it failed in a row, at the last
    message: str = ""
    solution_seen: bool = False
    why: str = ""


def inbox(learners: Iterable[tuple[Learner, int]], now: datetime) -> list[Stuck]:
    """Everybody who is stuck, longest first; beside each learner stands how much of what was assigned is undone."""
    found = [stuck for learner, undone in learners if (stuck := of(learner, undone, now))]
    return sorted(found, key=lambda each: (-each.days, each.learner))


def of(learner: Learner, undone: int, now: datetime) -> Stuck | None:
    """Whether and why a learner is stuck."""
    if not learner.attempts:
        return _silent(learner, undone, now)
    since_pass = _since_pass(learner.attempts)
    last = learner.attempts[-1]
    quiet = max(0, (now - last.started_at).days)
    failed = last.verdict in (Outcome.FAILED, Outcome.ERROR)
    if not failed and not (undone and quiet >= QUIET_DAYS):
        return None
    same = _in_a_row(since_pass)
    begun = since_pass[0].started_at if failed and since_pass else last.started_at
    seen = any(event.kind == "solution" and event.exercise == last.exercise for event in learner.events)
    return Stuck(
        learner=learner.name,
        exercise=last.exercise,
        since=begun,
        days=max(0.0, (now - begun) / timedelta(days=1)),
        attempts=len(since_pass),
        inactive_days=quiet,
        failing_check=last.failing_check if failed else "",
        same_check=same if failed else 0,
        message=(last.message.splitlines() or [""])[0] if failed else "",
        solution_seen=seen,
        why=_why(len(since_pass) if failed else 0, same if failed else 0, last.failing_check, quiet, undone),
    )


def _silent(learner: Learner, undone: int, now: datetime) -> Stuck | None:
    if not undone or not learner.assignments:
        return None
    since = min(datetime.fromisoformat(each.assigned_at) for each in learner.assignments)
    days = max(0, (now - since).days)
    if days < QUIET_DAYS:
        return None
    why = ngettext(
        "Nothing was tried in {n} day since it was assigned.",
        "Nothing was tried in {n} days since it was assigned.",
        days,
    )
    return Stuck(learner.name, "", since, (now - since) / timedelta(days=1), 0, days, why=why.format(n=days))


def _since_pass(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    last = max((at for at, attempt in enumerate(attempts) if attempt.passed), default=-1)
    return attempts[last + 1 :]


def _in_a_row(attempts: tuple[Attempt, ...]) -> int:
    """How often the last attempt's check failed, of the same exercise, with no other between."""
    count = 0
    for attempt in reversed(attempts):
        last = attempts[-1]
        if (attempt.exercise, attempt.failing_check) != (last.exercise, last.failing_check):
            break
        count += 1
    return count


def _why(attempts: int, same: int, check: str, quiet: int, undone: int) -> str:
    said = []
    if same >= MANY and check:
        said.append(
            ngettext("{check} failed {n} time in a row.", "{check} failed {n} times in a row.", same).format(
                check=check, n=same
            )
        )
    elif check:
        said.append(_("{check} fails.").format(check=check))
    if attempts >= MANY:
        said.append(
            ngettext(
                "{n} attempt since the last pass.", "{n} attempts since the last pass.", attempts
            ).format(n=attempts)
        )
    if quiet >= QUIET_DAYS:
        said.append(ngettext("Inactive for {n} day.", "Inactive for {n} days.", quiet).format(n=quiet))
        if undone and not attempts:
            said.append(ngettext("{n} exercise is left.", "{n} exercises are left.", undone).format(n=undone))
    return sentences(said) or _("The last attempt failed.")
