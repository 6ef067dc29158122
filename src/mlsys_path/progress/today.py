"""What to do today: a day's share of the week's hours, filled with reading and exercises in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

from mlsys_path.language import _, current
from mlsys_path.progress.tasks import Task

if TYPE_CHECKING:
    from datetime import datetime

    from mlsys_path.progress.records import Status
    from mlsys_path.progress.suggest import Suggestion
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap

STEP = 15  # minutes: a share is rounded to it, and less of a thing is not worth beginning
LEAST = 30  # minutes of a day


@dataclass(frozen=True, slots=True)
class Entry:
    """What to do today of one thing, and why."""

    kind: Literal["read", "exercise"]
    id: str
    title: str
    minutes: int
    why: str
    name: str = ""  # of a reading, in `Roadmap.readings`


@dataclass(frozen=True, slots=True)
class Today:
    """A day's work; what was done of the day and of the week is an estimate: the minutes that things are said to take."""

    pace: int  # minutes a week
    minutes: int  # still to do today
    done_today: int
    done_this_week: int
    items: tuple[Entry, ...]


def share(pace: int) -> int:
    """A day's part of the minutes of a week, in quarters of an hour."""
    return max(LEAST, round(pace / 7 / STEP) * STEP)


def today(
    roadmap: Roadmap,
    tasks: Sequence[Task],
    suggestions: Sequence[Suggestion],
    pace: int,
    done: tuple[int, int],
) -> Today:
    """Fill what is left of the day; `done` are the minutes of today and of this week."""
    done_today, done_this_week = done
    minutes = max(0, min(share(pace) - done_today, pace - done_this_week))
    room = minutes
    items: list[Entry] = []
    for entry in _entries(roadmap, tasks, suggestions):
        part = min(entry.minutes, room)
        if part == 0 or (items and part < min(STEP, entry.minutes)):
            break
        items.append(replace(entry, minutes=part))
        room -= part
    return Today(pace, minutes, done_today, done_this_week, tuple(items))


def _entries(roadmap: Roadmap, tasks: Sequence[Task], suggestions: Sequence[Suggestion]) -> Iterator[Entry]:
    """Everything in the order in which to do it: what failed last, then the tasks."""
    said = {suggestion.exercise: suggestion for suggestion in suggestions}
    first = next((s.exercise for s in suggestions if s.reason_kind == "failed"), "")
    if first:
        yield _exercise(roadmap, first, said[first].because)
    for number, task in enumerate(tasks):
        if task.kind == "read":
            parts = task.parts[current()] if task.parts else ""
            title = _("{title}: {parts}").format(
                title=roadmap.resources[task.id].title[current()], parts=parts
            )
            why = _why_read(roadmap, task, tasks[number + 1 :])
            yield Entry("read", task.id, title, task.minutes, why, task.name)
        elif task.id != first:
            why = said[task.id].because if task.id in said else _after(roadmap, task)
            yield _exercise(roadmap, task.id, why)


def _exercise(roadmap: Roadmap, name: str, why: str) -> Entry:
    exercise = roadmap.exercises[name]
    return Entry("exercise", name, exercise.title[current()], exercise.minutes, why)


def _after(roadmap: Roadmap, task: Task) -> str:
    if task.needed_for:
        return _("“{goal}” builds on it.").format(goal=roadmap.exercises[task.needed_for].title[current()])
    return _("It comes next, when what it builds on has passed.")


def _why_read(roadmap: Roadmap, task: Task, later: Sequence[Task]) -> str:
    if not task.topic:
        return _("Your track wants it read here.")
    topic = roadmap.topics[task.topic].title[current()]
    goal = next((other.id for other in later if other.kind == "exercise" and other.topic == task.topic), "")
    if goal:
        return _("It is read for the topic “{topic}”, before the exercise “{exercise}”.").format(
            topic=topic, exercise=roadmap.exercises[goal].title[current()]
        )
    return _("It is read for the topic “{topic}”.").format(topic=topic)


def done(
    roadmap: Roadmap,
    items: Sequence[Item],
    statuses: Mapping[str, Status],
    word: Word,
    pace: int,
    day: date,
    tz: tzinfo | None = None,
) -> tuple[int, int]:
    """The minutes done on `day` and in its week, which begins on Monday: by estimate, and in the zone of `tz`.

    Exercises count when they pass first, and reading when it is marked as read, but of one day no more than its share:
    whoever marks what they read years ago has not done this week's work.
    """
    monday = day - timedelta(days=day.weekday())
    week = [monday + timedelta(days=n) for n in range(day.weekday() + 1)]
    solved = dict.fromkeys(week, 0)
    for name, status in statuses.items():
        if status.passed_at and name in roadmap.exercises and (at := _day(status.passed_at, tz)) in solved:
            solved[at] += roadmap.exercises[name].minutes
    read = dict.fromkeys(week, 0)
    for item in items:
        claim = word.read(item.name) if item.kind == "read" else None
        if claim and claim.claim == "read" and (at := _day(claim.at, tz)) in read:
            read[at] += round(item.hours * 60)
    spent = {at: solved[at] + min(read[at], share(pace)) for at in week}
    return spent[day], sum(spent.values())


def _day(moment: datetime, tz: tzinfo | None) -> date:
    return moment.astimezone(tz).date()
