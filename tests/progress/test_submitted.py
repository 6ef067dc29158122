"""The files that were submitted are kept with their attempts: by content, compressed, bounded, and never changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from mlsys_path.progress import submitted
from mlsys_path.progress.opening import reading
from mlsys_path.progress.store import Store

FILES = {"lru_cache.py": b"def get(): ...\n" * 200, "notes/idea.txt": b""}


def kept(files_hash):
    with reading() as connection:
        return submitted.read(connection, files_hash)


def test_what_was_submitted_comes_back_as_it_was(make_attempt):
    with Store.open() as store:
        store.record(make_attempt(files_hash="a" * 64), FILES)
    assert kept("a" * 64) == FILES
    assert kept("b" * 64) is None


def test_the_same_content_is_kept_once_and_small(make_attempt, database):
    with Store.open() as store:
        for files_hash in ("a" * 64, "a" * 64, "b" * 64):
            store.record(make_attempt(files_hash=files_hash), FILES)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*), sum(length(data)) < 200 FROM blobs").fetchone() == (2, 1)


@pytest.mark.parametrize(
    "files",
    [
        {"large.bin": bytes(submitted.MAX_FILE + 1)},
        {f"{n}.bin": bytes(submitted.MAX_FILE) for n in range(5)},
        {f"{n}.py": b"" for n in range(submitted.MAX_FILES + 1)},
    ],
    ids=["a large file", "large together", "many"],
)
def test_too_much_is_not_kept_and_the_attempt_is(files, make_attempt, database):
    with Store.open() as store:
        store.record(make_attempt(files_hash="a" * 64), files)
    assert kept("a" * 64) is None
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (1,)


def test_nothing_that_is_kept_can_be_changed(make_attempt, database):
    with Store.open() as store:
        store.record(make_attempt(files_hash="a" * 64), FILES)
    with closing(sqlite3.connect(database)) as connection:
        for table in ("blobs", "submissions", "stored"):
            for statement in (
                f"DELETE FROM {table}",
                f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            ):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    connection.execute(statement)


def test_when_an_attempt_was_stored_is_remembered_apart_from_when_it_began(make_attempt, database):
    with Store.open() as store:
        store.record(make_attempt())
    with closing(sqlite3.connect(database)) as connection:
        (at,) = connection.execute("SELECT at FROM stored").fetchone()
    assert len(at) == 27 and at[-1] == "Z" and not at.startswith("2026-03-14")


def test_a_file_that_grows_when_it_is_unpacked_is_refused():
    import zlib

    bomb = zlib.compress(bytes(100 << 20))
    for size in (10, submitted.MAX_FILE, 100 << 20, -1):
        with pytest.raises(ValueError):
            submitted.unpacked(bomb, size)
    with pytest.raises(ValueError):
        submitted.unpacked(b"no zlib at all", 3)
