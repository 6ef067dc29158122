"""How the best ratio of each timed thing came about. Reads the database, over the standard library's sqlite3."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import from_text
from mlsys_path.roadmap.renaming import newest_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Renames

MOST_EXERCISES = 40  # those that were timed last
MOST_ATTEMPTS = 200  # of each

# those that have a ratio are few; their last attempt is a look-up in an index
_TIMED = """
SELECT exercise FROM (SELECT DISTINCT exercise FROM ratios) r
ORDER BY (SELECT max(started_at) FROM attempts a WHERE a.exercise = r.exercise) DESC LIMIT ?
"""
# as the trigger that keeps `ratios` has it: the speed of a program that is wrong is no record
_RUNS = """
SELECT started_at, measurements FROM attempts
WHERE exercise = ? AND verdict <> 'error' AND measurements <> '[]'
    AND coalesce(json_extract(levels, '$.correct'), '') <> 'failed'
    AND coalesce(json_extract(levels, '$.gpu'), '') <> 'failed'
ORDER BY started_at DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Course:
    """The ratios of one measurement in time, oldest first, in programs that were right."""

    exercise: str
    name: str
    points: tuple[tuple[datetime, float], ...]

    @property
    def ratios(self) -> list[float]:
        """The ratios alone."""
        return [ratio for _at, ratio in self.points]

    @property
    def best(self) -> tuple[datetime, float]:
        """The best, and when it was reached first."""
        return max(self.points, key=lambda point: point[1])


def courses(renames: Renames | None = None, *, path: Path | None = None) -> tuple[Course, ...]:
    """Of each timed thing how its ratio went, the one that was timed last first. Raises UserError."""
    newest = newest_of(renames, "exercises")
    found: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    with reading(path) as connection:
        if connection is None:
            return ()
        for exercise in [row[0] for row in connection.execute(_TIMED, [MOST_EXERCISES])]:
            for name, at, ratio in _runs(connection, exercise):
                found.setdefault((newest(exercise), name), []).append((at, ratio))
    made = [Course(exercise, name, tuple(sorted(points))) for (exercise, name), points in found.items()]
    return tuple(sorted(made, key=lambda course: course.points[-1][0], reverse=True))


def _runs(connection: sqlite3.Connection, exercise: str) -> Iterator[tuple[str, datetime, float]]:
    for at, measurements in connection.execute(_RUNS, [exercise, MOST_ATTEMPTS]):
        for each in json.loads(measurements):
            ratio = each.get("ratio")
            if isinstance(each.get("name"), str) and isinstance(ratio, int | float):
                yield each["name"], from_text(at), float(ratio)
