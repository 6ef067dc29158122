"""What the statistics show, read once: the year, the passes of each stage, the courses of ratios."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mlsys_path.progress import queries
from mlsys_path.progress.activity import Activity, activity
from mlsys_path.progress.bests import Course, courses

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class StagePasses:
    """How many of a stage's exercises have passed."""

    stage: str
    passed: int
    exercises: int


@dataclass(frozen=True, slots=True)
class Stats:
    """All of it."""

    activity: Activity
    stages: tuple[StagePasses, ...]
    courses: tuple[Course, ...]
    attempts: int  # ever
    passes: int  # ever


def stats(roadmap: Roadmap, today: date) -> Stats:
    """Read it. Raises UserError when the database cannot be read."""
    summary = queries.summary(today, renames=roadmap.renames)
    statuses = queries.statuses(renames=roadmap.renames)
    passed = {name for name, status in statuses.items() if status.passed}
    names: dict[str, list[str]] = {stage: [] for stage in roadmap.stages}
    for name in roadmap.exercises:
        names[roadmap.stage_of(name)].append(name)
    stages = (StagePasses(stage, len(passed & set(of_it)), len(of_it)) for stage, of_it in names.items())
    return Stats(
        activity(summary, today), tuple(stages), courses(roadmap.renames), summary.attempts, summary.passes
    )
