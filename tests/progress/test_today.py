"""What to do today: the day's share of the week, less what was done, in order and each thing with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.progress.plan import LEAST, MOST
from mlsys_path.progress.suggest import suggest
from mlsys_path.progress.tasks import items_of, left
from mlsys_path.progress.today import done, share, today
from mlsys_path.progress.word import Word
from mlsys_path.roadmap.model import Step

from .worlds import exercise, failed, passed, reading, roadmap, said, topic, worlds

SATURDAY = date(2026, 3, 14)
ROAD = roadmap(
    exercise("a", minutes=30),
    exercise("b", "a", "out", minutes=40),
    exercise("out", minutes=20),
    topics=[topic("caches", [reading("ostep", 1)], ["a", "b"])],
    gpu=(Step(topic="caches"), Step(read=reading("csapp", 1))),
)


def plan_of(pace, statuses=None, claims=None, spent=(0, 0), track="gpu"):
    statuses = statuses or {}
    word = Word(ROAD, claims)
    rest = left(ROAD, items_of(ROAD, track), {n for n, s in statuses.items() if s.passed}, word)
    return today(ROAD, rest.tasks, suggest(ROAD, statuses, track, word=word), pace, spent)


@pytest.mark.parametrize(
    ("hours", "minutes"), [(1, 30), (3, 30), (5, 45), (7, 60), (8, 75), (10, 90), (40, 345)]
)
def test_a_share_is_a_seventh_in_quarters_of_an_hour_and_at_least_half_an_hour(hours, minutes):
    assert share(hours * 60) == minutes


def test_the_day_is_filled_in_order_and_everything_has_its_reason():
    found = plan_of(17 * 60)  # a share of 150 minutes
    assert (found.minutes, found.pace) == (150, 1020)
    assert [(e.kind, e.id, e.title, e.minutes, e.why) for e in found.items] == [
        ("read", "ostep", "OSTEP: Chapter 1", 60, "It is read for the topic “CACHES”, before the exercise “A”."),
        ("exercise", "a", "A", 30, "It is the next exercise of your track “Gpu”."),
        ("exercise", "out", "OUT", 20, "“B” of your track “Gpu” builds on it: 3 exercises to go."),
        ("exercise", "b", "B", 40, "It comes next, when what it builds on has passed."),
    ]  # fmt: skip


def test_what_a_track_wants_read_by_itself():
    found = plan_of(17 * 60, passed("a", "b"), said(("resource", "ostep", "read")))
    assert [(e.id, e.why) for e in found.items] == [("csapp", "Your track wants it read here.")]


def test_what_is_longer_than_the_day_is_cut_and_little_of_a_thing_is_not_begun():
    assert [(e.id, e.minutes) for e in plan_of(5 * 60).items] == [("ostep", 45)]
    assert [(e.id, e.minutes) for e in plan_of(8 * 60).items] == [("ostep", 60), ("a", 15)]
    assert [(e.id, e.minutes) for e in plan_of(8 * 60, spent=(5, 5)).items] == [("ostep", 60)]


def test_what_failed_last_leads_and_does_not_come_twice():
    found = plan_of(14 * 60, failed("a"))
    assert [e.id for e in found.items] == ["a", "ostep", "out"]
    assert found.items[0].why == "Your last attempt failed: carry on while it is fresh."


@pytest.mark.parametrize(
    ("spent", "minutes"),
    [((0, 0), 75), ((30, 30), 45), ((90, 90), 0), ((0, 470), 10), ((0, 500), 0)],
)
def test_what_was_done_of_the_day_and_of_the_week_counts(spent, minutes):
    found = plan_of(8 * 60, spent=spent)
    assert (found.minutes, found.done_today, found.done_this_week) == (minutes, *spent)
    assert sum(e.minutes for e in found.items) <= minutes


class TestDone:
    def test_exercises_by_their_first_pass_in_a_week_that_begins_on_monday(self):
        at = datetime(2026, 3, 14, 12, tzinfo=UTC)
        statuses = (
            passed("a", at=at)
            | passed("b", at=at - timedelta(days=5))
            | passed("out", at=at - timedelta(days=6))
        )
        statuses |= passed("of-another-roadmap", at=at) | failed("c")
        assert self.of(statuses) == (30, 70)

    def test_days_are_those_of_the_learners_zone(self):
        late = passed("a", at=datetime(2026, 3, 13, 20, tzinfo=UTC))
        assert self.of(late) == (0, 30)
        assert self.of(late, tz=ZoneInfo("Asia/Shanghai")) == (30, 30)

    def test_reading_when_it_is_marked_as_read(self):
        assert self.of({}, said(("resource", "ostep", "read"))) == (60, 60)
        assert self.of({}, said(("resource", "ostep", "known"))) == (0, 0), "that was no work of this week"
        assert self.of({}, said(("topic", "caches", "read"), start=datetime(2026, 1, 1, tzinfo=UTC))) == (
            0,
            0,
        )

    def test_what_was_read_years_ago_and_marked_today_is_a_day_and_not_the_week(self):
        words = said(("resource", "ostep", "read"), ("resource", "csapp", "read"))
        assert self.of({}, words) == (75, 75)

    def of(self, statuses, claims=None, tz=UTC):
        word = Word(ROAD, claims)
        return done(ROAD, items_of(ROAD, "gpu"), statuses, word, 8 * 60, SATURDAY, tz)


@given(worlds(), st.integers(LEAST, MOST), st.integers(0, 300), st.integers(0, 300))
def test_whatever_the_world(world, pace, of_today, before):
    road, statuses, claims, here = world
    word = Word(road, claims)
    done_names = {name for name, status in statuses.items() if status.passed}
    rest = left(
        road, items_of(road, "track"), done_names, word, lambda name: "" if name in here else "needs a GPU"
    )
    suggestions = suggest(road, statuses, "track", here.__contains__, word)
    found = today(road, rest.tasks, suggestions, pace, (of_today, of_today + before))
    assert 0 <= found.minutes <= max(share(pace) - of_today, 0)
    assert sum(e.minutes for e in found.items) <= found.minutes
    assert all(e.minutes > 0 and e.why and e.title for e in found.items)
    assert not {e.id for e in found.items if e.kind == "exercise"} & (done_names | word.known)
    assert {e.id for e in found.items if e.kind == "exercise"} <= here
    if found.minutes and rest.tasks:
        assert found.items, "there is always something to begin with"
