"""Opening the database for reading, and recognising it. Standard library only."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress import trouble
from mlsys_path.progress.migrations import APPLICATION_ID, VERSION

BUSY_SECONDS = 10.0


def read_only(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write, or None when there is no database yet (and none is created)."""
    refuse_non_file(path)
    if not path.exists() or path.stat().st_size == 0:
        return None
    # mode=rw finishes what a killed writer left half done, immutable reads where not even locks can be written
    modes = ["mode=ro", "mode=rw"] if _left_over(path) else ["mode=ro", "immutable=1"]
    for mode in modes:
        try:
            return _connect(path, mode)
        except sqlite3.OperationalError as error:
            if mode == modes[-1] or trouble.code_of(error) not in (
                sqlite3.SQLITE_READONLY,
                sqlite3.SQLITE_CANTOPEN,
            ):
                raise
    return None


def _left_over(path: Path) -> bool:
    return any(
        (other := path.with_name(path.name + suffix)).exists() and other.stat().st_size > 0
        for suffix in ("-wal", "-journal")
    )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA user_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def recognise(path: Path, connection: sqlite3.Connection) -> int:
    """The schema version of our database, 0 of an empty one.

    Raises UserError when it is another program's, or was written by a newer version of this one.
    """
    application, version = (
        int(connection.execute(f"PRAGMA {n}").fetchone()[0]) for n in ("application_id", "user_version")
    )
    if application != APPLICATION_ID:
        if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise UserError(
                _(
                    "{path} is the database of another program: move it away, or set MLSYS_PATH_HOME to another folder"
                ).format(path=path)
            )
        return 0
    if version > VERSION:
        raise UserError(
            _(
                "{path} was written by a newer mlsys-path (schema {found}, this one knows {known}): update mlsys-path"
            ).format(path=path, found=version, known=VERSION)
        )
    return version


def refuse_non_file(path: Path) -> None:
    """Raise UserError when something other than a file lies at the database's path."""
    with contextlib.suppress(FileNotFoundError), trouble.explained(path):
        if path.is_dir():
            raise UserError(
                _("{path} is a folder, and should be the progress database: move it away").format(path=path)
            )
        if path.exists() and not path.is_file():
            raise UserError(
                _("{path} is not a file, and should be the progress database: move it away").format(path=path)
            )
