"""What a mentor holds of learners: a SQLite file of its own, to which rows are only ever added."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress import trouble
from mlsys_path.progress.opening import BUSY_SECONDS, read_only, refuse_non_file
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, CLAIM_COLUMNS, EVENT_COLUMNS

APPLICATION_ID = 0x4D4C534D  # "MLSM"
ATTEMPTS = ("learner", *ATTEMPT_COLUMNS, "stored_at", "key")
EVENTS = ("learner", *EVENT_COLUMNS)
CLAIMS = ("learner", *CLAIM_COLUMNS)


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {'REAL' if name == 'seconds' else 'TEXT'} NOT NULL" for name in names)


# table -> its columns, and what makes two rows one; a learner is known by the folded form of their name
_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "learners": ("learner TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL", ("learner",)),
    "keys": ("key TEXT NOT NULL, learner TEXT NOT NULL, at TEXT NOT NULL", ("key",)),
    "bundles": (
        "digest TEXT NOT NULL, learner TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, "
        "mentor TEXT NOT NULL, exported_at TEXT NOT NULL, imported_at TEXT NOT NULL, left_out TEXT NOT NULL",
        ("digest",),
    ),
    "attempts": (_columns(ATTEMPTS), ("learner", "id")),
    "events": (_columns(EVENTS), ("learner", "id")),
    "claims": (_columns(CLAIMS), ("learner", "id")),
    "received": (
        "learner TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL, imported_at TEXT NOT NULL",
        ("learner", "digest"),
    ),
    "blobs": ("hash TEXT NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL", ("hash",)),
    "submissions": (
        "files_hash TEXT NOT NULL, name TEXT NOT NULL, blob TEXT NOT NULL",
        ("files_hash", "name"),
    ),
    "flags": (
        "learner TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, at TEXT NOT NULL",
        ("learner", "kind", "subject", "detail"),
    ),
    "assignments": (
        "digest TEXT NOT NULL, id TEXT NOT NULL, learner TEXT NOT NULL, content TEXT NOT NULL, at TEXT NOT NULL",
        ("digest",),
    ),
    "verifications": (
        "id TEXT NOT NULL, learner TEXT NOT NULL, attempt TEXT NOT NULL, exercise TEXT NOT NULL, "
        "at TEXT NOT NULL, content TEXT NOT NULL CHECK (json_valid(content))",
        ("id",),
    ),
}
_INDEXES = (
    "CREATE INDEX attempts_by_exercise ON attempts (learner, exercise, started_at)",
    "CREATE INDEX events_by_exercise ON events (learner, exercise)",
    "CREATE INDEX verifications_by_attempt ON verifications (learner, attempt)",
)


def _m001(connection: sqlite3.Connection) -> None:
    for table, (columns, keys) in _TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({columns}, UNIQUE ({', '.join(keys)}))")
        same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
        refused = f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
        known = f"EXISTS (SELECT 1 FROM {table} WHERE {same} OR rowid = NEW.rowid)"  # noqa: S608
        connection.execute(f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} WHEN {known} {refused}")
        for verb in ("UPDATE", "DELETE"):
            connection.execute(f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} {refused}")
    for statement in _INDEXES:
        connection.execute(statement)


STEPS = (_m001,)  # append one, never edit one that was released


def ledger_path() -> Path:
    """The file, beside the mentor's own progress."""
    return locations.database_path().with_name("mentor.db")


@contextlib.contextmanager
def writing(path: Path | None = None) -> Iterator[sqlite3.Connection]:
    """A connection in a transaction: all that is written inside, or nothing. Raises UserError."""
    path = path or ledger_path()
    with trouble.explained(path):
        refuse_non_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(
            sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute("BEGIN IMMEDIATE")
            try:
                for number in range(_version(path, connection), len(STEPS)):
                    STEPS[number](connection)
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version = {number + 1}")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@contextlib.contextmanager
def reading(path: Path | None = None) -> Iterator[sqlite3.Connection | None]:
    """A connection that cannot write; None when nothing was imported yet. Raises UserError."""
    path = path or ledger_path()
    with trouble.explained(path):
        connection = read_only(path)
        if connection is None:
            yield None
            return
        with contextlib.closing(connection):
            if _version(path, connection) < len(STEPS):
                connection.close()
                with writing(path):
                    pass
                found = read_only(path)
                assert found is not None
                connection = found
            try:
                yield connection
            except (ValueError, LookupError, TypeError) as error:
                raise UserError(trouble.corrupt(path)) from error
            finally:
                connection.close()


def _version(path: Path, connection: sqlite3.Connection) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        text = _("{path} is the database of another program: move it away, or set MLSYS_PATH_HOME")
        raise UserError(text.format(path=path))
    if version > len(STEPS):
        text = _(
            "{path} was written by a newer mlsys-path (its schema is {found}, here {known}): update mlsys-path"
        )
        raise UserError(text.format(path=path, found=version, known=len(STEPS)))
    return int(version)


def add(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> bool:
    """Add a row unless one of the same key is there; whether it was added."""
    keys = _TABLES[table][1]
    same = " AND ".join(f"{key} = :{key}" for key in keys)
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    query = (
        f"INSERT INTO {table} ({names}) SELECT {values} WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608
    )
    return connection.execute(query, row).rowcount == 1
