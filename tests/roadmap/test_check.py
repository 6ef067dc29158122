"""Every problem is found, in one line with its file, line, column, key and the nearest valid word."""

from __future__ import annotations

import pytest

from mlsys_path.roadmap.check import problems
from mlsys_path.roadmap.sources import ours


def told(tree):
    return [str(p) for p in problems(tree.sources)]


def test_a_sound_tree_has_no_problem(tree):
    assert told(tree) == []


def test_our_own_content_is_sound():
    assert [str(p) for p in problems([ours()])] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("first", "difficulty: 2", "dificulty: 2", ["first/exercise.yaml:6:1: dificulty: unknown key; did you mean 'difficulty'?"]),
        ("first", "difficulty: 2", "difficulty: 9", ["first/exercise.yaml:6:1: difficulty: "]),
        ("first", "language: python", "language: pyton", ["first/exercise.yaml:4:1: language: unknown value 'pyton'; did you mean 'python'?"]),
        ("first", "  zh: 练习", "  zhh: 练习", []),
        ("second", "requires: [first]", "requires: [frist]", ["second/exercise.yaml:8:12: requires.0: there is no exercise 'frist'; did you mean 'first'?"]),
        ("second", "reads: [a-book]", "reads: [a-bok]", ["reads.0: there is no resource 'a-bok'; did you mean 'a-book'?"]),
        ("first", "requires: []", "requires: [second]", ["a cycle: first -> second -> first"]),
        ("first", "id: first", "id: fist", ["id: the folder is called 'first'"]),
        ("first", "fails: test_it", "fails: test_i", ["wrong.lazy.fails: there is no check 'test_i'; did you mean 'test_it'?"]),
        ("first", "minutes: 30", "minutes: 30\nminutes: 40", [":8:1: minutes: the key stands twice"]),
        ("first", "minutes: 30", "minutes: [30", ["is not YAML"]),
        ("first", "minutes: 30", "minutes: soon", [":7:1: minutes: "]),
        ("stage", "exercises: [first, second]", "exercises: [first]", ["second/exercise.yaml:1:1: id: no topic of stages/*.yaml lists this exercise"]),
        ("stage", "exercises: [first, second]", "exercises: [first, second, first]", ["exercises.2: 'first' stands twice", "in the topic 'caches' already"]),
        ("stage", "order: 1", "order: 0", ["foundations.yaml:2:1: order: "]),
        ("track", "exercise: first", "exercise: frist", ["short.yaml:4:10: steps.0.exercise: there is no exercise 'frist'; did you mean 'first'?"]),
        ("track", "{exercise: first}", "{exercise: first, topic: caches}", ["short.yaml:4:9: steps.0: a step is exactly one of"]),
        ("track", "{exercise: first}", "{note: {en: A, zh: 甲}}", ["steps.0: a step is exactly one of"]),
        ("track", "{exercise: first}", "{topic: cahces}", ["steps.0.topic: there is no topic 'cahces'; did you mean 'caches'?"]),
        ("track", "{exercise: first}", "{read: {resource: a-book, parts: {en: Chapter 2, zh: 二}, hours: 1}}, {read: {resource: a-book, parts: {en: Chapter 3, zh: 三}, hours: 1}}", ["short.yaml:4:79: steps.1.read: another part is called short/a-book already: give this one a `name`"]),
        ("stage", "hours: 2}]", "hours: 2}, {resource: a-book, parts: {en: Chapter 2, zh: 二}, hours: 2}]", ["topics.0.reads.1: another part is called caches/a-book already: give this one a `name`"]),
        ("stage", "hours: 2}]", "hours: 2}, {resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}]", ["topics.0.reads.1.resource: 'a-book' stands twice"]),
        ("stage", "hours: 2}]", "hours: 2, url: example.org}]", ["topics.0.reads.0.url: 'example.org' is no http address"]),
        ("stage", "hours: 2}]", "hours: 2, name: Two/3}]", ["topics.0.reads.0.name: a name has small letters"]),
        ("stage", "resource: a-book", "resource: a-bok", ["topics.0.reads.0.resource: there is no resource 'a-bok'; did you mean 'a-book'?"]),
        ("stage", "hours: 2", "hours: 0", ["topics.0.reads.0.hours: "]),
        ("resources", "https://example.org/book", "htps://example.org", ["resources.0.urls.0: 'htps://example.org' is no http address"]),
        ("resources", "kind: book", "kind: book\n    checked: '2026-13'", ["resources.0.checked: should be a month"]),
        ("resources", "kind: book", "kind: book\n    worth: {en: All, zh: 全部}", ["resources.0.worth: is for a resource whose state is"]),
        ("resources", "kind: book", "kind: book\n    requires: [a-book]", ["a cycle: a-book -> a-book"]),
        ("resources", "kind: book", "kind: boook", ["all.yaml:4:5: resources.0.kind: unknown value 'boook'; did you mean 'book'?"]),
        ("resources", "resources:", "resorces:", ["should have one key, `resources`"]),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_stands(tree, file, old, new, expected):
    path = {"stage": tree.stage, "track": tree.track, "resources": tree.resources}.get(file) or tree.file(
        file
    )
    tree.edit(path, lambda text: text.replace(old, new, 1))
    lines = told(tree)
    for words in expected:
        assert any(words in line for line in lines), lines
    assert all("\n" not in line for line in lines)


def test_all_problems_are_listed_and_not_the_first(tree):
    tree.edit(
        tree.file("first"),
        lambda t: t.replace("difficulty: 2", "difficulty: 9").replace("minutes: 30", "minutes: 0"),
    )
    tree.edit(tree.resources, lambda t: t.replace("kind: book", "kind: box"))
    assert len(told(tree)) >= 3


def test_a_nested_key_names_the_valid_ones(tree):
    tree.edit(
        tree.file("first"),
        lambda t: t.replace("title: {en: It works, zh: 能用}", "titel: {en: It works, zh: 能用}"),
    )
    assert any("checks.test_it.titel: unknown key; did you mean 'title'?" in line for line in told(tree))


def test_the_same_exercise_in_two_stages(tree):
    tree.add("first", stage="os")
    assert any("the exercise 'first' is in" in line for line in told(tree))


def test_files_that_are_no_text_or_missing_or_a_folder(tree):
    tree.file("first").write_bytes(b"\xff\xfe\x00")
    tree.file("second").unlink()
    tree.track.unlink()
    tree.track.mkdir()
    lines = told(tree)
    assert any("first/exercise.yaml: is not UTF-8" in line for line in lines)
    assert any("second/exercise.yaml: cannot be read" in line for line in lines)
    assert any("short.yaml: cannot be read" in line for line in lines)


def test_aliases_cannot_grow_a_document_without_bound(tree):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    tree.track.write_text(bomb)
    assert any("too large or too deep" in line for line in told(tree))
    tree.track.write_text("[" * 5000 + "]" * 5000)
    assert any("short.yaml" in line for line in told(tree))
