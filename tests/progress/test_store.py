"""What was stored is there, once, and cannot be changed."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mlsys_path.errors import UserError
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.records import from_text, to_text
from mlsys_path.progress.store import Store


def test_an_attempt_comes_back_as_it_was(make_attempt):
    attempt = make_attempt(
        started_at=datetime(2026, 3, 14, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8))),
        levels={Level.CORRECT: Outcome.PASSED, Level.GPU: Outcome.OPEN},
        measurements=({"name": "加速", "value": 0.1, "ratio": 3.5, "low": float("inf"), "extra": [1, None]},),
        message="'; DROP TABLE attempts; -- \x1b[31m 键",
    )
    with Store.open() as store:
        store.record(attempt)
    (stored,) = queries.attempts("lru-cache")
    assert stored == attempt
    assert stored.started_at == datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
    assert stored.measurements[0]["low"] is None, "JSON has no infinity"


def test_the_default_place_is_the_programs_home(database):
    Store.open().close()
    assert database.is_file()


def test_the_newest_attempts_come_first_and_no_more_than_asked(make_attempt):
    with Store.open() as store:
        for minute in (3, 1, 2):
            at = datetime(2026, 3, 14, 12, minute, tzinfo=UTC)
            store.record(make_attempt("a" if minute != 2 else "b", started_at=at))
    assert [a.started_at.minute for a in queries.attempts("a")] == [3, 1]
    assert [a.started_at.minute for a in queries.attempts()] == [3, 2, 1]
    assert [a.started_at.minute for a in queries.attempts(limit=2)] == [3, 2]


@pytest.mark.parametrize("table", ["attempts", "events", "claims"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {own} = 'other'",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}",
        "INSERT OR REPLACE INTO {table} (rowid, {columns}) SELECT rowid, substr(id, 2) || '_', {rest} FROM {table}",
    ],
)
def test_what_happened_cannot_be_changed_by_any_tool(make_attempt, database, table, statement):
    with Store.open() as store:
        store.record(make_attempt())
        store.record_event("lru-cache", "started")
        store.claim("topic", "caches", "known")
    with closing(sqlite3.connect(database)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        before = connection.execute(f"SELECT * FROM {table}").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            own = "subject" if table == "claims" else "exercise"
            fill = {"table": table, "own": own, "columns": ", ".join(columns), "rest": ", ".join(columns[1:])}
            connection.execute(statement.format(**fill))
        connection.rollback()
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == before


def test_an_attempt_cannot_be_stored_twice(make_attempt):
    attempt = make_attempt()
    with Store.open() as store:
        store.record(attempt)
        with pytest.raises(UserError, match="append-only"):
            store.record(attempt)
    assert queries.statuses()["lru-cache"].attempts == 1


def test_a_moment_without_a_time_zone_is_refused(make_attempt):
    with pytest.raises(ValueError, match="time zone"):
        to_text(datetime(2026, 3, 14))
    with pytest.raises(ValueError):
        from_text("2026-03-14 12:00:00")
    moment = datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert from_text(to_text(moment)) == moment


def test_events_and_settings_are_remembered():
    with Store.open() as store:
        store.record_event("lru-cache", "hint", "0")
        store.record_event("lru-cache", "hint", "2")
        store.record_event("malloc", "started")
        with pytest.raises(ValueError, match="kind"):
            store.record_event("malloc", "finished")  # type: ignore[arg-type]
        store.set_setting("track", "gpu-kernels")
        store.set_setting("track", "distributed")
        store.set_setting("language", "zh")
        store.set_setting("language", None)
    assert queries.hints_seen("lru-cache") == 3
    assert queries.hints_seen("malloc") == 0
    assert queries.setting("track") == "distributed"
    assert queries.setting("language", "en") == "en"


def test_the_latest_word_counts_and_a_diagnostic_stands_beside_it():
    with Store.open() as store:
        first = store.claim("topic", "caches", "read")
        second = store.claim("topic", "caches", "known")
        store.claim("stage", "os", "known")
        taken_back = store.claim("stage", "os", "none")
        store.claim("stage", "os", "diagnostic", {"right": 1, "of": 3})
        latest = store.claim("stage", "os", "diagnostic", {"right": 3, "of": 3, "seed": 9})
    found = queries.claims()
    assert first.at < second.at
    assert found.words == {("topic", "caches"): second, ("stage", "os"): taken_back}
    assert found.diagnostics == {"os": latest}
    assert found.diagnostics["os"].score == (3, 3)


@pytest.mark.parametrize(
    ("kind", "claim", "detail"),
    [
        ("track", "known", {}),
        ("topic", "passed", {}),
        ("topic", "diagnostic", {"right": 1, "of": 3}),
        ("stage", "diagnostic", {}),
        ("stage", "diagnostic", {"right": 4, "of": 3}),
    ],
)
def test_what_is_no_claim_is_not_stored(kind, claim, detail):
    with Store.open() as store, pytest.raises(ValueError, match="of ours"):
        store.claim(kind, "caches", claim, detail)
    assert queries.claims() == queries.Claims()


@pytest.mark.parametrize(
    "values",
    [
        "'short', 'topic', 'a', 'known', '2026-03-14T12:00:00.000000Z', '{{}}'",
        "'{id}', 'track', 'a', 'known', '2026-03-14T12:00:00.000000Z', '{{}}'",
        "'{id}', 'topic', '', 'known', '2026-03-14T12:00:00.000000Z', '{{}}'",
        "'{id}', 'topic', 'a', 'passed', '2026-03-14T12:00:00.000000Z', '{{}}'",
        "'{id}', 'topic', 'a', 'diagnostic', '2026-03-14T12:00:00.000000Z', '{{}}'",
        "'{id}', 'topic', 'a', 'known', 'yesterday', '{{}}'",
        "'{id}', 'topic', 'a', 'known', '2026-03-14T12:00:00.000000Z', 'a note'",
    ],
)
def test_no_tool_can_store_what_is_no_claim(database, values):
    Store.open().close()
    with closing(sqlite3.connect(database)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"INSERT INTO claims VALUES ({values.format(id=26 * '0')})")


def test_what_fails_inside_a_transaction_leaves_nothing(make_attempt):
    with Store.open() as store:
        with pytest.raises(RuntimeError), store.transaction() as database:
            database.execute("INSERT INTO settings VALUES ('track', 'x', '')")
            raise RuntimeError
        store.record(make_attempt())
    assert queries.setting("track") == ""


def test_threads_of_one_process_share_a_store(make_attempt):
    with Store.open() as store:
        threads = [
            threading.Thread(target=lambda n=n: [store.record(make_attempt(f"e{n}")) for _ in range(10)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {e: s.attempts for e, s in queries.statuses().items()} == {f"e{n}": 10 for n in range(4)}


def test_the_file_is_in_wal_mode_and_says_what_it_is(database):
    with Store.open(), closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"MLSP"
