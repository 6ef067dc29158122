"""Opening the database to read it, and recognising what it is. Standard library only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress import migrations, trouble

BUSY_SECONDS = 10.0


@contextlib.contextmanager
def reading(path: Path | None = None) -> Iterator[sqlite3.Connection | None]:
    """A connection that cannot write, to a database of this version; None when there is nothing to read.

    A missing file is not created; a database of an earlier version is migrated first. Raises UserError when the
    file cannot be read, is not ours, comes from a newer version, or holds what this program cannot have written.
    """
    path = path or locations.database_path()
    with trouble.explained(path):
        connection = read_only(path)
        if connection is None:
            yield None
            return
        try:
            version = recognise(path, connection)
            if 0 < version < migrations.version():
                connection.close()
                _migrate(path)
                connection = _connect(path, "mode=ro")
            try:
                yield connection if version else None
            except (ValueError, LookupError, TypeError, ArithmeticError) as error:
                raise UserError(trouble.corrupt(path)) from error
        finally:
            connection.close()


def read_only(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write to whatever lies at `path`, or None when nothing does."""
    refuse_non_file(path)
    if not path.exists() or path.stat().st_size == 0:
        return None
    # rw finishes what a killed writer left half done; immutable reads where not even a lock can be written
    modes = ["mode=ro", "mode=rw"] if _left_over(path) else ["mode=ro", "immutable=1"]
    for mode in modes:
        try:
            return _connect(path, mode)
        except sqlite3.OperationalError as error:
            code = trouble.code_of(error)
            if mode == modes[-1] or code not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                raise
    return None


def _left_over(path: Path) -> bool:
    """Whether a writer that was killed left something beside the database."""
    sides = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")]
    return any(side.exists() and side.stat().st_size for side in sides)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA query_only = ON")
        # the first touch of the file, where trouble shows
        connection.execute("PRAGMA user_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(path: Path) -> None:
    from mlsys_path.progress.store import Store

    Store.open(path).close()


def recognise(path: Path, connection: sqlite3.Connection) -> int:
    """The schema version of our database, 0 of an empty one.

    Raises UserError when it is another program's, or was written by a newer version of this one.
    """
    application, version, tables = _identity(connection)
    if application != migrations.APPLICATION_ID:
        if application or version or tables:
            text = _("{path} is the database of another program: move it away, or set MLSYS_PATH_HOME")
            raise UserError(text.format(path=path))
        return 0
    if version > migrations.version():
        text = _(
            "{path} was written by a newer mlsys-path (its schema is {found}, here {known}): update mlsys-path"
        )
        raise UserError(text.format(path=path, found=version, known=migrations.version()))
    return version


def _identity(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Application id, schema version and number of tables, all of one moment: a first writer may be at work."""
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    finally:
        if own and connection.in_transaction:
            connection.execute("ROLLBACK")
    return application, version, tables


def refuse_non_file(path: Path) -> None:
    """Raise UserError when something other than a file lies at the database's path."""
    if path.is_dir():
        raise UserError(_("the progress database {path} is a folder: move it away").format(path=path))
    if path.exists() and not path.is_file():
        raise UserError(_("the progress database {path} is not a file: move it away").format(path=path))
