"""What lies ahead: the suggestions and the day's work say the same first."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.progress.outlook import outlook
from mlsys_path.progress.plan import LEAST, MOST
from mlsys_path.progress.word import Word
from mlsys_path.roadmap.model import Step

from .worlds import exercise, failed, passed, reading, roadmap, said, topic, worlds

TODAY = date(2026, 3, 14)
# z is in a later topic than what builds on it, and b needs nothing
ROAD = roadmap(
    exercise("a", "z"),
    exercise("b"),
    exercise("z"),
    topics=[
        topic("caches", [reading("ostep", 2)], ["a", "b"]),
        topic("locks", [reading("csapp", 1.5)], ["z"]),
    ],
    whole=(Step(read=reading("preface", 1)), Step(topic="caches"), Step(topic="locks")),
    books=(Step(exercise="z"), Step(read=reading("preface", 1)), Step(read=reading("afterword", 0.5))),
)


def ahead(track="whole", statuses=None, words=(), road=ROAD, here=lambda _name: "", pace=600):
    word = Word(road, said(*words))
    return outlook(road, statuses or {}, word, track, pace, TODAY, here, UTC)


def first(found) -> tuple[str, str]:
    return found.suggestions[0].exercise, found.suggestions[0].read_first


def test_the_first_suggestion_is_the_first_exercise_of_the_day_after_its_reading():
    found = ahead(pace=70 * 60)
    assert [e.id for e in found.today.items] == ["preface", "ostep", "csapp", "z", "a", "b"]
    assert first(found) == ("z", "Read first: “PREFACE”, Chapter 1 (1 h), and 2 more, 4.5 h in all.")


def test_reading_of_one_topic_says_for_which():
    found = ahead(words=[("resource", "preface", "read"), ("resource", "csapp", "read")])
    assert first(found) == ("z", "Read first: “OSTEP”, Chapter 1 (2 h), for the topic “CACHES”.")


def test_without_hours_a_week_it_is_the_same():
    assert ahead(pace=None).suggestions == ahead().suggestions
    assert ahead(pace=None).today is None


def test_what_failed_last_leads_both():
    found = ahead(statuses=failed("b"))
    assert first(found) == ("b", "")
    assert found.today.items[0].id == "b"


def test_a_track_of_which_only_reading_is_left_says_it_before_anything_else():
    found = ahead("books", statuses=passed("z"))
    assert {e.kind for e in found.today.items} == {"read"}
    assert first(found)[1] == "Read first: “PREFACE”, Chapter 1 (1 h), and 1 more, 1.5 h in all."


@pytest.mark.parametrize("track", ["track", ""])
@given(world=worlds(), pace=st.integers(LEAST, MOST))
def test_whatever_the_world(track, world, pace):
    road, statuses, claims, here = world
    found = outlook(
        road, statuses, Word(road, claims), track, pace, TODAY, lambda n: "" if n in here else "no", UTC
    )
    solve = [e.id for e in found.today.items if e.kind == "exercise"]
    if solve:
        assert found.suggestions[0].exercise == solve[0]
    if found.suggestions and found.today.items:
        assert bool(found.suggestions[0].read_first) == (found.today.items[0].kind == "read")
