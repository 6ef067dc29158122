"""What lies ahead of a learner at one moment: suggestions, and today's work. Pure; the command line and the screens ask here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import TYPE_CHECKING

from mlsys_path.progress.leading import lead
from mlsys_path.progress.plan import LEAST, MOST
from mlsys_path.progress.suggest import Suggestion, suggest
from mlsys_path.progress.tasks import items_of, left
from mlsys_path.progress.today import Today, done, today

if TYPE_CHECKING:
    from mlsys_path.progress.records import Status
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to do now, and what today; without hours a week there is no plan for a day."""

    suggestions: tuple[Suggestion, ...]
    today: Today | None


def outlook(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    word: Word,
    track_id: str,
    pace: int | None,
    day: date,
    trouble: Callable[[str], str] = lambda _exercise: "",
    tz: tzinfo | None = None,
) -> Outlook:
    """What to do; when everything of the followed track is done, of the whole path. Both say the same first.

    `pace` is the minutes a week, `day` the learner's own date, `trouble` why this machine cannot check an exercise
    at any level, or "".
    """
    passed = {name for name, status in statuses.items() if status.passed}
    items = items_of(roadmap, track_id)
    tasks = left(roadmap, items, passed, word, trouble).tasks
    if not tasks:
        items = items_of(roadmap, "")
        tasks = left(roadmap, items, passed, word, trouble).tasks
    found = lead(roadmap, suggest(roadmap, statuses, track_id, lambda name: not trouble(name), word), tasks)
    if pace is None:
        return Outlook(tuple(found), None)
    spent = done(roadmap, items, statuses, word, pace, day, tz)
    return Outlook(tuple(found), today(roadmap, tasks, found, pace, spent))


def pace_of(roadmap: Roadmap, track_id: str, hours: str) -> int | None:
    """The minutes a week: of the hours that were remembered, else of the track; None without either."""
    try:
        pace = minutes_of(float(hours))
    except ValueError:
        pace = None
    if pace is None and track_id in roadmap.tracks:
        return max(LEAST, round(roadmap.tracks[track_id].hours_per_week * 60))
    return pace


def minutes_of(hours: float) -> int | None:
    """Hours a week in minutes; None when nobody can plan with them."""
    minutes = round(hours * 60) if math.isfinite(hours) else 0
    return minutes if LEAST <= minutes <= MOST else None
