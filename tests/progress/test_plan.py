"""A plan by weeks: everything once and in an order in which it can be done, and honest about whether it fits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.progress.plan import LEAST, MOST, plan
from mlsys_path.progress.tasks import Left, Task, items_of, left
from mlsys_path.progress.word import Word
from mlsys_path.roadmap.model import Step

from .worlds import exercise, passed, planned, reading, roadmap, said, topic, worlds

MONDAY = date(2026, 3, 2)
CACHES = topic("caches", [reading("ostep", 2)], ["a", "b", "later"])
LOCKS = topic("locks", [reading("csapp", 1)], ["c"])
ROAD = roadmap(
    exercise("a", "c"),
    exercise("b", "a", "out"),
    exercise("c"),
    exercise("out"),
    topics=[CACHES, LOCKS],
    to_come=[planned("later")],
    both=(Step(topic="caches"), Step(topic="locks")),
    caches=(Step(topic="caches"),),
)


def tasks_of(track: str = "both", statuses=(), claims=None, trouble=lambda _name: "", road=ROAD):
    return left(road, items_of(road, track), list(statuses), Word(road, claims), trouble)


def names(found: Left) -> list[str]:
    return [task.id for task in found.tasks]


class TestWhatIsLeft:
    def test_reading_before_exercises_and_what_they_build_on_before_them(self):
        found = tasks_of()
        # the turn of c comes early, and that of its reading with it
        assert names(found) == ["ostep", "csapp", "c", "a", "out", "b"]
        assert {task.id: task.needed_for for task in found.tasks if task.needed_for} == {"out": "b"}
        assert [task.minutes for task in found.tasks] == [120, 60, 30, 30, 30, 30]
        assert found.planned == ("later",)

    def test_what_the_track_does_not_list_is_there_for_what_needs_it(self):
        found = tasks_of("caches")
        assert [(task.id, task.needed_for) for task in found.tasks] == [
            ("ostep", ""), ("c", "a"), ("a", ""), ("out", "b"), ("b", ""),
        ]  # fmt: skip

    def test_each_part_of_a_resource_is_a_reading_of_its_own_and_the_same_part_is_one(self):
        road = roadmap(
            topics=[topic("caches", [reading("ostep", 2)]), topic("locks", [reading("ostep", 1, chapter=2)])],
            parts=(
                Step(read=reading("ostep", 3, chapter=3)),
                Step(read=reading("ostep", 4, chapter=4)),
                Step(read=reading("ostep", 2)),
                Step(topic="caches"),
                Step(topic="locks"),
            ),
        )
        found = tasks_of("parts", road=road)
        assert [(task.parts.en, task.minutes) for task in found.tasks] == [
            ("Chapter 3", 180), ("Chapter 4", 240), ("Chapter 1", 120), ("Chapter 2", 60),
        ]  # fmt: skip

    def test_the_whole_path_without_a_track(self):
        assert sorted(names(tasks_of(""))) == ["a", "b", "c", "csapp", "ostep", "out"]

    @pytest.mark.parametrize(
        ("statuses", "words", "rest"),
        [
            (["a"], [], ["ostep", "out", "b"]),
            (["b"], [], ["ostep", "c", "a"]),
            ([], [("exercise", "a", "known")], ["ostep", "out", "b"]),
            ([], [("topic", "locks", "known")], ["ostep", "a", "out", "b"]),
            ([], [("resource", "ostep", "read")], ["c", "a", "out", "b"]),
            ([], [("topic", "caches", "read")], ["c", "a", "out", "b"]),
            ([], [("topic", "caches", "known")], []),
            ([], [("stage", "s1", "known"), ("exercise", "b", "none")], ["b"]),
        ],
    )
    def test_what_is_passed_read_or_known_is_left_out(self, statuses, words, rest):
        assert names(tasks_of("caches", statuses, said(*words))) == rest

    def test_what_is_known_counts_no_exercises_to_come(self):
        assert tasks_of("caches", claims=said(("topic", "caches", "known"))).planned == ()

    def test_what_cannot_be_checked_stands_apart_and_so_does_what_builds_on_it(self):
        found = tasks_of("both", trouble=lambda name: "needs a GPU" if name == "c" else "")
        assert names(found) == ["ostep", "csapp", "out"]
        assert [(apart.task.id, apart.reason) for apart in found.uncheckable] == [
            ("c", "needs a GPU"),
            ("a", "builds on “C”, which this machine cannot check"),
            ("b", "builds on “A”, which this machine cannot check"),
        ]


def left_of(*minutes: int) -> Left:
    return Left(tuple(Task("exercise", f"e{n}", "t", m) for n, m in enumerate(minutes)), (), ())


class TestWeeks:
    def test_an_item_that_is_longer_than_what_is_left_of_a_week_continues(self):
        found = plan(left_of(90, 90, 60), 120, MONDAY)
        assert [
            [(p.task.id, p.minutes, p.continued, p.continues) for p in week.parts] for week in found.weeks
        ] == [
            [("e0", 90, False, False), ("e1", 30, False, True)],
            [("e1", 60, True, False), ("e2", 60, False, False)],
        ]
        assert [(w.number, w.begins, w.ends) for w in found.weeks] == [
            (1, date(2026, 3, 2), date(2026, 3, 8)),
            (2, date(2026, 3, 9), date(2026, 3, 15)),
        ]
        assert found.ends == date(2026, 3, 15)

    def test_weeks_begin_on_the_day_on_which_the_plan_does(self):
        [week] = plan(left_of(60), 120, date(2026, 3, 5)).weeks
        assert (week.begins, week.ends) == (date(2026, 3, 5), date(2026, 3, 11))

    def test_nothing_to_do(self):
        found = plan(left_of(), 120, MONDAY, MONDAY)
        assert (found.weeks, found.fits, found.spare, found.ends) == ((), True, 17, MONDAY)

    def test_it_fits_with_hours_to_spare(self):
        found = plan(left_of(600), 420, MONDAY, MONDAY + timedelta(days=13))
        assert (found.fits, found.available, found.spare, found.left_out) == (True, 840, 240, ())

    def test_the_last_week_may_be_short(self):
        found = plan(left_of(600), 420, MONDAY, MONDAY + timedelta(days=8))
        assert [week.minutes for week in found.weeks] == [420, 120]
        assert found.weeks[1].ends == MONDAY + timedelta(days=8)

    def test_it_does_not_fit_and_says_by_how_much(self):
        found = plan(left_of(300, 100, 200), 210, MONDAY, MONDAY + timedelta(days=13))
        assert not found.fits
        assert found.spare == -180
        assert found.pace_needed == 300
        assert found.ends == MONDAY + timedelta(days=19)
        assert [(m.task.id, m.minutes) for m in found.left_out] == [("e2", 180)]

    def test_a_week_may_not_have_enough_hours(self):
        assert plan(left_of(100_000), 210, MONDAY, MONDAY + timedelta(days=13)).pace_needed is None

    @pytest.mark.parametrize(
        ("pace", "until"),
        [(0, None), (LEAST - 1, None), (MOST + 1, None), (60, MONDAY - timedelta(days=1))],
    )
    def test_no_plan(self, pace, until):
        with pytest.raises(ValueError, match="no plan"):
            plan(left_of(60), pace, MONDAY, until)


@given(
    worlds(),
    st.integers(LEAST, 2000),
    st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    st.none() | st.integers(0, 200),
)
def test_whatever_the_world(world, pace, begins, days):
    road, statuses, claims, here = world
    word = Word(road, claims)
    done = {name for name, status in statuses.items() if status.passed}
    items = items_of(road, "track")
    rest = left(road, items, done, word, lambda name: "" if name in here else "needs a GPU")
    until = None if days is None else begins + timedelta(days=days)
    found = plan(rest, pace, begins, until)

    # everything that is left stands there once, and nothing else
    keys = [(t.kind, t.id, t.topic) for t in (*rest.tasks, *(apart.task for apart in rest.uncheckable))]
    assert len(keys) == len(set(keys))
    wanted = {
        (item.kind, item.id, item.topic)
        for item in items
        if (item.kind == "read" and not word.read(item.name))
        or (item.kind == "exercise" and item.id not in done | word.known)
    }
    added = {(t.kind, t.id, t.topic) for t in rest.tasks if t.needed_for}
    added |= {(a.task.kind, a.task.id, a.task.topic) for a in rest.uncheckable if a.task.needed_for}
    assert wanted | added == set(keys)
    assert not wanted & added

    # what it builds on comes before; what cannot be checked, or builds on such, stands apart
    met = done | word.known
    for task in rest.tasks:
        if task.kind == "exercise":
            assert set(road.exercises[task.id].requires) <= met
            assert task.id in here
            met.add(task.id)
    assert all(
        apart.task.id not in here
        or set(road.exercises[apart.task.id].requires) & {other.task.id for other in rest.uncheckable}
        for apart in rest.uncheckable
    )

    # no week is longer than it may be, and the weeks follow one another
    assert all(0 < week.minutes <= pace for week in found.weeks)
    assert all(week.minutes == pace for week in found.weeks[:-1])
    assert [w.begins for w in found.weeks] == [begins + timedelta(weeks=n) for n in range(len(found.weeks))]
    if until:
        assert sum(week.minutes for week in found.weeks) <= found.available
        assert all(week.ends <= until for week in found.weeks)

    # the parts of a thing, and what is left out of it, are all of it
    parts: dict[Task, int] = {}
    for week in found.weeks:
        for part in week.parts:
            assert part.continued == (part.task in parts)
            parts[part.task] = parts.get(part.task, 0) + part.minutes
            assert part.continues == (parts[part.task] < part.task.minutes)
    missing = {each.task: each.minutes for each in found.left_out}
    assert {t: parts.get(t, 0) + missing.get(t, 0) for t in rest.tasks} == {t: t.minutes for t in rest.tasks}
    assert list(parts) == [t for t in rest.tasks if t in parts], "in order"

    # what it says of the end is so
    assert found.fits == (not missing) == (until is None or found.ends <= until)
    assert sum(missing.values()) == max(0, -found.spare)
    if found.pace_needed is not None and until:
        assert plan(rest, found.pace_needed, begins, until).fits
        assert (
            found.pace_needed == LEAST
            or not plan(rest, max(LEAST, found.pace_needed - 15), begins, until).fits
        )


def test_a_track_that_is_done():
    assert tasks_of("caches", passed("a", "b")).tasks[0].id == "ostep"
    assert tasks_of("caches", passed("a", "b"), said(("resource", "ostep", "read"))).tasks == ()
