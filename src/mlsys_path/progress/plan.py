"""What is left to do laid into weeks, and whether it fits before a date. Pure, and in whole minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mlsys_path.progress.tasks import Left, Task

DAYS = 7
LEAST, MOST = 30, 168 * 60  # minutes a week that can be planned with
_STEP = 15  # minutes that a recommended pace is rounded up to


@dataclass(frozen=True, slots=True)
class Part:
    """What is done of a task in one week."""

    task: Task
    minutes: int
    continued: bool  # some of it was done the week before
    continues: bool  # some of it is left for the week after


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a plan; the first begins on the day on which the plan does."""

    number: int  # from 1
    begins: date
    ends: date
    parts: tuple[Part, ...]

    @property
    def minutes(self) -> int:
        """How much is done in it."""
        return sum(part.minutes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Missing:
    """What of a task is not done when the time is over."""

    task: Task
    minutes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The weeks, up to `until` when there is such a day, and what follows from them."""

    left: Left
    pace: int  # minutes a week
    begins: date
    until: date | None
    weeks: tuple[Week, ...]

    @property
    def ends(self) -> date:
        """The day on which everything is done at this pace, however late."""
        days = -(-self.left.minutes * DAYS // self.pace)
        return self.begins + timedelta(days=max(days, 1) - 1)

    @property
    def days(self) -> int:
        """How many there are until the last, itself included."""
        return ((self.until or self.ends) - self.begins).days + 1

    @property
    def available(self) -> int:
        """The minutes until the last day at this pace."""
        return self.pace * self.days // DAYS

    @property
    def spare(self) -> int:
        """The minutes to spare; below zero those that are too many."""
        return self.available - self.left.minutes

    @property
    def fits(self) -> bool:
        """Whether everything is done by the last day."""
        return self.spare >= 0

    @property
    def pace_needed(self) -> int | None:
        """The minutes a week at which it fits, in whole quarters of an hour; None when a week has not as many."""
        exact = -(-self.left.minutes * DAYS // self.days)
        rounded = max(LEAST, -(-exact // _STEP) * _STEP)
        return rounded if rounded <= MOST else None

    @property
    def left_out(self) -> tuple[Missing, ...]:
        """What is not done by the last day, in its order: of the first a part, of the others all."""
        found, ahead = [], 0
        for task in self.left.tasks:
            ahead += task.minutes
            if ahead > self.available:
                found.append(Missing(task, min(task.minutes, ahead - self.available)))
        return tuple(found)


def plan(left: Left, pace: int, begins: date, until: date | None = None) -> Plan:
    """Lay what is left into weeks of `pace` minutes, the first of which begins on `begins`."""
    if not LEAST <= pace <= MOST or (until and until < begins):
        raise ValueError(f"no plan at {pace} minutes a week from {begins} until {until}")
    empty = Plan(left, pace, begins, until, ())
    limit = empty.available if until else left.minutes
    return Plan(left, pace, begins, until, tuple(_weeks(left.tasks, pace, begins, until, limit)))


def _weeks(tasks: Sequence[Task], pace: int, begins: date, until: date | None, limit: int) -> list[Week]:
    weeks: list[list[Part]] = []
    room = 0
    for task in tasks:
        undone = task.minutes
        while undone and limit:
            if not room:
                weeks.append([])
                room = min(pace, limit)
            minutes = min(undone, room)
            weeks[-1].append(Part(task, minutes, undone < task.minutes, minutes < undone))
            undone, room, limit = undone - minutes, room - minutes, limit - minutes
    return [_week(number, begins, until, parts) for number, parts in enumerate(weeks, start=1)]


def _week(number: int, begins: date, until: date | None, parts: list[Part]) -> Week:
    first = begins + timedelta(days=DAYS * (number - 1))
    last = first + timedelta(days=DAYS - 1)
    return Week(number, first, min(last, until) if until else last, tuple(parts))
