"""Reading progress: everything shown is derived here, over the standard library's sqlite3.

No query scans the attempts: each exercise and each day costs a few look-ups, however often was tried.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from mlsys_path.levels import LEVELS, Outcome
from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import Attempt, Day, State, Status, Summary, from_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, attempt_from_row

SHOWN_DAYS = 371  # 53 weeks: a year in columns of weeks
_QUARTER = 900  # seconds

_EARLIEST = """(SELECT started_at FROM attempts a WHERE a.exercise = t.exercise AND verdict = 'passed'
    ORDER BY started_at LIMIT 1)"""
_STATUSES = f"""
SELECT exercise, attempts,
    (SELECT started_at FROM attempts a WHERE a.exercise = t.exercise
        ORDER BY started_at DESC, verdict DESC LIMIT 1),
    (SELECT verdict FROM attempts a WHERE a.exercise = t.exercise
        ORDER BY started_at DESC, verdict DESC LIMIT 1),
    (SELECT max(best) FROM attempts a WHERE a.exercise = t.exercise),
    {_EARLIEST},
    (SELECT exercise_hash FROM attempts a WHERE a.exercise = t.exercise AND verdict = 'passed'
        ORDER BY started_at DESC LIMIT 1)
FROM tallies t
"""  # noqa: S608  (a part of the same query)
_UNTRIED = (0, "", "", 0, None, None)
# there is one event for each thing that a person did by hand, so all of them are read
_EVENTS = """
SELECT exercise, kind, max(at), max(CASE kind WHEN 'hint' THEN CAST(detail AS INTEGER) END)
FROM events GROUP BY exercise, kind
"""
_BETWEEN = "SELECT coalesce(sum(attempts), 0) FROM activity WHERE quarter >= ? AND quarter < ?"


def statuses(
    exercise_hashes: Mapping[str, str] | None = None, *, path: Path | None = None
) -> dict[str, Status]:
    """How the learner stands with every exercise that they ever touched; `Status(id)` is that of any other.

    `exercise_hashes` are those of the exercises as they are on disk: they tell what changed since it was passed.
    Raises UserError when the database cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return {}
        seen: dict[str, dict[str, tuple[str, int | None]]] = {}
        for exercise, kind, at, detail in connection.execute(_EVENTS):
            seen.setdefault(exercise, {})[kind] = (at, detail)
        tried = {row[0]: row[1:] for row in connection.execute(_STATUSES)}
        found = {
            exercise: _status(exercise, tried.get(exercise, _UNTRIED), seen.get(exercise, {}))
            for exercise in {**tried, **seen}
        }
    # after the database is closed, as looking a hash up may read the exercise's files
    for exercise, status in found.items():
        current = exercise_hashes.get(exercise) if exercise_hashes and status.passed else None
        if current and current != tried[exercise][-1]:
            found[exercise] = replace(status, exercise_changed=True)
    return found


def _status(exercise: str, tried: tuple[Any, ...], seen: dict[str, tuple[str, int | None]]) -> Status:
    attempts, last_at, verdict, best, passed_at, _passed_hash = tried
    reset_since = "reset" in seen and seen["reset"][0] > last_at
    state: State
    if passed_at:
        state = "passed"
    elif attempts and not reset_since:
        state = Outcome(verdict).value
    else:
        state = "started" if "started" in seen or "reset" in seen else "new"
    last_hint = seen.get("hint", ("", None))[1]
    return Status(
        exercise,
        state,
        best_level=LEVELS[best - 1] if best else None,
        attempts=attempts,
        last_attempt_at=from_text(last_at) if last_at else None,
        passed_at=from_text(passed_at) if passed_at else None,
        last_failed=verdict in (Outcome.FAILED, Outcome.ERROR) and not reset_since,
        hints=0 if last_hint is None else last_hint + 1,
        solution_seen="solution" in seen,
    )


def attempts(
    exercise: str | None = None, limit: int = 20, *, path: Path | None = None
) -> tuple[Attempt, ...]:
    """The last attempts at an exercise (at any, when None), newest first."""
    # an id begins with its time, so the newest of all are found without an index of their own
    order = "id DESC" if exercise is None else "started_at DESC, rowid DESC"
    where = "" if exercise is None else "WHERE exercise = :exercise"
    query = f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts {where} ORDER BY {order} LIMIT :limit"  # noqa: S608
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute(query, {"exercise": exercise, "limit": limit})
        return tuple(attempt_from_row(dict(zip(ATTEMPT_COLUMNS, row, strict=True))) for row in rows)


def summary(today: date | None = None, tz: tzinfo | None = None, *, path: Path | None = None) -> Summary:
    """Totals, streak and the last 53 weeks by day; days are those of `tz`, else of the local time zone."""
    today = today or datetime.now(tz).date()
    with reading(path) as connection:
        if connection is None:
            return Summary(0, 0, 0)
        total = connection.execute("SELECT coalesce(sum(attempts), 0) FROM tallies").fetchone()[0]
        first_passes = connection.execute(f"SELECT {_EARLIEST} FROM tallies t")  # noqa: S608
        passed = [from_text(at).astimezone(tz).date() for (at,) in first_passes if at]
        shown = (today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1))
        days = (Day(day, _attempts_on(connection, day, tz), passed.count(day)) for day in shown)
        return Summary(
            _streak(connection, today, tz), len(passed), total, tuple(d for d in days if d.attempts)
        )


def _attempts_on(connection: sqlite3.Connection, day: date, tz: tzinfo | None) -> int:
    bounds = (_first_quarter(day, tz), _first_quarter(day + timedelta(days=1), tz))
    return int(connection.execute(_BETWEEN, bounds).fetchone()[0])


def _first_quarter(day: date, tz: tzinfo | None) -> int:
    # a datetime without a zone is one of the local zone
    return math.ceil(datetime.combine(day, time(), tz).timestamp() / _QUARTER)


def _streak(connection: sqlite3.Connection, today: date, tz: tzinfo | None) -> int:
    """Days in a row with an attempt; a day that has only begun does not break it."""
    streak = 1 if _attempts_on(connection, today, tz) else 0
    day = today - timedelta(days=1)
    while _attempts_on(connection, day, tz):
        streak, day = streak + 1, day - timedelta(days=1)
    return streak


def best_ratio(exercise: str, name: str, *, path: Path | None = None) -> float | None:
    """The best ratio that a measurement of an exercise had in a program that was right; None without one."""
    query = "SELECT best FROM ratios WHERE exercise = ? AND name = ?"
    with reading(path) as connection:
        row = connection.execute(query, [exercise, name]).fetchone() if connection else None
        return float(row[0]) if row else None


def hints_seen(exercise: str, *, path: Path | None = None) -> int:
    """How many hints of an exercise the learner has seen."""
    query = "SELECT max(CAST(detail AS INTEGER)) FROM events WHERE exercise = ? AND kind = 'hint'"
    with reading(path) as connection:
        last = connection.execute(query, [exercise]).fetchone()[0] if connection else None
        return 0 if last is None else int(last) + 1


def setting(key: str, default: str = "", *, path: Path | None = None) -> str:
    """What was remembered under `key`, such as the track that is followed."""
    query = "SELECT value FROM settings WHERE key = ?"
    with reading(path) as connection:
        row = connection.execute(query, [key]).fetchone() if connection else None
        return str(row[0]) if row else default
