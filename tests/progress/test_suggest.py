"""What to do now: the order, the reasons, and what is never suggested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mlsys_path import language
from mlsys_path.language import Text
from mlsys_path.progress.records import Status
from mlsys_path.progress.suggest import suggest
from mlsys_path.roadmap import graph
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.roadmap.model import Check, Exercise, Track

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def exercise(name: str, *requires: str) -> Exercise:
    text = Text(name.upper(), name + "题")
    return Exercise(
        name, text, text, "python", ("a.py",), 1, 30, {"test_a": Check(text)}, (text,), requires=requires
    )


def roadmap(*exercises: Exercise, **tracks: tuple[str, ...]) -> Roadmap:
    return Roadmap(
        stages={},
        topics={},
        resources={},
        tracks={
            name: Track(name, Text(name.title(), name), Text("", ""), names) for name, names in tracks.items()
        },
        exercises={e.id: e for e in exercises},
        folders={},
        exercise_topic={},
        topic_stage={},
    )


def passed(*names: str) -> dict[str, Status]:
    return {name: Status(name, "passed", attempts=1, last_attempt_at=NOON, passed_at=NOON) for name in names}


def failed(name: str, hours: int = 0) -> dict[str, Status]:
    at = NOON + timedelta(hours=hours)
    return {name: Status(name, "failed", attempts=1, last_attempt_at=at, last_failed=True)}


def order(found) -> list[str]:
    return [s.exercise for s in found]


CHAIN = (exercise("a"), exercise("b", "a"), exercise("c", "b"), exercise("free"), exercise("d", "free"))


def test_a_newcomer_gets_what_needs_nothing_in_the_order_of_the_path():
    found = suggest(roadmap(*CHAIN), {})
    assert order(found) == ["a", "free"]
    assert [s.reason for s in found] == ["It needs nothing before it."] * 2


def test_what_was_passed_unlocks_what_builds_on_it_and_is_not_suggested_again():
    found = suggest(roadmap(*CHAIN), passed("a"))
    assert order(found) == ["b", "free"]
    assert found[0].reason == "You have passed everything that it builds on."


def test_what_failed_last_leads():
    statuses = passed("a") | failed("free", hours=1) | failed("b", hours=2)
    found = suggest(roadmap(*CHAIN), statuses, None)
    assert order(found) == ["b", "free"]
    assert (found[0].reason_kind, found[0].reason) == (
        "failed",
        "Your last attempt failed: carry on while it is fresh.",
    )
    assert found[1].reason == "You have tried it and not passed it yet."


def test_a_failure_after_a_pass_is_no_unfinished_business():
    tinkered = Status("a", "passed", attempts=2, last_attempt_at=NOON, passed_at=NOON, last_failed=True)
    assert order(suggest(roadmap(*CHAIN), {"a": tinkered})) == ["b", "free"]


def test_the_followed_track_comes_before_the_path():
    road = roadmap(*CHAIN, gpu=("d", "c"))
    found = suggest(road, {}, "gpu")
    assert order(found) == ["free", "a"]
    assert found[0].reason == "“D” of your track “Gpu” builds on it: 2 exercises to go."
    assert found[1].reason == "“C” of your track “Gpu” builds on it: 3 exercises to go."
    assert {s.reason_kind for s in found} == {"track"}


def test_the_next_exercise_of_the_track_says_so():
    road = roadmap(*CHAIN, gpu=("d", "b"))
    found = suggest(road, passed("free", "a"), "gpu")
    assert [(s.exercise, s.reason) for s in found] == [
        ("d", "It is the next exercise of your track “Gpu”."),
        ("b", "It is an exercise of your track “Gpu”."),
    ]


def test_a_finished_or_unknown_track_changes_nothing():
    road = roadmap(*CHAIN, gpu=("a",))
    assert order(suggest(road, passed("a"), "gpu")) == order(suggest(road, passed("a")))
    assert order(suggest(road, {}, "no-such-track")) == order(suggest(road, {}))


def test_what_this_machine_cannot_check_comes_last_and_says_so():
    found = suggest(roadmap(*CHAIN), failed("a"), None, lambda name: name != "a")
    assert order(found) == ["free", "a"]
    assert (found[1].reason_kind, "doctor" in found[1].reason) == ("uncheckable", True)


def test_what_was_started_says_so():
    assert suggest(roadmap(*CHAIN), {"a": Status("a", "started")})[0].reason == "You have started it."


def test_when_everything_has_passed_there_is_nothing():
    assert suggest(roadmap(*CHAIN), passed("a", "b", "c", "d", "free"), None) == []


def test_titles_are_in_the_language_in_use():
    language.use("zh")
    assert "D" not in suggest(roadmap(*CHAIN, gpu=("d",)), {}, "gpu")[0].reason
    assert "d题" in suggest(roadmap(*CHAIN, gpu=("d",)), {}, "gpu")[0].reason


@st.composite
def worlds(draw):
    count = draw(st.integers(1, 8))
    names = [f"e{n}" for n in range(count)]
    exercises = [
        exercise(name, *draw(st.lists(st.sampled_from(names[:n]), unique=True))) if n else exercise(name)
        for n, name in enumerate(names)
    ]
    states = st.sampled_from(["passed", "failed", "new"])
    statuses = {}
    for n, name in enumerate(names):
        match draw(states):
            case "passed":
                statuses |= passed(name)
            case "failed":
                statuses |= failed(name, hours=n)
    track = tuple(draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))
    here = frozenset(draw(st.lists(st.sampled_from(names), unique=True)))
    return roadmap(*draw(st.permutations(exercises)), track=track), statuses, here


@given(worlds())
def test_suggestions_are_exactly_what_is_unlocked_each_once_with_its_reason(world):
    road, statuses, here = world
    found = suggest(road, statuses, "track", here.__contains__)
    done = {name for name, status in statuses.items() if status.passed}
    assert sorted(order(found)) == sorted(graph.unlocked(road.requires, done))
    assert all(s.reason and "\n" not in s.reason for s in found)
    checkable = [s.exercise in here for s in found]
    assert checkable == sorted(checkable, reverse=True)
    assert all((s.reason_kind == "uncheckable") == (s.exercise not in here) for s in found)
    kinds = [s.reason_kind for s in found if s.exercise in here]
    assert kinds == sorted(kinds, key=("failed", "track", "next").index)
