"""What is derived from attempts and events, held against the plain definition of each."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_path.levels import LEVELS, Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.records import Day, Status, Summary
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.model import Renames

SHANGHAI, NEW_YORK, KATHMANDU = (
    ZoneInfo("Asia/Shanghai"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Asia/Kathmandu"),
)


@pytest.fixture
def record(make_attempt):
    """Store attempts at exercise "e" of these outcomes, a minute apart; returns them."""

    def store(*outcomes, start=datetime(2026, 3, 14, 12, tzinfo=UTC), exercise="e", **changes):
        with Store.open() as opened:
            found = []
            for n, outcome in enumerate(outcomes):
                at = start + timedelta(minutes=n)
                found.append(make_attempt(exercise, outcome, started_at=at, **changes))
                opened.record(found[-1])
        return found

    return store


P, F, E, O = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.OPEN  # noqa: E741


def test_an_exercise_that_was_never_touched_is_new():
    assert queries.statuses() == {}
    status = Status("lru-cache")
    assert (status.state, status.passed, status.attempts, status.best_level) == ("new", False, 0, None)


@pytest.mark.parametrize(
    ("outcomes", "state", "last_failed"),
    [([F], "failed", True), ([F, P], "passed", False), ([P, F], "passed", True), ([F, O], "open", False),
     ([F, E], "error", True), ([P, O, E], "passed", True)],
)  # fmt: skip
def test_a_pass_stays_a_pass_and_else_the_last_attempt_counts(record, outcomes, state, last_failed):
    stored = record(*outcomes)
    status = queries.statuses()["e"]
    assert (status.state, status.last_failed, status.attempts) == (state, last_failed, len(outcomes))
    assert status.last_attempt_at == stored[-1].started_at
    assert status.passed_at == next((a.started_at for a in stored if a.passed), None)


def test_attempts_count_in_the_order_of_their_times_not_of_their_arrival(record):
    late, early = datetime(2026, 3, 14, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    record(F, start=late)
    record(P, O, start=early)
    status = queries.statuses()["e"]
    assert (status.last_attempt_at, status.passed_at, status.last_failed) == (late, early, True)


def test_a_pass_says_that_the_exercise_has_changed_since(record):
    record(P, exercise_hash="one")
    assert not queries.statuses({"e": "one"})["e"].exercise_changed
    changed = queries.statuses({"e": "two"})["e"]
    assert (changed.state, changed.exercise_changed) == ("passed", True)
    assert not queries.statuses()["e"].exercise_changed, "without the present hash nothing can be said"
    record(F, exercise_hash="two", start=datetime(2026, 4, 1, tzinfo=UTC))
    assert queries.statuses({"e": "two"})["e"].exercise_changed
    record(P, exercise_hash="two", start=datetime(2026, 4, 2, tzinfo=UTC))
    assert not queries.statuses({"e": "two"})["e"].exercise_changed


def test_events_make_an_exercise_started(record):
    with Store.open() as store:
        store.record_event("e", "started")
        store.record_event("f", "hint", "1")
        store.record_event("g", "solution")
    found = queries.statuses()
    assert (found["e"].state, found["f"].state, found["g"].state) == ("started", "new", "new")
    assert (found["f"].hints, found["g"].solution_seen, found["e"].solution_seen) == (2, True, False)


def test_a_reset_makes_a_failure_a_start_and_leaves_a_pass(record):
    record(F)
    record(P, F, exercise="done")
    with Store.open() as store:
        store.record_event("e", "reset")
        store.record_event("done", "reset")
    found = queries.statuses()
    assert (found["e"].state, found["e"].last_failed, found["e"].attempts) == ("started", False, 1)
    assert (found["done"].state, found["done"].last_failed) == ("passed", False)


def test_the_best_level_is_the_strongest_of_any_attempt(record):
    record(F, levels={Level.CORRECT: P, Level.COMPILES: P, Level.FAST: F})
    record(F, levels={Level.CORRECT: F, Level.GPU: O})
    assert queries.statuses()["e"].best_level is Level.COMPILES


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_statuses_agree_with_a_scan_of_all_attempts(tmp_path_factory, make_attempt, data):
    path = tmp_path_factory.mktemp("progress") / "progress.db"
    outcomes = st.sampled_from(Outcome)
    start = datetime(2026, 3, 14, tzinfo=UTC)
    attempts = []
    for _ in range(data.draw(st.integers(0, 25))):
        at = start + timedelta(seconds=data.draw(st.integers(0, 10**6)), microseconds=len(attempts))
        attempts.append(
            make_attempt(
                data.draw(st.sampled_from("abc")),
                data.draw(outcomes),
                started_at=at,
                levels=data.draw(st.dictionaries(st.sampled_from(LEVELS), outcomes)),
                exercise_hash=data.draw(st.sampled_from(["old", "new"])),
            )
        )
    with Store.open(path) as store:
        for attempt in attempts:
            store.record(attempt)
    found = queries.statuses(dict.fromkeys("abc", "new"), path=path)
    assert found.keys() == {a.exercise for a in attempts}
    for name, status in found.items():
        mine = sorted((a for a in attempts if a.exercise == name), key=lambda a: a.started_at)
        passes = [a for a in mine if a.passed]
        reached = [level for a in mine for level, outcome in a.levels.items() if outcome is P]
        assert status == Status(
            name,
            "passed" if passes else mine[-1].verdict.value,
            best_level=max(reached, key=LEVELS.index, default=None),
            attempts=len(mine),
            last_attempt_at=mine[-1].started_at,
            passed_at=passes[0].started_at if passes else None,
            last_failed=mine[-1].verdict in (F, E),
            exercise_changed=bool(passes) and passes[-1].exercise_hash == "old",
        )


@given(
    minutes=st.lists(st.integers(0, 60 * 24 * 20), max_size=25),
    zone=st.sampled_from([UTC, SHANGHAI, NEW_YORK, KATHMANDU]),
    today=st.integers(0, 25),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_and_streaks_are_those_of_the_learners_zone(
    tmp_path_factory, make_attempt, minutes, zone, today
):
    path = tmp_path_factory.mktemp("progress") / "progress.db"
    # New York's clocks change on the 8th
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=m) for m in minutes]
    with Store.open(path) as store:
        for n, at in enumerate(times):
            store.record(make_attempt(f"e{n}", P if n % 2 else F, started_at=at))
    now = date(2026, 3, 1) + timedelta(days=today)
    attempts = Counter(day for t in times if (day := t.astimezone(zone).date()) <= now)
    passes = Counter(t.astimezone(zone).date() for t in times[1::2])
    streak, day = 0, now if attempts[now] else now - timedelta(days=1)
    while attempts[day]:
        streak, day = streak + 1, day - timedelta(days=1)
    assert queries.summary(now, zone, path=path) == Summary(
        streak, len(times[1::2]), len(times), tuple(Day(d, attempts[d], passes[d]) for d in sorted(attempts))
    )


def test_a_summary_shows_a_year_and_counts_all(record):
    record(P, start=datetime(2020, 1, 1, tzinfo=UTC))
    record(F, F, start=datetime(2026, 3, 14, tzinfo=UTC))
    found = queries.summary(date(2026, 3, 14), UTC)
    assert (found.attempts, found.passes, found.streak) == (3, 1, 1)
    assert found.by_day == {date(2026, 3, 14): Day(date(2026, 3, 14), 2, 0)}


def test_a_streak_may_be_longer_than_what_is_shown(make_attempt):
    today = datetime(2026, 3, 14, 12, tzinfo=UTC)
    with Store.open() as store, store.transaction() as database:
        from mlsys_path.progress.rows import attempt_to_row

        rows = [attempt_to_row(make_attempt(started_at=today - timedelta(days=n))) for n in range(400)]
        database.table("attempts").insert_all(rows)
    found = queries.summary(today.date(), UTC)
    assert (found.streak, len(found.days)) == (400, queries.SHOWN_DAYS)


def test_the_best_ratio_is_of_a_program_that_was_right(record):
    def speed(ratio):
        return ({"name": "speed", "ratio": ratio}, {"name": "utilisation", "value": 0.8})

    record(P, measurements=speed(2))
    record(F, measurements=speed(3.5), levels={Level.CORRECT: P, Level.FAST: F})
    record(F, measurements=speed(90.0), levels={Level.CORRECT: F, Level.FAST: P})
    record(E, measurements=speed(99.0), levels={Level.FAST: E})
    record(P, measurements=speed(float("nan")))
    assert queries.best_ratio("e", "speed") == 3.5
    assert queries.best_ratio("e", "utilisation") is None
    assert queries.best_ratio("other", "speed") is None


def test_what_triggers_keep_follows_from_the_attempts(record, database):
    for n in range(3):
        record(
            P,
            F,
            P,
            exercise=f"e{n}",
            measurements=({"name": "speed", "ratio": 1 + n},),
            levels={Level.CORRECT: P},
        )
    with closing(sqlite3.connect(database)) as connection:
        for kept, derived in (
            ("SELECT * FROM tallies", "SELECT exercise, count(*) FROM attempts GROUP BY 1"),
            (
                "SELECT * FROM activity",
                "SELECT strftime('%s', started_at) / 900, count(*) FROM attempts GROUP BY 1",
            ),
            (
                "SELECT * FROM ratios",
                "SELECT exercise, json_extract(value, '$.name'), max(json_extract(value, '$.ratio')) "
                "FROM attempts, json_each(measurements) GROUP BY 1, 2",
            ),
        ):
            found = connection.execute(kept).fetchall()
            assert found
            assert found == connection.execute(derived).fetchall()


def test_no_query_scans_the_attempts(record, database, monkeypatch):
    """Also a million attempts are read by look-ups."""
    record(P, F)
    statements = []
    connect = sqlite3.connect

    def spying(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", spying)
    renames = Renames(exercises={"earlier": "e"})
    queries.statuses(renames=renames)
    queries.summary(date(2026, 3, 14), UTC, renames)
    queries.attempts("e", renames=renames)
    queries.attempts()
    queries.best_ratio("e", "speed", renames)
    queries.hints_seen("e", renames)
    queries.claims(renames)
    monkeypatch.undo()
    asked = {s for s in statements if s.lstrip().upper().startswith(("SELECT", "WITH"))}
    assert len(asked) > 5
    with closing(connect(database)) as connection:
        for statement in asked:
            for *_ids, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                by_id = "attempts USING INDEX sqlite_autoindex_attempts_1" in detail and "LIMIT" in statement
                assert not detail.startswith(("SCAN attempts", "SCAN a ")) or by_id, (statement, detail)
                assert "TEMP B-TREE FOR ORDER BY" not in detail, statement
