"""What a learner's word comes to: of a thing itself, and of what it is a part of."""

from __future__ import annotations

import pytest

from mlsys_path.progress.word import Word
from mlsys_path.roadmap.itinerary import of_track
from mlsys_path.roadmap.model import Step

from .worlds import exercise, reading, roadmap, said, topic

ROAD = roadmap(
    exercise("a"),
    exercise("b", "a"),
    exercise("c"),
    stages=[
        [topic("caches", [reading("ostep"), reading("csapp")], ["a", "b"])],
        [topic("locks", [reading("ostep", chapter=2)], ["c"])],
    ],
)


@pytest.mark.parametrize(
    ("words", "topic_word", "known"),
    [
        ([], "", []),
        ([("exercise", "a", "known")], "", ["a"]),
        ([("exercise", "a", "known"), ("exercise", "a", "none")], "", []),
        ([("topic", "caches", "known")], "known", ["a", "b"]),
        ([("topic", "caches", "read")], "read", []),
        ([("stage", "s1", "known")], "known", ["a", "b"]),
        # the later of what is said of it and of what it is a part of
        ([("stage", "s1", "known"), ("topic", "caches", "none")], "", []),
        ([("topic", "caches", "none"), ("stage", "s1", "known")], "known", ["a", "b"]),
        ([("stage", "s1", "known"), ("topic", "caches", "read")], "read", []),
        ([("stage", "s1", "known"), ("exercise", "b", "none")], "known", ["a"]),
        # to take a word back takes back nothing else
        ([("topic", "caches", "known"), ("stage", "s1", "known"), ("stage", "s1", "none")], "known", ["a", "b"]),
        # who knows a topic still knows it after having read the stage
        ([("topic", "caches", "known"), ("stage", "s1", "read")], "known", ["a", "b"]),
        ([("stage", "s2", "known")], "", ["c"]),
        ([("topic", "of-another-roadmap", "known"), ("exercise", "gone", "known")], "", []),
    ],
)  # fmt: skip
def test_what_holds(words, topic_word, known):
    word = Word(ROAD, said(*words))
    assert word.of("topic", "caches") == topic_word
    assert sorted(word.known) == known


@pytest.mark.parametrize(
    ("words", "of_caches", "of_locks"),
    [
        ([], "", ""),
        ([("resource", "ostep", "read")], "read", "read"),
        ([("resource", "ostep", "known")], "known", "known"),
        ([("resource", "ostep", "read"), ("resource", "ostep", "none")], "", ""),
        ([("topic", "caches", "read")], "read", ""),
        ([("stage", "s2", "known")], "", "known"),
        ([("topic", "caches", "read"), ("resource", "ostep", "read")], "read", "read"),
        # a part of it alone
        ([("reading", "caches/ostep", "read")], "read", ""),
        ([("reading", "locks/ostep/c2", "known")], "", "known"),
        ([("reading", "caches/ostep", "read"), ("reading", "caches/ostep", "none")], "", ""),
        # to take back the word about a part leaves that about the rest, until more is said of all
        ([("resource", "ostep", "read"), ("reading", "caches/ostep", "none")], "", "read"),
        ([("topic", "caches", "known"), ("reading", "caches/ostep", "none")], "", ""),
        ([("reading", "caches/ostep", "none"), ("resource", "ostep", "read")], "read", "read"),
        ([("reading", "caches/ostep", "read"), ("resource", "ostep", "none")], "read", ""),
    ],
)
def test_what_is_read(words, of_caches, of_locks):
    word = Word(ROAD, said(*words))
    for name, wanted in (("caches/ostep", of_caches), ("locks/ostep/c2", of_locks)):
        claim = word.read(name)
        assert (claim.claim if claim else "") == word.of("reading", name) == wanted


def test_what_nobody_has_a_word_on():
    word = Word(ROAD, said(("stage", "s1", "known")))
    assert [word.of(kind, "s1") for kind in ("track", "planned")] == ["", ""]
    assert Word(ROAD).known == frozenset()
    assert Word(ROAD, said(("reading", "of/another-roadmap", "read"))).read("of/another-roadmap") is None


def test_the_same_part_is_one_reading_wherever_it_is_wanted():
    road = roadmap(
        topics=[topic("caches", [reading("ostep")]), topic("locks", [reading("ostep")])],
        short=(Step(read=reading("ostep")), Step(read=reading("ostep", chapter=2))),
    )
    assert list(road.readings) == ["caches/ostep", "short/ostep/c2"]
    assert [item.name for item in of_track(road, road.tracks["short"])] == ["caches/ostep", "short/ostep/c2"]
    for words in [("topic", "locks", "read")], [("reading", "caches/ostep", "read")]:
        word = Word(road, said(*words))
        assert (word.of("reading", "caches/ostep"), word.of("reading", "short/ostep/c2")) == ("read", "")
