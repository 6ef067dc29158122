"""A learner's progress as one file, and merging such a file into the database.

JSON Lines in UTF-8, compressed with gzip when the name ends in .gz:

- the first line is the header, `{"format": "mlsys-path-progress", "version": 1, "exported_at": "…"}`;
- each line after it is one record: `{"attempt": {…}}` and `{"event": {…}}` with the columns of the tables of these
  names (`levels` and `measurements` as JSON), `{"setting": {"key": "…", "value": "…"}}`;
- the last line counts the records, `{"end": 123}`: a file without it was cut short.

Import merges by id in one transaction: what is known stays as it is, what is not is added, and a setting is taken
only where none is set.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import sqlite3
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress.exchange_format import FORMAT, MAX_LINE, VERSION, Kind, check_header, decode, encode
from mlsys_path.progress.queries import reading
from mlsys_path.progress.records import now, to_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, EVENT_COLUMNS
from mlsys_path.progress.store import Store

MAX_BYTES = 2 << 30  # of a whole file, decompressed: a million attempts take a third of it
MAX_RECORDS = 5_000_000
_BATCH = 1000
_GZIP = b"\x1f\x8b"

_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "attempt": ("attempts", ATTEMPT_COLUMNS),
    "event": ("events", EVENT_COLUMNS),
    "setting": ("settings", ("key", "value", "changed_at")),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import brought; `known` records were there already."""

    attempts: int
    events: int
    settings: int
    known: int


def export(path: Path, *, database: Path | None = None) -> int:
    """Write everything to the file at `path`, at once or not at all; returns the number of records.

    Raises UserError when the database cannot be read or the file cannot be written.
    """
    database = database or locations.database_path()
    if path.exists() and database.exists() and path.samefile(database):
        raise UserError(_("{path} is the progress database itself: export to another file").format(path=path))
    if path.is_dir():
        raise UserError(_("{path} is a folder: name a file to export to").format(path=path))
    with _file_trouble(_("cannot export to {path}: {reason}"), path), _replacing(path) as file:
        file.write(encode("header", {"format": FORMAT, "version": VERSION, "exported_at": to_text(now())}))
        count = 0
        for kind, row in _stored(database):
            file.write(encode(kind, row))
            count += 1
        file.write(encode("end", count))
    return count


def _stored(database: Path) -> Iterator[tuple[Kind, dict[str, Any]]]:
    kinds: tuple[tuple[Kind, str], ...] = (
        ("attempt", f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts ORDER BY id"),
        ("event", f"SELECT {', '.join(EVENT_COLUMNS)} FROM events ORDER BY id"),
        ("setting", "SELECT key, value FROM settings ORDER BY key"),
    )
    with reading(database) as connection:
        if connection is None:
            return
        # one transaction, so that the file is one moment of the database
        connection.execute("BEGIN")
        for kind, query in kinds:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield kind, dict(zip(names, row, strict=True))


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its place when everything is written, and leaves nothing when not."""
    descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as raw:
            # no name and no time in the header: equal progress makes an equal file
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) if path.suffix == ".gz" else raw as file:
                yield file  # type: ignore[misc]  (both write bytes)
            if not raw.closed:
                raw.flush()
                os.fsync(raw.fileno())
        Path(name).chmod(0o600)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def import_(path: Path, *, database: Path | None = None) -> Merged:
    """Merge the file at `path` into the database; a second time it changes nothing.

    Raises UserError, with the database as it was, when the file is not an export, damaged, cut short, too large or
    of a newer version.
    """
    if not path.is_file():
        reason = _("it is not a file") if path.exists() else _("there is no such file")
        raise UserError(_("cannot import {path}: {reason}").format(path=path, reason=reason))
    # read to the end before the database is touched, and again to store it: it need not fit in memory
    for _record in _records(path):
        pass
    with Store.open(database) as store, store.transaction() as opened:
        return _merge(opened.conn, _records(path))


def _merge(connection: sqlite3.Connection, records: Iterator[tuple[Kind, dict[str, Any]]]) -> Merged:
    waiting: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    added: dict[Kind, int] = defaultdict(int)
    total = 0
    for kind, row in records:
        total += 1
        waiting[kind].append({**row, "changed_at": to_text(now())} if kind == "setting" else row)
        if len(waiting[kind]) >= _BATCH:
            added[kind] += _add(connection, kind, waiting.pop(kind))
    for kind, rows in waiting.items():
        added[kind] += _add(connection, kind, rows)
    return Merged(added["attempt"], added["event"], added["setting"], total - sum(added.values()))


def _add(connection: sqlite3.Connection, kind: Kind, rows: list[dict[str, Any]]) -> int:
    """Add the rows whose key is not known; returns how many."""
    table, columns = _TABLES[kind]
    values = ", ".join(f":{column}" for column in columns)
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608  (names of our own tables)
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {columns[0]} = :{columns[0]})"
    )
    return connection.executemany(statement, rows).rowcount


def _records(path: Path) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The records of a file, each looked at; raises UserError at the first thing that is wrong."""
    number, count, ended = 0, 0, False
    with _file_trouble(_("cannot import {path}: {reason}"), path):
        for number, line in enumerate(_lines(path), start=1):
            try:
                kind, value = decode(line)
                if number == 1:
                    check_header(value if kind == "header" else None)
                    continue
                if ended or kind == "header":
                    raise ValueError(_("nothing may follow the end") if ended else _("a second header"))
                if kind == "end":
                    ended = True
                    if value != count:
                        raise ValueError(
                            _("{found} records, and it says {said}").format(found=count, said=value)
                        )
                    continue
                count += 1
                if count > MAX_RECORDS:
                    raise ValueError(_("more records than can be imported"))
            except ValueError as error:
                where = _("cannot import {path}, line {number}: {reason}; nothing was changed")
                raise UserError(where.format(path=path, number=number, reason=error)) from None
            yield kind, value
        if not ended:
            raise UserError(
                _("cannot import {path}: it was cut short after line {number}; nothing was changed").format(
                    path=path, number=number
                )
            )


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        compressed = raw.peek(2)[:2] == _GZIP
        with gzip.GzipFile(fileobj=raw) if compressed else raw as file:
            left = MAX_BYTES
            while line := file.readline(MAX_LINE + 1):
                left -= len(line)
                if len(line) > MAX_LINE or left < 0:
                    raise ValueError(
                        _("a line is longer than any record") if left >= 0 else _("it is too large")
                    )
                yield line


@contextlib.contextmanager
def _file_trouble(sentence: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
            reason = _("the compressed data is damaged or cut short")
        raise UserError(sentence.format(path=path, reason=reason)) from error
