"""What SQLite's errors mean to a learner: one line that says what is wrong, where, and what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.language import _

_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DENIED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what can go wrong with the database at `path` into a UserError."""
    try:
        yield
    except sqlite3.Error as error:
        raise UserError(explain(error, path)) from error
    except UnicodeDecodeError as error:
        # SQLite's words about a damaged file can quote what it found there
        raise UserError(corrupt(path)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(
            _("cannot use the progress database {path}: {reason}").format(path=path, reason=reason)
        ) from error


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code, -1 for an error that Python itself raised."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else -1


def explain(error: sqlite3.Error, path: Path) -> str:
    """The line for one error of SQLite."""
    code = code_of(error)
    if code in _CORRUPT or "decode to UTF-8" in str(error):
        return corrupt(path)
    if code in _BUSY:
        text = _("another program keeps the progress database {path} locked: close it and try again")
    elif code == sqlite3.SQLITE_READONLY or (code in _DENIED and os.access(path, os.R_OK)):
        text = _(
            "the progress database {path} is read-only: make file and folder writable, or set MLSYS_PATH_HOME"
        )
    elif code == sqlite3.SQLITE_FULL:
        text = _("the disk is full: nothing was written to {path}; free some space and try again")
    elif code == sqlite3.SQLITE_IOERR:
        text = _("the disk refused to read or write {path}: check that it is not full and not failing")
    elif code in _DENIED:
        text = _(
            "cannot open the progress database {path}: check the permissions of the file and of its folder"
        )
    else:
        return _("the progress database {path} cannot be used: {reason}").format(path=path, reason=error)
    return text.format(path=path)


def corrupt(path: Path) -> str:
    """The line for a file whose content is damaged."""
    return _(
        "the progress database {path} is damaged: move it away, "
        "then put a backup in its place or `mlsys-path import` an export"
    ).format(path=path)
