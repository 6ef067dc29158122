"""A learner's progress as one file, and merging such a file into the database.

JSON Lines in UTF-8, compressed with gzip when the name ends in .gz:

- the first line is the header, `{"format": "mlsys-path-progress", "version": 3, "exported_at": "…"}`;
- each line after it is one record: `{"attempt": {…}}`, `{"event": {…}}` and `{"claim": {…}}` with the columns of
  the tables `attempts`, `events` and `claims` (`levels`, `measurements` and a claim's `detail` as JSON), and
  `{"setting": {"key": "…", "value": "…"}}`;
- the last line counts the records, `{"end": 123}`: a file without it was cut short.

Version 1 is the same without claims, version 2 without claims of readings; both are read too. Ids are written as they were stored: those that were renamed
since are told so when they are read. Import merges by id in one transaction: what is known stays as it is, what is not is added, and a setting is
taken only where none is set.
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
from typing import IO, Any, cast

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress.exchange_format import (
    FORMAT,
    MAX_LINE,
    VERSION,
    Kind,
    Malformed,
    check_header,
    decode,
    encode,
    since,
)
from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import now, to_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, CLAIM_COLUMNS, EVENT_COLUMNS
from mlsys_path.progress.store import Store

MAX_BYTES = 2 << 30  # of a whole file, decompressed: a million attempts take a third of it
MAX_RECORDS = 5_000_000
_BATCH = 1000
_GZIP = b"\x1f\x8b"

_TABLES: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "attempt": ("attempts", ATTEMPT_COLUMNS),
    "event": ("events", EVENT_COLUMNS),
    "claim": ("claims", CLAIM_COLUMNS),
    "setting": ("settings", ("key", "value", "changed_at")),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import added; `known` records were there already."""

    attempts: int
    events: int
    settings: int
    known: int
    claims: int = 0


def export(path: Path, *, database: Path | None = None) -> int:
    """Write everything to the file at `path`, whole or not at all; returns the number of records.

    Raises UserError when the database cannot be read or the file cannot be written.
    """
    database = database or locations.database_path()
    if path.exists() and not path.is_file():
        raise UserError(_("cannot export to {path}: it is not a file").format(path=path))
    if path.exists() and database.exists() and path.samefile(database):
        raise UserError(_("cannot export to {path}: it is the progress database itself").format(path=path))
    count = 0
    with _file_trouble(_("cannot export to {path}: {reason}"), path), _replacing(path) as file:
        file.write(encode("header", {"format": FORMAT, "version": VERSION, "exported_at": to_text(now())}))
        for kind, row in _stored(database):
            file.write(encode(kind, row))
            count += 1
        file.write(encode("end", count))
    return count


def _stored(database: Path) -> Iterator[tuple[Kind, dict[str, Any]]]:
    with reading(database) as connection:
        if connection is None:
            return
        # one transaction, so that the file is one moment of the database
        connection.execute("BEGIN")
        for kind, (table, columns) in _TABLES.items():
            wanted = [column for column in columns if column != "changed_at"]
            query = f"SELECT {', '.join(wanted)} FROM {table} ORDER BY {columns[0]}"  # noqa: S608
            for row in connection.execute(query):
                yield kind, dict(zip(wanted, row, strict=True))


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when everything is written, and leaves nothing when not."""
    descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(path.stem, "wb", fileobj=raw) as compressed:
                    yield cast(IO[bytes], compressed)
            else:
                yield raw
            raw.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def import_(path: Path, *, database: Path | None = None) -> Merged:
    """Merge the file at `path` into the database; a second time it changes nothing.

    Raises UserError, with the database as it was, when the file is not an export, is damaged, cut short or
    too large, or was written by a newer version.
    """
    if not path.is_file():
        reason = _("it is not a file") if path.exists() else _("there is no such file")
        raise UserError(_("cannot import {path}: {reason}").format(path=path, reason=reason))
    # read to its end before the database is touched, and again to store it: it need not fit into memory
    for _record in _records(path):
        pass
    with Store.open(database) as store, store.transaction() as opened:
        return _merge(opened.conn, _records(path))


def _merge(connection: sqlite3.Connection, records: Iterator[tuple[Kind, dict[str, Any]]]) -> Merged:
    waiting: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    added: dict[Kind, int] = defaultdict(int)
    total, changed_at = 0, to_text(now())
    for kind, row in records:
        total += 1
        waiting[kind].append({**row, "changed_at": changed_at} if kind == "setting" else row)
        if len(waiting[kind]) == _BATCH:
            added[kind] += _add(connection, kind, waiting.pop(kind))
    for kind, rows in waiting.items():
        added[kind] += _add(connection, kind, rows)
    known = total - sum(added.values())
    return Merged(added["attempt"], added["event"], added["setting"], known, added["claim"])


def _add(connection: sqlite3.Connection, kind: Kind, rows: list[dict[str, Any]]) -> int:
    """Add the rows whose key, the first column, is not known; returns how many."""
    table, columns = _TABLES[kind]
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608  (names of our own tables)
        f"SELECT {', '.join(f':{column}' for column in columns)} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {columns[0]} = :{columns[0]})"
    )
    return connection.executemany(statement, rows).rowcount


def _records(path: Path) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The records of a file, every line looked at; raises UserError at the first that is wrong."""
    count, ended, version = 0, False, VERSION
    for number, line in enumerate(_lines(path), start=1):
        try:
            kind, value = decode(line)
            if number == 1:
                version = check_header(kind, value)
            elif reason := _misplaced(kind, value, count, ended, version):
                raise Malformed(reason)  # noqa: TRY301
        except Malformed as error:
            raise _refused(path, number, str(error)) from None
        if kind == "end":
            ended = True
        elif number > 1:
            count += 1
            yield kind, value
    if not ended:
        raise UserError(_("cannot import {path}: it was cut short; nothing was changed").format(path=path))


def _misplaced(kind: Kind, value: Any, count: int, ended: bool, version: int) -> str:
    if kind == "header" or ended or version < since(kind, value):
        return _("it stands where nothing of its kind may stand")
    if kind == "end" and value != count:
        return _("records are missing: there are {found} of {said}").format(found=count, said=value)
    return _("there are more records than can be imported") if count >= MAX_RECORDS and kind != "end" else ""


def _refused(path: Path, number: int, reason: str) -> UserError:
    text = _("cannot import {path}, line {number}: {reason}; nothing was changed")
    return UserError(text.format(path=path, number=number, reason=reason))


def _lines(path: Path) -> Iterator[bytes]:
    left, number = MAX_BYTES, 0
    with (
        _file_trouble(_("cannot import {path}: {reason}; nothing was changed"), path),
        path.open("rb") as raw,
    ):
        file = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP else raw
        while line := file.readline(MAX_LINE + 1):
            left, number = left - len(line), number + 1
            if len(line) > MAX_LINE or left < 0:
                raise _refused(path, number, _("it is longer than any export"))
            yield line


@contextlib.contextmanager
def _file_trouble(sentence: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        reason = _("the compressed data is damaged or cut short")
        raise UserError(sentence.format(path=path, reason=reason)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(sentence.format(path=path, reason=reason)) from error
