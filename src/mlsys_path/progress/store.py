"""The one writer of progress: SQLite in WAL mode through sqlite-utils.

What is at the path is looked at before anything is written: a folder, another program's file, a damaged file
and a newer version's database are refused and left as they were.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.progress import migrations, submitted, trouble
from mlsys_path.progress.opening import BUSY_SECONDS, read_only, recognise
from mlsys_path.progress.records import (
    EVENT_KINDS,
    Attempt,
    Claim,
    ClaimKind,
    ClaimWord,
    Event,
    EventKind,
    new_id,
    now,
    to_text,
)
from mlsys_path.progress.rows import attempt_to_row, claim_from_row, claim_to_row, event_to_row

if TYPE_CHECKING:
    from sqlite_utils import Database

SMALL_BYTES = 4 << 20  # a file up to this size is checked as a whole when it is opened: some milliseconds


class Store:
    """Writes attempts, events, claims and settings. Safe to use from several threads of a process."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self._database = database
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | None = None) -> Store:
        """Open the database at `path` (else `locations.database_path()`), creating or migrating it.

        Raises UserError, with the file as it was, when it cannot be written or is not ours to write.
        """
        path = path or locations.database_path()
        with trouble.explained(path):
            version = _inspect(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            try:
                return cls(path, _prepare(path, connection, version))
            except BaseException:
                connection.close()
                raise

    def record(self, attempt: Attempt, files: Mapping[str, bytes] | None = None) -> None:
        """Store a finished attempt and what was submitted: when this returns, it survives a crash. Raises UserError."""
        with self.transaction() as database:
            if files:
                submitted.keep(database.conn, attempt.files_hash, files)
            database.table("attempts").insert(attempt_to_row(attempt))

    def record_event(self, exercise: str, kind: EventKind, detail: str = "") -> Event:
        """Store what the learner did with an exercise; `detail` of a hint is its index, from 0."""
        if kind not in EVENT_KINDS:
            raise ValueError(f"unknown kind of event: {kind!r}")
        event = Event(new_id(), exercise, kind, now(), detail)
        with self.transaction() as database:
            database.table("events").insert(event_to_row(event))
        return event

    def claim(
        self, kind: ClaimKind, subject: str, claim: ClaimWord, detail: Mapping[str, Any] | None = None
    ) -> Claim:
        """Store what the learner says of themselves; of a diagnostic `detail` says `right` and `of`."""
        said = Claim(new_id(), kind, subject, claim, now(), dict(detail or {}))
        row = claim_to_row(said)
        claim_from_row(row)
        with self.transaction() as database:
            database.table("claims").insert(row)
        return said

    def set_setting(self, key: str, value: str | None) -> None:
        """Remember a setting such as the track that is followed; None forgets it."""
        with self.transaction() as database:
            if value is None:
                database.execute("DELETE FROM settings WHERE key = ?", [key])
            else:
                row = {"key": key, "value": value, "changed_at": to_text(now())}
                database.table("settings").upsert(row, pk="key")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Database]:
        """All of the writes inside or none of them."""
        with self._lock, trouble.explained(self.path):
            connection = self._database.conn
            # a deferred one that reads before it writes fails at once when another has written between
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                connection.execute("COMMIT")
            except BaseException:
                # some errors have ended the transaction already
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file; nothing is waiting to be written."""
        self._database.conn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _inspect(path: Path) -> int:
    """The version of what is at `path`, 0 of nothing. Read-only: a writer's first touch may change a file."""
    connection = read_only(path)
    if connection is None:
        return 0
    with contextlib.closing(connection):
        version = recognise(path, connection)
        small = path.stat().st_size <= SMALL_BYTES
        if (small or version < migrations.version()) and connection.execute(
            "PRAGMA quick_check(1)"
        ).fetchall() != [("ok",)]:
            raise UserError(trouble.corrupt(path))
        return version


def _prepare(path: Path, connection: sqlite3.Connection, version: int) -> Database:
    from sqlite_utils import Database

    connection.execute("PRAGMA foreign_keys = ON")
    _use_wal(connection)
    database = Database(connection, execute_plugins=False)
    if version < migrations.version():
        if version:
            back_up(path, connection, version)
        _migrate(path, connection, database)
    return database


def _use_wal(connection: sqlite3.Connection) -> None:
    # unlike a statement, the change of mode does not wait for another connection; a disk that cannot have WAL
    # answers with the mode that it keeps, which is slower and as safe
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if trouble.code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def back_up(path: Path, connection: sqlite3.Connection, version: int) -> Path:
    """Copy the database beside itself before a migration changes it; returns the copy's path."""
    copy = path.with_name(f"{path.name}.v{version}-{now():%Y%m%dT%H%M%S%f}.bak")
    try:
        connection.execute("VACUUM INTO ?", [str(copy)])
    except sqlite3.Error:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _migrate(path: Path, connection: sqlite3.Connection, database: Database) -> None:
    # one transaction for the look and all the steps: of two first writers one waits and finds it done
    connection.execute("BEGIN IMMEDIATE")
    try:
        recognise(path, connection)
        migrations.registered().apply(database)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
