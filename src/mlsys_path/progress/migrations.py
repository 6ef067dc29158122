"""The database's schema as a list of steps: append a function to `STEPS`, never edit one that was released.

`PRAGMA user_version` is the number of steps applied, so that a reader knows the version without sqlite-utils;
sqlite-utils keeps the names and times of the steps in `_sqlite_migrations`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x4D4C5350  # "MLSP", shown by file(1): a database of another program is never touched
SET = "mlsys_path"

# Attempts and events are facts, settings are wishes. `tallies`, `activity` and `ratios` are indexes of kinds
# that SQLite lacks (a count, a maximum inside JSON): triggers keep them, and they follow from `attempts` alone.
_M001 = """
CREATE TABLE attempts (
    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 26),
    exercise TEXT NOT NULL CHECK (exercise <> ''),
    started_at TEXT NOT NULL CHECK (length(started_at) = 27 AND strftime('%s', started_at) IS NOT NULL),
    seconds REAL NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('passed', 'failed', 'error', 'open')),
    levels TEXT NOT NULL CHECK (json_valid(levels)),
    files_hash TEXT NOT NULL,
    exercise_hash TEXT NOT NULL,
    measurements TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(measurements)),
    machine TEXT NOT NULL DEFAULT '',
    sandbox TEXT NOT NULL DEFAULT '',
    failing_check TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    best INTEGER GENERATED ALWAYS AS (CASE 'passed'
        WHEN json_extract(levels, '$.fast') THEN 4
        WHEN json_extract(levels, '$.gpu') THEN 3
        WHEN json_extract(levels, '$.compiles') THEN 2
        WHEN json_extract(levels, '$.correct') THEN 1
        ELSE 0 END) VIRTUAL
);
CREATE INDEX attempts_by_exercise ON attempts (exercise, started_at, verdict);
CREATE INDEX attempts_by_best ON attempts (exercise, best);
CREATE INDEX attempts_passed ON attempts (exercise, started_at, exercise_hash) WHERE verdict = 'passed';

CREATE TABLE events (
    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 26),
    exercise TEXT NOT NULL CHECK (exercise <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('started', 'hint', 'solution', 'reset')),
    at TEXT NOT NULL CHECK (length(at) = 27 AND strftime('%s', at) IS NOT NULL),
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX events_by_exercise ON events (exercise, kind, at, detail);

CREATE TABLE settings (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL,
    changed_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE tallies (
    exercise TEXT PRIMARY KEY NOT NULL,
    attempts INTEGER NOT NULL
) WITHOUT ROWID;

-- attempts by quarter of an hour since 1970: the day of every time zone begins with one
CREATE TABLE activity (
    quarter INTEGER PRIMARY KEY NOT NULL,
    attempts INTEGER NOT NULL
);

CREATE TABLE ratios (
    exercise TEXT NOT NULL,
    name TEXT NOT NULL,
    best REAL NOT NULL,
    PRIMARY KEY (exercise, name)
) WITHOUT ROWID;

CREATE TRIGGER attempts_tally AFTER INSERT ON attempts BEGIN
    INSERT INTO tallies (exercise, attempts) VALUES (NEW.exercise, 1)
        ON CONFLICT (exercise) DO UPDATE SET attempts = attempts + 1;
    INSERT INTO activity (quarter, attempts) VALUES (CAST(strftime('%s', NEW.started_at) AS INTEGER) / 900, 1)
        ON CONFLICT (quarter) DO UPDATE SET attempts = attempts + 1;
END;

-- the speed of a program that is wrong is no record
CREATE TRIGGER attempts_ratios AFTER INSERT ON attempts
WHEN NEW.verdict <> 'error' AND NEW.measurements <> '[]'
    AND coalesce(json_extract(NEW.levels, '$.correct'), '') <> 'failed'
    AND coalesce(json_extract(NEW.levels, '$.gpu'), '') <> 'failed'
BEGIN
    INSERT INTO ratios (exercise, name, best)
        SELECT NEW.exercise, json_extract(value, '$.name'), max(json_extract(value, '$.ratio'))
        FROM json_each(NEW.measurements)
        WHERE json_type(value, '$.ratio') IN ('real', 'integer') AND json_type(value, '$.name') = 'text'
        GROUP BY 2
        ON CONFLICT (exercise, name) DO UPDATE SET best = max(best, excluded.best);
END;

-- INSERT OR REPLACE deletes without firing a DELETE trigger, so what is known is refused before
CREATE TRIGGER attempts_once BEFORE INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM attempts WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'attempts are append-only: this id is known'); END;
CREATE TRIGGER attempts_update BEFORE UPDATE ON attempts
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
CREATE TRIGGER attempts_delete BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
CREATE TRIGGER events_once BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'events are append-only: this id is known'); END;
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
"""

# What the learner says of themselves: kept as strictly as what they did, and apart from it.
_M002 = """
CREATE TABLE claims (
    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 26),
    kind TEXT NOT NULL CHECK (kind IN ('topic', 'resource', 'stage', 'exercise')),
    subject TEXT NOT NULL CHECK (subject <> ''),
    claim TEXT NOT NULL CHECK (claim IN ('read', 'known', 'none', 'diagnostic')),
    at TEXT NOT NULL CHECK (length(at) = 27 AND strftime('%s', at) IS NOT NULL),
    detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
    CHECK (claim <> 'diagnostic' OR kind = 'stage')
);
CREATE INDEX claims_by_subject ON claims (kind, subject, at, id);
CREATE TRIGGER claims_once BEFORE INSERT ON claims
WHEN EXISTS (SELECT 1 FROM claims WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'claims are append-only: this id is known'); END;
CREATE TRIGGER claims_update BEFORE UPDATE ON claims
BEGIN SELECT RAISE(ABORT, 'claims are append-only'); END;
CREATE TRIGGER claims_delete BEFORE DELETE ON claims
BEGIN SELECT RAISE(ABORT, 'claims are append-only'); END;
"""


# A part of a resource is a subject too; SQLite changes no CHECK, so the rows move to a table that has it.
_M003 = """
CREATE TABLE claims_with_readings (
    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 26),
    kind TEXT NOT NULL CHECK (kind IN ('topic', 'resource', 'stage', 'exercise', 'reading')),
    subject TEXT NOT NULL CHECK (subject <> ''),
    claim TEXT NOT NULL CHECK (claim IN ('read', 'known', 'none', 'diagnostic')),
    at TEXT NOT NULL CHECK (length(at) = 27 AND strftime('%s', at) IS NOT NULL),
    detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
    CHECK (claim <> 'diagnostic' OR kind = 'stage')
);
INSERT INTO claims_with_readings SELECT id, kind, subject, claim, at, detail FROM claims ORDER BY rowid;
DROP TABLE claims;
ALTER TABLE claims_with_readings RENAME TO claims;
CREATE INDEX claims_by_subject ON claims (kind, subject, at, id);
CREATE TRIGGER claims_once BEFORE INSERT ON claims
WHEN EXISTS (SELECT 1 FROM claims WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'claims are append-only: this id is known'); END;
CREATE TRIGGER claims_update BEFORE UPDATE ON claims
BEGIN SELECT RAISE(ABORT, 'claims are append-only'); END;
CREATE TRIGGER claims_delete BEFORE DELETE ON claims
BEGIN SELECT RAISE(ABORT, 'claims are append-only'); END;
"""

# What was submitted, by content; when each attempt was stored, by the clock of then; what a mentor assigned.
_M004 = """
CREATE TABLE blobs (
    hash TEXT PRIMARY KEY NOT NULL CHECK (length(hash) = 64),
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE submissions (
    files_hash TEXT NOT NULL CHECK (length(files_hash) = 64),
    name TEXT NOT NULL CHECK (name <> ''),
    blob TEXT NOT NULL REFERENCES blobs (hash),
    PRIMARY KEY (files_hash, name)
) WITHOUT ROWID;
CREATE TABLE stored (
    attempt TEXT PRIMARY KEY NOT NULL,
    at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE assignments (
    digest TEXT PRIMARY KEY NOT NULL CHECK (length(digest) = 64),
    id TEXT NOT NULL CHECK (length(id) = 26),
    content TEXT NOT NULL CHECK (json_valid(content)),
    imported_at TEXT NOT NULL
);

CREATE TRIGGER attempts_stored AFTER INSERT ON attempts BEGIN
    INSERT INTO stored (attempt, at) VALUES (NEW.id, strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z');
END;
"""
_APPEND_ONLY = """
CREATE TRIGGER {table}_once BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(ABORT, '{table} are append-only: this is known'); END;
CREATE TRIGGER {table}_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END;
CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END;
"""
_M004_KEYS = {
    "blobs": "hash = NEW.hash OR rowid = NEW.rowid",
    "submissions": "files_hash = NEW.files_hash AND name = NEW.name",
    "stored": "attempt = NEW.attempt",
    "assignments": "digest = NEW.digest OR rowid = NEW.rowid",
}


def m001_attempts_events_settings(db: Database) -> None:
    """The first schema."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _statements(_M001):
        db.execute(statement)


def m002_claims(db: Database) -> None:
    """What the learner says that they have read or know, and how they answered diagnostics."""
    for statement in _statements(_M002):
        db.execute(statement)


def m003_readings(db: Database) -> None:
    """What the learner says of a part of a resource."""
    for statement in _statements(_M003):
        db.execute(statement)


def m004_submissions_and_assignments(db: Database) -> None:
    """The files that were submitted, when attempts were stored, and what comes from mentors."""
    for statement in _statements(_M004):
        db.execute(statement)
    for table, same in _M004_KEYS.items():
        for statement in _statements(_APPEND_ONLY.format(table=table, same=same)):
            db.execute(statement)


STEPS: tuple[Callable[[Database], None], ...] = (
    m001_attempts_events_settings,
    m002_claims,
    m003_readings,
    m004_submissions_and_assignments,
)


def version() -> int:
    """The schema version that this program reads and writes."""
    return len(STEPS)


def registered() -> Migrations:
    """The steps as sqlite-utils applies them; each also sets `user_version` to its own number."""
    from sqlite_utils import Migrations

    steps = Migrations(SET)
    for number, step in enumerate(STEPS, start=1):
        steps(name=step.__name__)(_numbered(number, step))
    return steps


def _numbered(number: int, step: Callable[[Database], None]) -> Callable[[Database], None]:
    def apply(db: Database) -> None:
        step(db)
        db.execute(f"PRAGMA user_version = {number}")

    return apply


def _statements(script: str) -> list[str]:
    """The single statements of a script: `executescript` would commit the transaction that a step runs in."""
    import sqlite3

    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return statements
