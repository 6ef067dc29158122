"""A small sound content tree that tests break in one place."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from mlsys_path.roadmap.sources import Source

STAGE = """\
id: foundations
order: 1
title: {en: Foundations, zh: 基础}
summary: {en: First things, zh: 起步}
topics:
  - id: caches
    title: {en: Caches, zh: 缓存}
    summary: {en: Short, zh: 简介}
    reads: [{resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}]
    exercises: [first, second]
"""
RESOURCES = """\
resources:
  - id: a-book
    title: {en: A book, zh: 一本书}
    kind: book
    urls: ["https://example.org/book"]
    summary: {en: Read it first, zh: 先读它}
"""
TRACK = """\
id: short
title: {en: Short, zh: 短}
summary: {en: Two steps, zh: 两步}
steps: [{exercise: first}, {exercise: second}]
"""


def exercise(id_: str, requires: str = "[]") -> str:
    return textwrap.dedent(
        f"""\
        id: {id_}
        title: {{en: {id_}, zh: 练习}}
        summary: {{en: About {id_}, zh: 简介}}
        language: python
        files: [code.py]
        difficulty: 2
        minutes: 30
        requires: {requires}
        reads: [a-book]
        hints:
          - {{en: Think, zh: 想一想}}
        checks:
          test_it:
            title: {{en: It works, zh: 能用}}
        wrong:
          lazy: {{fails: test_it}}
        """
    )


class Tree:
    """The tree's folders, and a way to change a file."""

    def __init__(self, root: Path) -> None:
        self.roadmap = root / "roadmap"
        self.exercises = root / "exercises"
        for kind in ("stages", "resources", "tracks"):
            (self.roadmap / kind).mkdir(parents=True)
        self.stage = self.roadmap / "stages" / "foundations.yaml"
        self.resources = self.roadmap / "resources" / "all.yaml"
        self.track = self.roadmap / "tracks" / "short.yaml"
        self.stage.write_text(STAGE, encoding="utf-8")
        self.resources.write_text(RESOURCES, encoding="utf-8")
        self.track.write_text(TRACK, encoding="utf-8")
        self.add("first")
        self.add("second", "[first]")

    @property
    def sources(self) -> list[Source]:
        return [Source(self.roadmap, self.exercises)]

    def add(self, id_: str, requires: str = "[]", stage: str = "foundations") -> Path:
        file = self.exercises / stage / id_ / "exercise.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(exercise(id_, requires), encoding="utf-8")
        return file

    def file(self, id_: str) -> Path:
        return self.exercises / "foundations" / id_ / "exercise.yaml"

    def edit(self, file: Path, change: Callable[[str], str]) -> None:
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "content")
