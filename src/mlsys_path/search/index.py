"""The index of everything that can be found: a SQLite file with an FTS5 table, in the user's cache folder.

It is made in one transaction under another name and renamed when it is whole, so that it is never changed and can be
read without a lock. A stale, damaged or unwritable one costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path import __version__
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap.names import KINDS, Kind
from mlsys_path.roadmap.sources import Installed, Source, installed_packs, ours, sources
from mlsys_path.roadmap.stamps import all_files, index_file, stamp
from mlsys_path.search.words import key, parse, searchable

if TYPE_CHECKING:
    from mlsys_path.search.entries import Entry

_FORMAT = 2
_SUFFIX = ".search"
_MODULES = ("words.py", "entries.py", "index.py")
# a record's kind stands in the upper half of its row's number, where asking for it costs no look at the record
KIND_BITS = 32
COLUMNS = ("id", "title_en", "title_zh", "lead_en", "lead_zh", "body_en", "body_zh")
_SCHEMA = f"""
CREATE TABLE made_of (format INTEGER, version TEXT, stamp TEXT, site TEXT, packs TEXT);
CREATE TABLE records (
    row INTEGER PRIMARY KEY, id TEXT, title_en TEXT, title_zh TEXT,
    lead_en TEXT, lead_zh TEXT, body_en TEXT, body_zh TEXT
);
CREATE TABLE names (key TEXT, rank INTEGER, row INTEGER, PRIMARY KEY (key, rank, row)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(
    {", ".join(COLUMNS)}, content='', prefix='2 3', tokenize='unicode61 remove_diacritics 2'
);
"""
_PLACES = ", ".join("?" * (1 + len(COLUMNS)))
_INSERT_RECORD = f"INSERT INTO records VALUES ({_PLACES})"  # noqa: S608
_INSERT_WORDS = f"INSERT INTO words (rowid, {', '.join(COLUMNS)}) VALUES ({_PLACES})"  # noqa: S608
ID, FORMER_ID, TITLE, PART = range(4)  # ranks of names; a part of a name names nothing by itself


@dataclass(frozen=True, slots=True)
class _Origin:
    """What an index was made of, and by what."""

    format: int
    version: str
    stamp: str
    site: str
    packs: str

    @property
    def installed(self) -> Installed:
        return Installed(self.site, tuple(json.loads(self.packs)))


@contextlib.contextmanager
def opened(content: Sequence[Source] | None = None, *, anew: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to an index of all sources, or of those given, as they are now; `anew` trusts none that is there.

    Raises UserError when the index has to be made and the content is not sound.
    """
    path = index_file(content[0] if content else ours(), _SUFFIX)
    connection, origin = (None, None) if anew else _read(path)
    try:
        now = _origin_now(content, origin)
        if connection is None or origin != now:
            if connection:
                connection.close()
            connection = _made(path, now, content)
        yield connection
    finally:
        if connection:
            connection.close()


def row_of(kind: Kind, number: int) -> int:
    """The number of the row of a record."""
    return KINDS.index(kind) << KIND_BITS | number


def kind_of(row: int) -> Kind:
    """The kind of the record of a row."""
    return KINDS[row >> KIND_BITS]


def _origin_now(content: Sequence[Source] | None, known: _Origin | None) -> _Origin:
    installed = Installed("", ()) if content else installed_packs(known.installed if known else None)
    content = content or sources(installed)
    here = Path(__file__).parent
    modules = (os.fspath(here / name) for name in _MODULES)
    fresh = stamp(chain(modules, all_files(content)))
    return _Origin(_FORMAT, __version__, fresh, installed.stamp, json.dumps(installed.folders))


def _read(path: Path) -> tuple[sqlite3.Connection | None, _Origin | None]:
    connection = None
    try:
        connection = _open(path)
        origin = _Origin(*connection.execute("SELECT * FROM made_of").fetchone())
        json.loads(origin.packs)
    except (sqlite3.Error, OSError, TypeError, ValueError):
        if connection:
            connection.close()
        return None, None
    return connection, origin


def _open(path: Path) -> sqlite3.Connection:
    # immutable: nobody writes to it, and SQLite looks for neither locks nor a journal
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)


def _made(path: Path, origin: _Origin, content: Sequence[Source] | None) -> sqlite3.Connection:
    """A new index, in the cache folder or, where nothing can be written, in memory."""
    from mlsys_path.roadmap.load import load
    from mlsys_path.search.entries import entries

    roadmap = load(content)
    try:
        return _written(path, origin, entries(roadmap))
    except (OSError, sqlite3.OperationalError):
        connection = sqlite3.connect(":memory:")
        _fill(connection, origin, entries(roadmap))
        return connection


def _written(path: Path, origin: _Origin, found: Iterator[Entry]) -> sqlite3.Connection:
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        with contextlib.closing(sqlite3.connect(temporary)) as connection:
            # a file that is not whole is thrown away: it needs neither a journal nor to be waited for
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            _fill(connection, origin, found)
        # opened before it has its name, as the next moment another process may give that to an index of its own
        connection = _open(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return connection


def _fill(connection: sqlite3.Connection, origin: _Origin, found: Iterator[Entry]) -> None:
    try:
        connection.executescript("BEGIN;" + _SCHEMA)
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        raise UserError(
            _("the SQLite of this Python has no FTS5, without which nothing can be searched")
        ) from None
    for number, entry in enumerate(found):
        row = row_of(entry.kind, number)
        texts = [
            field[language] for field in (entry.title, entry.lead, entry.body) for language in ("en", "zh")
        ]
        connection.execute(_INSERT_RECORD, (row, entry.id, *texts))
        ids = " ".join((entry.id, *entry.once))
        connection.execute(_INSERT_WORDS, (row, *map(searchable, (ids, *texts))))
        names = [(entry.id, ID), *((old, FORMER_ID) for old in entry.once)]
        names += [(title, TITLE) for title in entry.title.values()]
        parts = (word for title in entry.title.values() for word in parse(title))
        names += [(part, PART) for part in (*entry.id.split("-"), *("".join(word.parts) for word in parts))]
        connection.executemany(
            "INSERT OR IGNORE INTO names VALUES (?, ?, ?)", [(key(name), rank, row) for name, rank in names]
        )
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    connection.execute("INSERT INTO made_of VALUES (?, ?, ?, ?, ?)", astuple(origin))
    connection.commit()
