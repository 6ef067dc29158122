"""What is remembered of a learner: attempts, events and the status that follows from them.

Standard library only, as `next`, `list` and `progress` import this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from mlsys_path.levels import Level, Outcome

EventKind = Literal["started", "hint", "solution", "reset"]
EVENT_KINDS: tuple[EventKind, ...] = ("started", "hint", "solution", "reset")

ClaimKind = Literal["topic", "resource", "stage", "exercise", "reading"]
CLAIM_KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)
ClaimWord = Literal["read", "known", "none", "diagnostic"]
CLAIM_WORDS: tuple[ClaimWord, ...] = get_args(ClaimWord)

State = Literal["passed", "failed", "open", "error", "started", "new"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished run of an exercise's checks; `started_at` is in UTC, `measurements` are JSON objects."""

    id: str
    exercise: str
    started_at: datetime
    seconds: float
    verdict: Outcome
    levels: dict[Level, Outcome]
    files_hash: str
    exercise_hash: str
    measurements: tuple[dict[str, Any], ...] = ()
    machine: str = ""
    sandbox: str = ""
    failing_check: str = ""
    message: str = ""

    @classmethod
    def new(
        cls,
        *,
        exercise: str,
        started_at: datetime,
        seconds: float,
        verdict: Outcome,
        levels: Mapping[Level, Outcome],
        files_hash: str,
        exercise_hash: str,
        measurements: Sequence[Mapping[str, Any]] = (),
        machine: str = "",
        sandbox: str = "",
        failing_check: str = "",
        message: str = "",
    ) -> Attempt:
        """An attempt with an id of its own, its values as the database gives them back."""
        return cls(
            new_id(started_at),
            exercise,
            started_at.astimezone(UTC),
            seconds,
            verdict,
            dict(levels),
            files_hash,
            exercise_hash,
            tuple(plain(measurement) for measurement in measurements),
            machine,
            sandbox,
            failing_check,
            message,
        )

    @property
    def passed(self) -> bool:
        """Whether every check that the machine could run came back positive."""
        return self.verdict is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Event:
    """Something else that the learner did. `detail` of a hint is its index, counted from 0."""

    id: str
    exercise: str
    kind: EventKind
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the learner says of themselves: their word, which proves nothing.

    "none" takes back what was said of the subject before. "diagnostic" is how the questions of a stage were
    answered; its `detail` says `right` and `of`.
    """

    id: str
    kind: ClaimKind
    subject: str
    claim: ClaimWord
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[datetime, str]:
        """By which the later of two claims is found."""
        return self.at, self.id

    @property
    def score(self) -> tuple[int, int]:
        """Of a diagnostic: how many answers were right, and of how many."""
        return self.detail["right"], self.detail["of"]


@dataclass(frozen=True, slots=True)
class Claims:
    """The latest of what was said: by kind and subject, and the latest diagnostic of each stage."""

    words: Mapping[tuple[ClaimKind, str], Claim] = field(default_factory=dict)
    diagnostics: Mapping[str, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """How the learner stands with one exercise; `Status(exercise)` is one that was never touched."""

    exercise: str
    state: State = "new"
    best_level: Level | None = None  # the strongest level that any attempt reached
    attempts: int = 0
    last_attempt_at: datetime | None = None
    passed_at: datetime | None = None  # the first pass
    last_failed: bool = False  # the last attempt failed or broke, and the starter was not put back since
    exercise_changed: bool = False  # passed, and the exercise was edited since the last pass
    hints: int = 0  # hints seen
    solution_seen: bool = False

    @property
    def passed(self) -> bool:
        """Whether any attempt passed: a pass stays a pass."""
        return self.passed_at is not None


@dataclass(frozen=True, slots=True)
class Day:
    """What was done on one day of the learner's own time zone."""

    date: date
    attempts: int
    passes: int  # exercises passed for the first time on this day


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals, the streak and the days that have something to show, oldest first."""

    streak: int  # days in a row with an attempt, ending today or yesterday
    passes: int  # exercises passed
    attempts: int
    days: tuple[Day, ...] = ()

    @property
    def by_day(self) -> dict[date, Day]:
        """The days by their date."""
        return {day.date: day for day in self.days}


def new_id(at: datetime | None = None) -> str:
    """A ULID for something that happened at `at` (else now): 26 characters that sort by time."""
    from ulid import ULID

    return str(ULID.from_datetime(at) if at else ULID())


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """The one spelling of a moment in the database, so that text sorts as time: 2026-01-31T09:30:00.000000Z.

    Raises ValueError for a naive datetime: it does not say when it was.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote; raises ValueError for what it cannot have written."""
    if len(text) != 27 or text[-1] != "Z":
        raise ValueError(f"not a moment in UTC: {text!r}")
    return datetime.fromisoformat(text)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: a number that is not finite becomes None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
