"""What a learner's word comes to: of a thing itself, and of what it is a part of."""

from __future__ import annotations

import pytest

from mlsys_path.progress.word import Word

from .worlds import exercise, reading, roadmap, said, topic

ROAD = roadmap(
    exercise("a"),
    exercise("b", "a"),
    exercise("c"),
    stages=[
        [topic("caches", [reading("ostep"), reading("csapp")], ["a", "b"])],
        [topic("locks", [reading("ostep")], ["c"])],
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
    ],
)
def test_what_is_read(words, of_caches, of_locks):
    word = Word(ROAD, said(*words))
    for name, wanted in (("caches", of_caches), ("locks", of_locks)):
        claim = word.read_by("ostep", name)
        assert (claim.claim if claim else "") == wanted


def test_what_nobody_has_a_word_on():
    word = Word(ROAD, said(("stage", "s1", "known")))
    assert [word.of(kind, "s1") for kind in ("track", "planned")] == ["", ""]
    assert Word(ROAD).known == frozenset()
    assert Word(ROAD).read_by("ostep", "") is None
