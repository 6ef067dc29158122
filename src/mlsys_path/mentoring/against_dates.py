"""How a learner stands with an assignment, against its dates. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from mlsys_path.mentoring.forecast import Forecast, forecast
from mlsys_path.mentoring.matrix import Cell, row

if TYPE_CHECKING:
    from mlsys_path.mentoring.assignment import Assignment
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class Course:
    """One assignment of one learner, on a day."""

    learner: str
    assignment: Assignment
    received: bool  # the learner's program has it, as their last bundle says
    cells: tuple[Cell, ...]
    overdue: tuple[str, ...]
    forecast: Forecast

    @property
    def done(self) -> int:
        """How many exercises are done."""
        return sum(cell.done for cell in self.cells)

    @property
    def undone(self) -> int:
        """How many are left."""
        return len(self.cells) - self.done


def courses(roadmap: Roadmap, learner: Learner, now: datetime, today: date) -> tuple[Course, ...]:
    """Each assignment of a learner; `roadmap` has their tracks."""
    return tuple(_course(roadmap, learner, each, now, today) for each in learner.assignments)


def _course(roadmap: Roadmap, learner: Learner, each: Assignment, now: datetime, today: date) -> Course:
    track = roadmap.renames.newest("tracks", each.track.id)
    names = roadmap.track_exercises(track) if track in roadmap.tracks else ()
    cells = row(roadmap, learner, names, now)
    first: dict[str, date] = {}
    for attempt in learner.attempts:
        if attempt.passed:
            first.setdefault(attempt.exercise, attempt.started_at.astimezone(now.tzinfo).date())
    minutes = {cell.exercise: roadmap.exercises[cell.exercise].minutes for cell in cells}
    dues = [day for cell in cells if not cell.done and (day := each.due_for(cell.exercise))]
    last = date.fromisoformat(each.due) if each.due else max(dues, default=None)
    return Course(
        learner.name,
        each,
        each.digest in learner.received,
        cells,
        tuple(
            cell.exercise
            for cell in cells
            if not cell.done and (day := each.due_for(cell.exercise)) and day < today
        ),
        forecast(
            sum(minutes[cell.exercise] for cell in cells if not cell.done),
            [
                (day, roadmap.exercises[name].minutes)
                for name, day in first.items()
                if name in roadmap.exercises
            ],
            date.fromisoformat(each.assigned_at[:10]),
            today,
            last,
        ),
    )
