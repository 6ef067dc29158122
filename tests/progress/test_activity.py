"""The year of the statistics, and the courses of ratios, held against plain definitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.activity import MONTHS, WEEKS, activity, bars, spark
from mlsys_path.progress.bests import courses
from mlsys_path.progress.records import Attempt, Day, Summary
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.model import Renames

TODAY = date(2026, 3, 14)  # a Saturday


def year(counts: dict[int, int], passes: int = 0, streak: int = 0, today: date = TODAY):
    """The year in which so many attempts were made so many days ago."""
    days = tuple(
        Day(today - timedelta(days=back), n, passes) for back, n in sorted(counts.items(), reverse=True)
    )
    return activity(Summary(streak, 0, sum(counts.values()), days), today)


def test_nothing_was_done():
    found = year({})
    assert (found.attempts, found.active, found.longest, found.busiest) == (0, 0, 0, None)
    assert found.rows[5][-1] == 0 and found.rows[6][-1] is None, "Saturday is today, Sunday is to come"
    assert "0 attempts on 0 days" in found.words() and "Most on" not in found.words()


def test_words_months_and_weekdays_say_what_is_drawn():
    found = year({0: 4, 1: 1, 14: 2}, passes=1, streak=2)
    assert found.words() == (
        "In a year 7 attempts on 3 days, 3 first passes. 2 days in a row now, 2 at the longest. Most on 2026-03-14: 4."
    )
    assert found.months[-1].words() == "Mar 2026: 5 attempts on 2 days, 2 first passes"
    assert found.months[-2].words() == "Feb 2026: 2 attempts on 1 day, 1 first pass"
    assert found.per_weekday == [0, 0, 0, 0, 1, 6, 0] and found.per_week[-3:] == [2, 0, 5]


def test_every_month_has_its_name_above_its_first_week(monkeypatch):
    line = year({}).months_above(1)
    assert line.split() == [*MONTHS[3:], *MONTHS[:3]]
    wide = {name: f"{number}月" for number, name in enumerate(MONTHS, 1)}
    monkeypatch.setattr("mlsys_path.progress.activity._", lambda text: wide.get(text, text))
    assert all(name in year({}).months_above(1) for name in wide.values())


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.dictionaries(st.integers(0, 400), st.integers(1, 10_000), max_size=60),
)
def test_any_year_has_its_days_once_in_their_place(today, counts):
    found = year(counts, today=today)
    days = [day for week in found.weeks for day in week if day]
    assert len(found.weeks) == WEEKS and all(len(week) == 7 for week in found.weeks)
    assert [d.date for d in days] == [days[0].date + timedelta(days=n) for n in range(len(days))]
    assert days[-1].date == today and days[0].date.weekday() == 0
    shown = {back: n for back, n in counts.items() if back < len(days)}
    assert found.attempts == sum(shown.values()) == sum(found.per_week) == sum(found.per_weekday)
    assert sum(month.attempts for month in found.months) == found.attempts
    assert found.active == len(shown) == sum(month.days for month in found.months)
    shades = sorted((day.attempts, found.shade(day)) for day in days)
    assert [s for _n, s in shades] == sorted(s for _n, s in shades), "more is never lighter"
    assert all((shade > 0) == (n > 0) and shade <= 4 for n, shade in shades)
    best = 0
    for back in range(len(days)):
        row = 0
        while back + row in shown and back + row < len(days):
            row += 1
        best = max(best, row)
    assert found.longest == best
    for width in (1, 2, 3):
        assert len(found.months_above(width)) <= WEEKS * width + 3


@given(st.lists(st.floats(0, 1e9), max_size=60), st.integers(1, 6))
def test_bars_are_as_high_as_their_values(values, height):
    lines = bars(values, height)
    assert len(lines) == height and all(len(line) == len(values) for line in lines)
    heights = [sum(" ▁▂▃▄▅▆▇█".index(line[n]) for line in lines) for n in range(len(values))]
    for value, drawn in zip(values, heights, strict=True):
        assert (drawn > 0) == (value > 0) and drawn <= 8 * height
        assert value < max(values) or drawn == (8 * height if value else 0)


def test_a_course_in_one_line():
    assert spark([], 5) == "" and spark([1, 1], 5) == "▄▄"
    assert spark([0, 1, 2, 3], 3) == "▁▄█" or spark([0, 1, 2, 3], 3)[0] == "▁"
    assert len(spark(range(100), 24)) == 24


@pytest.fixture
def timed():
    def record(
        exercise: str, minute: int, ratio: object, correct: Outcome = Outcome.PASSED, name: str = "big"
    ):
        at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
        with Store.open() as store:
            store.record(
                Attempt.new(
                    exercise=exercise,
                    started_at=at,
                    seconds=1.0,
                    verdict=correct,
                    levels={Level.CORRECT: correct},
                    files_hash="f",
                    exercise_hash="e",
                    measurements=[{"name": name, "ratio": ratio}],
                )
            )

    return record


def test_a_course_has_the_ratios_of_programs_that_were_right_in_time(timed):
    assert courses() == ()
    timed("a", 2, 0.5)
    timed("a", 1, 0.7)
    timed("a", 3, 9.0, correct=Outcome.FAILED)
    timed("a", 4, None)
    timed("b", 5, 1, name="small")
    first, second = courses()
    assert (first.exercise, first.name, first.ratios) == ("b", "small", [1.0])
    assert (second.exercise, second.ratios, second.best[1]) == ("a", [0.7, 0.5], 0.7)


def test_a_course_goes_on_under_a_new_name(timed):
    timed("old", 1, 0.5)
    timed("new", 2, 0.6)
    (course,) = courses(Renames(exercises={"old": "new"}))
    assert (course.exercise, course.ratios) == ("new", [0.5, 0.6])
