"""Reading progress: everything shown is derived here, over the standard library's sqlite3.

No query scans the attempts: each exercise and each day costs a few look-ups, however often was tried. Where `renames`
are given, what was stored under an earlier id counts for the present one; the rows stay as they are.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsys_path.progress.deriving import Touched, by_present_id, merge, status
from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import Attempt, Claim, ClaimKind, Claims, Day, Status, Summary, from_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, CLAIM_COLUMNS, attempt_from_row, claim_from_row
from mlsys_path.roadmap.renaming import earlier, newest_of, newest_reading

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Renames

TRACK_SETTING = "track"  # the id of the track that is followed
HOURS_SETTING = "hours-per-week"  # what `plan --hours` said last
SHOWN_DAYS = 371  # 53 weeks: a year in columns of weeks
_QUARTER = 900  # seconds

_EARLIEST = """(SELECT started_at FROM attempts a WHERE a.exercise = t.exercise AND verdict = 'passed'
    ORDER BY started_at LIMIT 1)"""
_LATEST = """(SELECT {column} FROM attempts a WHERE a.exercise = t.exercise AND verdict = 'passed'
    ORDER BY started_at DESC LIMIT 1)"""
_TRIED = f"""
SELECT exercise, attempts,
    (SELECT started_at FROM attempts a WHERE a.exercise = t.exercise
        ORDER BY started_at DESC, verdict DESC LIMIT 1),
    (SELECT verdict FROM attempts a WHERE a.exercise = t.exercise
        ORDER BY started_at DESC, verdict DESC LIMIT 1),
    (SELECT max(best) FROM attempts a WHERE a.exercise = t.exercise),
    {_EARLIEST}, {_LATEST.format(column="started_at")}, {_LATEST.format(column="exercise_hash")}
FROM tallies t
"""  # noqa: S608  (parts of the same query)
# there is one event for each thing that a person did by hand, so all of them are read
_EVENTS = """
SELECT exercise, kind, max(at), max(CASE kind WHEN 'hint' THEN CAST(detail AS INTEGER) END)
FROM events GROUP BY exercise, kind
"""
_BETWEEN = "SELECT coalesce(sum(attempts), 0) FROM activity WHERE quarter >= ? AND quarter < ?"


def statuses(
    exercise_hashes: Mapping[str, str] | None = None,
    renames: Renames | None = None,
    *,
    path: Path | None = None,
) -> dict[str, Status]:
    """How the learner stands with every exercise that they ever touched; `Status(id)` is that of any other.

    `exercise_hashes` are those of the exercises as they are on disk: they tell what changed since it was passed.
    Raises UserError when the database cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return {}
        touched = by_present_id(_touched(connection), newest_of(renames, "exercises"), merge)
        found = {exercise: status(exercise, each) for exercise, each in touched.items()}
    # after the database is closed, as looking a hash up may read the exercise's files
    for exercise, each in found.items():
        current = exercise_hashes.get(exercise) if exercise_hashes and each.passed else None
        if current and current != touched[exercise].passed_hash:
            found[exercise] = replace(each, exercise_changed=True)
    return found


def _touched(connection: sqlite3.Connection) -> Iterator[tuple[str, Touched]]:
    for exercise, kind, at, index in connection.execute(_EVENTS):
        yield exercise, Touched(seen={kind: (at, index)})
    for exercise, attempts, last_at, verdict, best, *passes in connection.execute(_TRIED):
        first_pass, last_pass, passed_hash = (text or "" for text in passes)
        yield exercise, Touched(attempts, last_at, verdict, best, first_pass, last_pass, passed_hash)


def attempts(
    exercise: str | None = None,
    limit: int = 20,
    renames: Renames | None = None,
    *,
    path: Path | None = None,
) -> tuple[Attempt, ...]:
    """The last attempts at an exercise (at any, when None), newest first, each under its present id."""
    # an id begins with its time, so the newest of all are found without an index of their own
    order = "id DESC" if exercise is None else "started_at DESC, rowid DESC"
    where = "" if exercise is None else "WHERE exercise = :exercise"
    query = f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts {where} ORDER BY {order} LIMIT :limit"  # noqa: S608
    newest = newest_of(renames, "exercises")
    with reading(path) as connection:
        if connection is None:
            return ()
        found: list[Attempt] = []
        for name in (None,) if exercise is None else _names(renames, exercise):
            rows = connection.execute(query, {"exercise": name, "limit": limit})
            found += (attempt_from_row(dict(zip(ATTEMPT_COLUMNS, row, strict=True))) for row in rows)
    if exercise is not None:
        # those of one name come in order already, and sorting leaves them so
        found.sort(key=lambda attempt: attempt.started_at, reverse=True)
    return tuple(replace(attempt, exercise=newest(attempt.exercise)) for attempt in found[:limit])


def _names(renames: Renames | None, exercise: str) -> tuple[str, ...]:
    """Every id under which something may be stored of an exercise."""
    if renames is None:
        return (exercise,)
    present = renames.newest("exercises", exercise)
    return present, *earlier(renames, "exercises", present)


def summary(
    today: date | None = None,
    tz: tzinfo | None = None,
    renames: Renames | None = None,
    *,
    path: Path | None = None,
) -> Summary:
    """Totals, streak and the last 53 weeks by day; days are those of `tz`, else of the local time zone."""
    today = today or datetime.now(tz).date()
    with reading(path) as connection:
        if connection is None:
            return Summary(0, 0, 0)
        total = connection.execute("SELECT coalesce(sum(attempts), 0) FROM tallies").fetchone()[0]
        passes = connection.execute(f"SELECT exercise, {_EARLIEST} FROM tallies t")  # noqa: S608
        first = by_present_id((row for row in passes if row[1]), newest_of(renames, "exercises"), min)
        passed = [from_text(at).astimezone(tz).date() for at in first.values()]
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


def best_ratio(
    exercise: str, name: str, renames: Renames | None = None, *, path: Path | None = None
) -> float | None:
    """The best ratio that a measurement of an exercise had in a program that was right; None without one."""
    found = _each_name(
        "SELECT best FROM ratios WHERE exercise = :exercise AND name = :name",
        _names(renames, exercise),
        path,
        name=name,
    )
    return max(map(float, found), default=None)


def hints_seen(exercise: str, renames: Renames | None = None, *, path: Path | None = None) -> int:
    """How many hints of an exercise the learner has seen."""
    found = _each_name(
        "SELECT max(CAST(detail AS INTEGER)) FROM events WHERE exercise = :exercise AND kind = 'hint'",
        _names(renames, exercise),
        path,
    )
    return max((int(last) + 1 for last in found), default=0)


def _each_name(query: str, names: tuple[str, ...], path: Path | None, **values: str) -> list[Any]:
    """The value that a query has for each name of an exercise, where it has one."""
    with reading(path) as connection:
        if connection is None:
            return []
        rows = [connection.execute(query, {"exercise": name, **values}).fetchone() for name in names]
        return [row[0] for row in rows if row is not None and row[0] is not None]


def claims(renames: Renames | None = None, *, path: Path | None = None) -> Claims:
    """The latest that the learner has said of each thing by its present id, and the latest diagnostic of each stage."""
    words: dict[tuple[ClaimKind, str], Claim] = {}
    diagnostics: dict[str, Claim] = {}
    # a person says each of them by hand, so all of them are read
    query = f"SELECT {', '.join(CLAIM_COLUMNS)} FROM claims ORDER BY kind, subject, at, id"  # noqa: S608
    with reading(path) as connection:
        if connection is None:
            return Claims()
        for row in connection.execute(query):
            claim = claim_from_row(dict(zip(CLAIM_COLUMNS, row, strict=True)))
            if claim.claim == "diagnostic":
                diagnostics[claim.subject] = claim
                continue
            if renames is not None:
                claim = replace(claim, subject=_present(renames, claim))
            before = words.get((claim.kind, claim.subject))
            if before is None or before.order < claim.order:
                words[claim.kind, claim.subject] = claim
    return Claims(words, diagnostics)


def _present(renames: Renames, claim: Claim) -> str:
    """What the subject of a claim is called now."""
    match claim.kind:
        case "stage":
            return claim.subject
        case "reading":
            return newest_reading(renames, claim.subject)
        case kind:
            return renames.newest(kind + "s", claim.subject)


def setting(key: str, default: str = "", *, path: Path | None = None) -> str:
    """What was remembered under `key`, such as the track that is followed."""
    query = "SELECT value FROM settings WHERE key = ?"
    with reading(path) as connection:
        row = connection.execute(query, [key]).fetchone() if connection else None
        return str(row[0]) if row else default


def followed_track(renames: Renames | None = None, *, path: Path | None = None) -> str:
    """The present id of the track that is followed; "" without one."""
    return newest_of(renames, "tracks")(setting(TRACK_SETTING, path=path))
