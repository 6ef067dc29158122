"""`next`: today's share of the week's hours, with a reason for everything in it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from mlsys_path.cli import planning
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

TODAY = date(2026, 3, 14)


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "today", lambda: TODAY)


def shown(invoke) -> dict:
    result = invoke("next", "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def record(exercise: str, verdict: Outcome) -> None:
    with Store.open() as store:
        store.record(
            Attempt.new(
                exercise=exercise,
                started_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
                seconds=1.0,
                verdict=verdict,
                levels={Level.CORRECT: verdict},
                files_hash="f",
                exercise_hash="e",
            )
        )


def test_without_hours_a_week_there_is_no_plan_for_a_day(invoke):
    assert shown(invoke)["today"] is None
    assert "mlsys-path plan --hours 8" in invoke("next").stdout


def test_hours_that_were_set_are_a_share_of_each_day(invoke):
    invoke("plan", "--hours", "15")
    today = shown(invoke)["today"]
    assert (today["minutes"], today["minutes_per_week"]) == (135, 900)
    assert [(e["kind"], e["id"], e["minutes"]) for e in today["items"]] == [
        ("read", "a-book", 120), ("exercise", "add-one", 5), ("exercise", "add-two", 5),
    ]  # fmt: skip
    assert today["items"][0]["title"] == "A book of sums: Chapter 1"
    assert today["items"][0]["why"] == "It is read for the topic “Adding”, before the exercise “Add 1”."
    assert today["items"][1]["why"] == "It needs nothing before it."
    text = invoke("next").stdout
    assert "Today: 2 h 15 min of 15 h a week\n" in text
    assert "  2 h    read   a-book   A book of sums: Chapter 1\n" in text


def test_a_followed_track_has_hours_of_its_own(invoke):
    invoke("track", "follow", "arithmetic")
    today = shown(invoke)["today"]
    assert (today["minutes"], today["minutes_per_week"]) == (75, 480)
    assert [(e["id"], e["why"]) for e in today["items"]] == [
        ("add-one", "“Add 2” of your track “The arithmetic track” builds on it: 2 exercises to go."),
        ("add-two", "It comes next, when what it builds on has passed."),
    ]


def test_the_first_thing_said_is_the_first_of_the_day(invoke, content: Path):
    track = content / "roadmap" / "tracks" / "arithmetic.yaml"
    preface = "[{read: {resource: a-book, parts: {en: The preface., zh: 序。}, hours: 1}}, {topic: adding}]"
    track.write_text(track.read_text().replace("[{exercise: add-two}]", preface))
    invoke("track", "follow", "arithmetic")
    document = shown(invoke)
    assert [e["reading"] for e in document["today"]["items"]] == ["arithmetic/a-book", "adding/a-book"]
    first = document["suggestions"][0]
    assert (first["id"], first["read_first"]) == (
        "add-one", "Read first: “A book of sums”, The preface (1 h), and 1 more, 3 h in all.",
    )  # fmt: skip
    said = invoke("next").stdout
    assert said.startswith(f"{first['read_first']}\nThen:\nadd-one  Add 1\n")
    invoke("mark", "arithmetic/a-book", "read")
    assert shown(invoke)["suggestions"][0]["read_first"].endswith("Chapter 1 (2 h), for the topic “Adding”.")
    invoke("mark", "adding/a-book", "read")
    assert invoke("next").stdout.startswith("add-one  Add 1\n")


def test_when_the_track_is_done_the_whole_path_goes_on(invoke):
    invoke("track", "follow", "arithmetic")
    for name in ("add-one", "add-two"):
        invoke("mark", name, "known")
    assert [e["id"] for e in shown(invoke)["today"]["items"]] == ["a-book"]


def test_what_was_done_counts_and_what_failed_leads(invoke):
    invoke("plan", "--hours", "7")
    record("add-one", Outcome.PASSED)
    record("add-two", Outcome.FAILED)
    today = shown(invoke)["today"]
    assert (today["minutes"], today["done_today"], today["done_this_week"]) == (55, 5, 5)
    assert [e["id"] for e in today["items"]] == ["add-two", "a-book"]
    assert "Today: 55 min of 7 h a week; 5 min of this week are done, by estimate" in invoke("next").stdout


def test_a_share_that_is_done(invoke):
    invoke("plan", "--hours", "7")
    with Store.open() as store, store.transaction() as database:
        database.execute(
            "INSERT INTO claims VALUES ('00000000000000000000000000', 'resource', 'a-book', 'read', "
            "'2026-03-14T12:00:00.000000Z', '{}')"
        )
    today = shown(invoke)["today"]
    assert (today["minutes"], today["items"]) == (0, [])
    assert "Today's share is done, by estimate: 1 h." in invoke("next").stdout


def test_a_week_that_is_done(invoke):
    invoke("plan", "--hours", "0.5")
    for number, day in enumerate(("09", "10")):
        with Store.open() as store, store.transaction() as database:
            database.execute(
                f"INSERT INTO claims VALUES ('0000000000000000000000000{number}', 'resource', 'a-book', 'read', "
                f"'2026-03-{day}T12:00:00.000000Z', '{{}}')"
            )
    assert "This week's 30 min are done, by estimate." in invoke("next").stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_stays_within_80_columns(invoke, content: Path, monkeypatch, lang):
    monkeypatch.setenv("COLUMNS", "80")
    books = content / "roadmap" / "resources" / "books.yaml"
    books.write_text(
        books.read_text().replace("加法之书", "很长的书名" * 12).replace("A book", "A book " * 15)
    )
    invoke("plan", "--hours", "15")
    lines = invoke("--lang", lang, "next").stdout.splitlines()
    assert max(map(cell_len, lines)) <= 80, max(lines, key=cell_len)
