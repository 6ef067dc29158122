"""What to do now: the order, the reasons, and what is never suggested."""

from __future__ import annotations

import pytest
from hypothesis import given

from mlsys_path import language
from mlsys_path.progress.records import Status
from mlsys_path.progress.suggest import suggest
from mlsys_path.progress.word import Word
from mlsys_path.roadmap import graph
from mlsys_path.roadmap.model import Step

from .worlds import NOON, exercise, failed, passed, reading, roadmap, said, topic, worlds


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


def known(road, *words):
    return Word(road, said(*words))


def test_what_is_known_by_the_learners_word_is_met_and_not_suggested():
    road = roadmap(*CHAIN, topics=[topic("start", exercises=["a"])], gpu=("c",))
    found = suggest(road, {}, None, word=known(road, ("topic", "start", "known")))
    assert order(found) == ["b", "free"]
    assert found[0].reason == "You have passed, or by your word know, everything that it builds on."
    found = suggest(road, {}, "gpu", word=known(road, ("topic", "start", "known")))
    assert found[0].reason == "“C” of your track “Gpu” builds on it: 2 exercises to go."


def test_a_failure_in_what_is_known_by_now_is_no_unfinished_business():
    road = roadmap(*CHAIN)
    assert order(suggest(road, failed("a"), word=known(road, ("exercise", "a", "known")))) == ["b", "free"]


BOOKS = topic("caches", [reading("ostep", 2), reading("csapp", 1.5)], ["a", "b"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Read first: “OSTEP”, Chapter 1 (2 h), and 1 more, 3.5 h in all, for the topic “CACHES”."),
        ([("resource", "ostep", "read")], "Read first: “CSAPP”, Chapter 1 (1.5 h), for the topic “CACHES”."),
        ([("topic", "caches", "read")], ""),
        ([("resource", "ostep", "read"), ("resource", "csapp", "known")], ""),
        ([("topic", "caches", "read"), ("topic", "caches", "none")], "Read first: “OSTEP”, Chapter 1 (2 h), and 1 more, 3.5 h in all, for the topic “CACHES”."),
    ],
)  # fmt: skip
def test_what_is_unread_comes_first(words, sentence):
    road = roadmap(*CHAIN, topics=[BOOKS])
    found = suggest(road, {}, word=known(road, *words))[0]
    assert (found.because, found.read_first) == ("It needs nothing before it.", sentence)
    assert found.reason == " ".join(filter(None, ("It needs nothing before it.", sentence)))


def test_who_has_failed_is_not_sent_back_to_the_books():
    road = roadmap(*CHAIN, topics=[BOOKS])
    assert suggest(road, failed("a"))[0].read_first == ""
    assert suggest(road, {}, None, lambda _name: False)[0].read_first == ""


def test_a_track_says_what_to_read_for_its_own_exercises():
    lone = roadmap(*CHAIN, topics=[BOOKS], gpu=(Step(exercise="a"),))
    whole = roadmap(*CHAIN, topics=[BOOKS], gpu=(Step(topic="caches"),))
    other = roadmap(*CHAIN, topics=[BOOKS], gpu=(Step(exercise="c"),))
    assert suggest(lone, {}, "gpu")[0].read_first == ""
    assert "OSTEP" in suggest(whole, {}, "gpu")[0].read_first
    assert "OSTEP" in suggest(other, {}, "gpu")[0].read_first, "what it needs beside, its topic says"


def test_sentences_in_chinese_need_no_space_between():
    language.use("zh")
    road = roadmap(*CHAIN, topics=[BOOKS])
    found = suggest(road, {})[0]
    assert found.reason == found.because + found.read_first


@given(worlds())
def test_suggestions_are_exactly_what_is_unlocked_each_once_with_its_reason(world):
    road, statuses, claims, here = world
    word = Word(road, claims)
    found = suggest(road, statuses, "track", here.__contains__, word)
    met = {name for name, status in statuses.items() if status.passed} | word.known
    assert sorted(order(found)) == sorted(graph.unlocked(road.requires, met))
    assert all(s.reason and "\n" not in s.reason for s in found)
    checkable = [s.exercise in here for s in found]
    assert checkable == sorted(checkable, reverse=True)
    assert all((s.reason_kind == "uncheckable") == (s.exercise not in here) for s in found)
    kinds = [s.reason_kind for s in found if s.exercise in here]
    assert kinds == sorted(kinds, key=("failed", "track", "next").index)
