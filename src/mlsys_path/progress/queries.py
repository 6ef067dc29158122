"""Reading progress: everything shown is derived here, through indexes, over the standard library's sqlite3.

No query scans the attempts: each exercise costs a few look-ups however often it was tried.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.levels import LEVELS
from mlsys_path.progress import trouble
from mlsys_path.progress.migrations import VERSION
from mlsys_path.progress.opening import read_only, recognise
from mlsys_path.progress.records import Attempt, Day, State, Status, Summary, from_text, to_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, attempt_from_row

SHOWN_DAYS = 371  # 53 weeks, a year of columns

_STATUSES = """
WITH last AS (
    SELECT exercise, attempts,
        (SELECT started_at FROM attempts a WHERE a.exercise = t.exercise ORDER BY started_at DESC LIMIT 1) AS at,
        (SELECT verdict FROM attempts a WHERE a.exercise = t.exercise ORDER BY started_at DESC LIMIT 1) AS verdict,
        (SELECT max(best) FROM attempts a WHERE a.exercise = t.exercise) AS best
    FROM tallies t)
SELECT last.*,
    (SELECT started_at FROM attempts a WHERE a.exercise = last.exercise AND verdict = 'passed'
        ORDER BY started_at LIMIT 1) AS passed_at,
    (SELECT exercise_hash FROM attempts a WHERE a.exercise = last.exercise AND verdict = 'passed'
        ORDER BY started_at DESC LIMIT 1) AS passed_hash
FROM last
"""
_EVENTS = """
SELECT exercise, kind, max(at), max(CASE kind WHEN 'hint' THEN CAST(detail AS INTEGER) END)
FROM events GROUP BY exercise, kind
"""


@contextlib.contextmanager
def reading(path: Path | None) -> Iterator[sqlite3.Connection | None]:
    path = path or locations.database_path()
    with trouble.explained(path):
        connection = read_only(path)
        if connection is None:
            yield None
            return
        try:
            version = recognise(path, connection)
            if 0 < version < VERSION:
                connection.close()
                connection = _migrated(path)
            try:
                yield connection if version else None
            except (ValueError, KeyError, TypeError) as error:
                # nothing that was written through the store reads so
                raise UserError(trouble.corrupt(path)) from error
        finally:
            connection.close()


def _migrated(path: Path) -> sqlite3.Connection:
    from mlsys_path.progress.store import Store

    Store.open(path).close()
    connection = read_only(path)
    assert connection is not None
    return connection


def statuses(
    exercise_hashes: Mapping[str, str] | None = None, *, path: Path | None = None
) -> dict[str, Status]:
    """How the learner stands with every exercise that they ever touched; `Status(id)` is that of any other.

    `exercise_hashes` are those of the exercises as they are on disk: they tell whether one changed since it was passed.
    Raises UserError when the database cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return {}
        seen: dict[str, dict[str, tuple[str, int | None]]] = {}
        for exercise, kind, at, detail in connection.execute(_EVENTS):
            seen.setdefault(exercise, {})[kind] = (at, detail)
        tried = {row[0]: row for row in connection.execute(_STATUSES)}
        hashes = exercise_hashes or {}
        return {
            exercise: _status(exercise, tried.get(exercise), seen.get(exercise, {}), hashes.get(exercise))
            for exercise in {**tried, **seen}
        }


def _status(
    exercise: str,
    tried: tuple[Any, ...] | None,
    seen: dict[str, tuple[str, int | None]],
    current_hash: str | None,
) -> Status:
    _exercise, attempts, last_at, verdict, best, passed_at, passed_hash = tried or (
        exercise,
        0,
        "",
        "",
        0,
        None,
        None,
    )
    reset_since = "reset" in seen and seen["reset"][0] > last_at
    state: State
    if passed_at:
        state = "passed"
    elif attempts and not reset_since:
        state = verdict
    else:
        state = "started" if "started" in seen or "reset" in seen else "new"
    hints = seen.get("hint", ("", None))[1]
    return Status(
        exercise,
        state,
        best_level=LEVELS[best - 1] if best else None,
        attempts=attempts,
        last_attempt_at=from_text(last_at) if last_at else None,
        passed_at=from_text(passed_at) if passed_at else None,
        last_failed=verdict in ("failed", "error") and not reset_since,
        exercise_changed=bool(passed_at and current_hash and passed_hash != current_hash),
        hints=0 if hints is None else hints + 1,
        solution_seen="solution" in seen,
    )


def attempts(
    exercise: str | None = None, limit: int = 20, *, path: Path | None = None
) -> tuple[Attempt, ...]:
    """The last attempts at an exercise (at any, when None), newest first."""
    where = "WHERE exercise = ?" if exercise is not None else ""
    query = f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts {where} ORDER BY started_at DESC, rowid DESC LIMIT ?"  # noqa: S608
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute(query, [*([exercise] if exercise is not None else []), limit])
        return tuple(attempt_from_row(dict(zip(ATTEMPT_COLUMNS, row, strict=True))) for row in rows)


def summary(today: date | None = None, tz: tzinfo | None = None, *, path: Path | None = None) -> Summary:
    """Totals, streak and the last 53 weeks by day, as days are in `tz` (else in the local time zone)."""
    today = today or datetime.now(tz).date()
    with reading(path) as connection:
        if connection is None:
            return Summary(0, 0, 0)
        total = connection.execute("SELECT coalesce(sum(attempts), 0) FROM tallies").fetchone()[0]
        passed = [_local(row[0], tz) for row in connection.execute(_FIRST_PASSES)]
        days = []
        for back in range(SHOWN_DAYS - 1, -1, -1):
            day = today - timedelta(days=back)
            count = connection.execute(_COUNT_BETWEEN, _bounds(day, tz)).fetchone()[0]
            if count:
                days.append(Day(day, count, passed.count(day)))
        return Summary(_streak(connection, today, tz), len(passed), total, tuple(days))


_FIRST_PASSES = """
SELECT at FROM (
    SELECT (SELECT started_at FROM attempts a WHERE a.exercise = t.exercise AND verdict = 'passed'
        ORDER BY started_at LIMIT 1) AS at
    FROM tallies t)
WHERE at IS NOT NULL
"""
_COUNT_BETWEEN = "SELECT count(*) FROM attempts WHERE started_at >= ? AND started_at < ?"
_LAST_BEFORE = "SELECT max(started_at) FROM attempts WHERE started_at < ?"


def _bounds(day: date, tz: tzinfo | None) -> tuple[str, str]:
    return _midnight(day, tz), _midnight(day + timedelta(days=1), tz)


def _midnight(day: date, tz: tzinfo | None) -> str:
    naive = datetime.combine(day, time())
    return to_text(naive.replace(tzinfo=tz) if tz else naive.astimezone())


def _local(text: str, tz: tzinfo | None) -> date:
    return from_text(text).replace(tzinfo=UTC).astimezone(tz).date()


def _streak(connection: sqlite3.Connection, today: date, tz: tzinfo | None) -> int:
    # one look-up a day: the newest attempt before the day that must have had one
    streak, day = 0, today
    while last := connection.execute(_LAST_BEFORE, [_bounds(day, tz)[1]]).fetchone()[0]:
        found = _local(last, tz)
        if found != day and not (streak == 0 and found == today - timedelta(days=1)):
            break
        streak, day = streak + 1, found - timedelta(days=1)
    return streak


def best_ratio(exercise: str, name: str, *, path: Path | None = None) -> float | None:
    """The best ratio that a measurement of an exercise ever had, by a program that was right; None without one."""
    with reading(path) as connection:
        if connection is None:
            return None
        row = connection.execute(
            "SELECT best FROM ratios WHERE exercise = ? AND name = ?", [exercise, name]
        ).fetchone()
        return float(row[0]) if row else None


def hints_seen(exercise: str, *, path: Path | None = None) -> int:
    """How many hints of an exercise the learner has seen."""
    query = "SELECT max(CAST(detail AS INTEGER)) FROM events WHERE exercise = ? AND kind = 'hint'"
    with reading(path) as connection:
        last = connection.execute(query, [exercise]).fetchone()[0] if connection else None
        return 0 if last is None else int(last) + 1


def setting(key: str, default: str = "", *, path: Path | None = None) -> str:
    """What was remembered under `key`, such as the track that is followed."""
    with reading(path) as connection:
        row = (
            connection.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
            if connection
            else None
        )
        return str(row[0]) if row else default
