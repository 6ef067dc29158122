"""How the learner stands with an exercise, from what its attempts and events come to. Pure.

What was done under an earlier id of an exercise counts for the present one: both are merged here, before
anything is concluded, so that it comes out as if it had all been done under one name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from mlsys_path.levels import LEVELS, Outcome
from mlsys_path.progress.records import EventKind, State, Status, from_text

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Touched:
    """What the database tells of one exercise; moments are texts, "" where there was none.

    `seen` holds for each kind of event its last moment and, of hints, the greatest index.
    """

    attempts: int = 0
    last_at: str = ""
    last_verdict: str = ""
    best: int = 0  # the strongest level that was reached, counted from 1
    first_pass: str = ""
    last_pass: str = ""
    passed_hash: str = ""  # the exercise's own hash at the last pass
    seen: dict[EventKind, tuple[str, int | None]] = field(default_factory=dict)


def merge(one: Touched, other: Touched) -> Touched:
    """What both come to together."""
    newer = max(one, other, key=lambda each: (each.last_at, each.last_verdict))
    last = max(one, other, key=lambda each: (each.last_pass, each.passed_hash))
    seen = dict(one.seen)
    for kind, (at, index) in other.seen.items():
        before, known = seen.get(kind, ("", None))
        indexes = [number for number in (index, known) if number is not None]
        seen[kind] = (max(at, before), max(indexes, default=None))
    return Touched(
        one.attempts + other.attempts,
        newer.last_at,
        newer.last_verdict,
        max(one.best, other.best),
        min(filter(None, (one.first_pass, other.first_pass)), default=""),
        last.last_pass,
        last.passed_hash,
        seen,
    )


def by_present_id(
    found: Iterable[tuple[str, _T]], newest: Callable[[str], str], merge: Callable[[_T, _T], _T]
) -> dict[str, _T]:
    """One value for each exercise by its present id: what stands under earlier ids is merged into it."""
    merged: dict[str, _T] = {}
    for name, value in found:
        present = newest(name)
        merged[present] = merge(merged[present], value) if present in merged else value
    return merged


def status(exercise: str, touched: Touched) -> Status:
    """How the learner stands; whether the exercise has changed since is not known here."""
    seen = touched.seen
    reset_since = "reset" in seen and seen["reset"][0] > touched.last_at
    state: State
    if touched.first_pass:
        state = "passed"
    elif touched.attempts and not reset_since:
        state = Outcome(touched.last_verdict).value
    else:
        state = "started" if "started" in seen or "reset" in seen else "new"
    last_hint = seen.get("hint", ("", None))[1]
    return Status(
        exercise,
        state,
        best_level=LEVELS[touched.best - 1] if touched.best else None,
        attempts=touched.attempts,
        last_attempt_at=from_text(touched.last_at) if touched.last_at else None,
        passed_at=from_text(touched.first_pass) if touched.first_pass else None,
        last_failed=touched.last_verdict in (Outcome.FAILED, Outcome.ERROR) and not reset_since,
        hints=0 if last_hint is None else last_hint + 1,
        solution_seen="solution" in seen,
    )
