"""Every earlier version of the database becomes the present one, with a copy of it kept and nothing lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlite_utils

from mlsys_path.errors import UserError
from mlsys_path.progress import migrations, queries, submitted
from mlsys_path.progress.rows import attempt_to_row
from mlsys_path.progress.store import Store

_AGAIN = "INSERT OR REPLACE INTO claims SELECT * FROM claims"


def fill_v1(connection: sqlite3.Connection, attempt) -> None:
    row = attempt_to_row(attempt)
    marks = ", ".join(f":{column}" for column in row)
    connection.execute(f"INSERT INTO attempts ({', '.join(row)}) VALUES ({marks})", row)
    connection.execute(
        "INSERT INTO events (id, exercise, kind, at, detail) VALUES (?, ?, 'hint', ?, '1')",
        [row["id"], row["exercise"], row["started_at"]],
    )
    connection.execute("INSERT INTO settings VALUES ('track', 'gpu-kernels', '')")


def fill_v2(connection: sqlite3.Connection, attempt) -> None:
    fill_v1(connection, attempt)
    row = attempt_to_row(attempt)
    connection.execute(
        "INSERT INTO claims VALUES (?, 'topic', 'caches', 'known', ?, '{}')", [row["id"], row["started_at"]]
    )


def fill_v3(connection: sqlite3.Connection, attempt) -> None:
    fill_v2(connection, attempt)
    connection.execute(
        "INSERT INTO claims VALUES (?, 'reading', 'caches/ostep', 'read', ?, '{}')",
        ["0" * 26, attempt_to_row(attempt)["started_at"]],
    )


def fill_v4(connection: sqlite3.Connection, attempt) -> None:
    fill_v3(connection, attempt)
    submitted.keep(connection, "a" * 64, {"malloc.c": b"int main;"})


# what a learner had in a database of each version: a new version adds its own line
FILL = {1: fill_v1, 2: fill_v2, 3: fill_v3, 4: fill_v4}


def m999_notes(db: sqlite_utils.Database) -> None:
    db.execute("ALTER TABLE events ADD COLUMN note TEXT NOT NULL DEFAULT ''")


def m999_broken(db: sqlite_utils.Database) -> None:
    db.execute("CREATE TABLE half (x)")
    db.execute("SELECT * FROM nowhere")


def database_of_version(path, version: int, attempt) -> None:
    """The database as the program of that version left it."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        names = [step.__name__ for step in migrations.STEPS]
        stop = names[version] if version < len(names) else None
        migrations.registered().apply(
            sqlite_utils.Database(connection, execute_plugins=False), stop_before=stop
        )
        if version:
            FILL[version](connection, attempt)
        connection.commit()


@pytest.fixture(params=range(1, migrations.version() + 1))
def earlier(request, database, make_attempt):
    """A database of each version there was, the present one included."""
    attempt = make_attempt(measurements=({"name": "speed", "ratio": 2.0},))
    database_of_version(database, request.param, attempt)
    return request.param, attempt


def test_every_version_has_a_sample():
    assert list(FILL) == list(range(1, migrations.version() + 1))


def test_every_version_reads_as_it_was(earlier):
    version, attempt = earlier
    assert queries.attempts() == (attempt,)
    assert queries.hints_seen(attempt.exercise) == 2
    assert queries.setting("track") == "gpu-kernels"
    assert queries.best_ratio(attempt.exercise, "speed") == 2.0
    said = [("reading", "caches/ostep")] * (version > 2) + [("topic", "caches")] * (version > 1)
    assert list(queries.claims().words) == said


def test_claims_can_be_made_in_what_was_an_earlier_database(earlier):
    with Store.open() as store:
        store.claim("stage", "foundations", "known")
        store.claim("reading", "locks/ostep", "read")
    assert {("stage", "foundations"), ("reading", "locks/ostep")} <= set(queries.claims().words)


def test_claims_stay_append_only_in_what_was_an_earlier_database(earlier, database):
    with Store.open() as store:
        store.claim("topic", "caches", "read")
    with closing(sqlite3.connect(database)) as connection:
        for statement in ("DELETE FROM claims", "UPDATE claims SET claim = 'none'", _AGAIN):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize(
    "first_use", [lambda: Store.open().close(), queries.statuses], ids=["writer", "reader"]
)
def test_every_version_is_migrated_to_the_next_and_backed_up(
    earlier, database, monkeypatch, first_use, make_attempt
):
    version, attempt = earlier
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, m999_notes))
    first_use()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (migrations.version(),)
        assert connection.execute("SELECT note FROM events").fetchall() == [("",)]
    (backup,) = database.parent.glob("*.bak")
    assert backup.name.startswith(f"progress.db.v{version}-")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert connection.execute("SELECT id FROM attempts").fetchall() == [(attempt.id,)]
    with Store.open() as store:
        store.record(make_attempt())
    assert queries.statuses()[attempt.exercise].attempts == 2
    assert len(list(database.parent.glob("*.bak"))) == 1, "a database of this version is not copied"


def test_a_migration_that_fails_changes_nothing(earlier, database, monkeypatch):
    version, attempt = earlier
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, m999_broken))
    with pytest.raises(UserError, match="no such table: nowhere"):
        Store.open()
    monkeypatch.undo()
    monkeypatch.setenv("MLSYS_PATH_HOME", str(database.parent))
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []
    assert queries.attempts() == (attempt,)


def test_a_backup_that_does_not_fit_stops_the_migration(earlier, database, monkeypatch):
    version, _attempt = earlier
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, m999_notes))
    monkeypatch.setattr(
        "mlsys_path.progress.store.back_up", lambda *_: (_ for _ in ()).throw(OSError(28, "No space"))
    )
    with pytest.raises(UserError, match="no space"):
        Store.open()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def test_an_earlier_database_that_is_damaged_is_not_migrated(earlier, database, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, m999_notes))
    content = bytearray(database.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    database.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        Store.open()
    assert database.read_bytes() == bytes(content)
    assert not list(database.parent.glob("*.bak"))


def test_the_names_and_numbers_of_the_steps_agree():
    for number, step in enumerate(migrations.STEPS, start=1):
        assert step.__name__.startswith(f"m{number:03}_")
