"""What was done under an earlier id counts for the present one, as if it had been called so from the beginning."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_path.levels import LEVELS, Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.deriving import Touched, merge
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.model import Renames
from mlsys_path.roadmap.renaming import earlier, newest_of

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
# "oldest" became "old" became "now"; "other" was joined to it
RENAMES = Renames(
    exercises={"oldest": "old", "old": "now", "other": "now"},
    topics={"cache": "caches"},
    resources={"csapp": "cs-app"},
    tracks={"gpu": "gpu-kernels"},
)
NAMES = ("oldest", "old", "other", "now", "apart")


def test_the_earlier_ids_the_nearest_first():
    assert earlier(RENAMES, "exercises", "now") == ("old", "other", "oldest")
    assert earlier(RENAMES, "exercises", "oldest") == ()
    assert newest_of(RENAMES, "exercises")("oldest") == "now"
    assert newest_of(None, "exercises")("oldest") == "oldest"


def test_a_pass_under_an_earlier_id_is_a_pass(make_attempt, database):
    with Store.open() as store:
        store.record(make_attempt("oldest"))
    before = database.read_bytes()
    assert list(queries.statuses(renames=RENAMES)) == ["now"]
    assert queries.statuses(renames=RENAMES)["now"].passed
    assert queries.summary(NOON.date(), UTC, RENAMES).passes == 1
    assert database.read_bytes() == before, "rows are never rewritten"


def test_an_exercise_that_passed_under_both_ids_passed_once(make_attempt):
    with Store.open() as store:
        store.record(make_attempt("now", started_at=NOON))
        store.record(make_attempt("old", started_at=NOON - timedelta(days=2)))
    found = queries.summary(NOON.date(), UTC, RENAMES)
    assert (found.passes, found.attempts) == (1, 2)
    assert [(day.date.day, day.attempts, day.passes) for day in found.days] == [(12, 1, 1), (14, 1, 0)]


def test_every_fact_of_both():
    seen_old = {"hint": ("2026-03-01", 2), "started": ("2026-03-01", None), "solution": ("2026-03-09", None)}
    old = Touched(3, "2026-03-02", "failed", 4, "2026-03-01", "2026-03-01", "one", seen_old)
    new = Touched(2, "2026-03-08", "open", 1, "2026-03-05", "2026-03-07", "two", {"hint": ("2026-03-08", 0)})
    both = Touched(
        5,
        "2026-03-08",
        "open",
        4,
        "2026-03-01",
        "2026-03-07",
        "two",
        {"hint": ("2026-03-08", 2), "started": ("2026-03-01", None), "solution": ("2026-03-09", None)},
    )
    assert merge(old, new) == merge(new, old) == both
    assert merge(old, Touched()) == merge(Touched(), old) == old


def fill(path, things, rename):
    with Store.open(path) as store:
        for name, thing in things:
            if isinstance(thing, str):
                store.record_event(rename(name), thing, "1" if thing == "hint" else "")
            else:
                store.record(thing(rename(name)))


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_if_it_had_been_called_so_from_the_beginning(tmp_path_factory, make_attempt, data):
    folder = tmp_path_factory.mktemp("renames")
    outcomes = st.sampled_from(Outcome)
    things = []
    for number in range(data.draw(st.integers(0, 15))):
        name = data.draw(st.sampled_from(NAMES))
        if data.draw(st.booleans()):
            things.append((name, data.draw(st.sampled_from(["started", "hint", "solution", "reset"]))))
            continue
        facts = {
            "verdict": data.draw(outcomes),
            "started_at": NOON + timedelta(minutes=data.draw(st.integers(0, 10**4)), seconds=number),
            "levels": data.draw(st.dictionaries(st.sampled_from(LEVELS), outcomes)),
            "exercise_hash": data.draw(st.sampled_from(["old", "new"])),
            "measurements": ({"name": "speed", "ratio": data.draw(st.integers(0, 9))},),
        }
        things.append((name, lambda called, facts=facts: make_attempt(called, **facts)))
    grown, born = folder / "grown.db", folder / "born.db"
    fill(grown, things, lambda name: name)
    fill(born, things, newest_of(RENAMES, "exercises"))
    hashes = dict.fromkeys(NAMES, "new")
    assert queries.statuses(hashes, RENAMES, path=grown) == queries.statuses(hashes, path=born)
    day = NOON.date() + timedelta(days=3)
    assert queries.summary(day, UTC, RENAMES, path=grown) == queries.summary(day, UTC, path=born)
    assert queries.hints_seen("now", RENAMES, path=grown) == queries.hints_seen("now", path=born)
    assert queries.best_ratio("now", "speed", RENAMES, path=grown) == queries.best_ratio(
        "now", "speed", path=born
    )
    for limit in (3, 100):
        assert [
            (a.exercise, a.started_at, a.verdict) for a in queries.attempts("now", limit, RENAMES, path=grown)
        ] == [(a.exercise, a.started_at, a.verdict) for a in queries.attempts("now", limit, path=born)]
        assert {a.exercise for a in queries.attempts(None, limit, RENAMES, path=grown)} <= {"now", "apart"}


def test_a_word_is_of_the_present_id_and_the_latest_counts():
    with Store.open() as store:
        store.claim("topic", "caches", "known")
        store.claim("topic", "cache", "none")
        store.claim("resource", "csapp", "read")
        store.claim("exercise", "oldest", "known")
    words = queries.claims(RENAMES).words
    assert {subject: claim.claim for subject, claim in words.items()} == {
        ("topic", "caches"): "none",
        ("resource", "cs-app"): "read",
        ("exercise", "now"): "known",
    }


def test_the_followed_track(database):
    assert queries.followed_track(RENAMES) == ""
    with Store.open() as store:
        store.set_setting("track", "gpu")
    assert queries.followed_track(RENAMES) == "gpu-kernels"
    assert queries.followed_track() == "gpu"
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT value FROM settings").fetchall() == [("gpu",)]


@pytest.mark.parametrize("asked", ["oldest", "old", "now"])
def test_whatever_id_is_asked_for(make_attempt, asked):
    with Store.open() as store:
        store.record(make_attempt("old", levels={Level.FAST: Outcome.PASSED}))
        store.record_event("oldest", "hint", "1")
    assert [a.exercise for a in queries.attempts(asked, renames=RENAMES)] == ["now"]
    assert queries.hints_seen(asked, RENAMES) == 2


def test_a_part_that_was_read_is_found_whatever_of_its_name_has_changed():
    with Store.open() as store:
        store.claim("reading", "cache/csapp", "read")
        store.claim("reading", "gpu/cs-app", "known")
        store.claim("stage", "cache", "known")
    assert set(queries.claims(RENAMES).words) == {
        ("reading", "caches/cs-app"), ("reading", "gpu-kernels/cs-app"), ("stage", "cache"),
    }  # fmt: skip
