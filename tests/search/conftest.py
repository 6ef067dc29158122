"""A small roadmap in both languages, and a way to search it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlsys_path import language, locations
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.roadmap.sources import Source
from mlsys_path.search import Answer, ask, entries

FILES = {
    "roadmap/stages/01.yaml": """
        id: memory
        order: 1
        title: {en: Memory, zh: 存储}
        summary: {en: Where data lies., zh: 数据放在哪里。}
        why: {en: "Every kernel waits for bandwidth, seldom for arithmetic.", zh: "内核多半在等带宽，很少在等计算。"}
        before: {en: Pointers., zh: 指针。}
        outcomes: [{en: Predict a bottleneck., zh: 预测瓶颈。}]
        diagnostic:
        - id: secret
          ask: {en: "Which password opens the riddle?", zh: 谜底是什么？}
          options: [{text: {en: Abracadabra, zh: 芝麻开门}, right: true}, {text: {en: None, zh: 没有}}]
          because: {en: Magic., zh: 魔法。}
        topics:
        - id: caches
          title: {en: Caches and locality, zh: 缓存与局部性}
          summary: {en: Why two loops with the same arithmetic differ., zh: 运算量相同的两个循环为什么差十倍。}
          reads: [{resource: a-book, parts: {en: "Chapter 6, the memory mountain", zh: "第 6 章，存储器山"}, hours: 2}]
          exercises: [lru-cache, spinlock, ring-buffer]
          explain: [{en: Why does prefetching help?, zh: 预取为什么有用？}]
          terms:
          - {term: {en: false sharing, zh: 伪共享}, meaning: {en: Two cores write one line., zh: 两个核写同一行。}}
        - id: parallel-training
          title: {en: Parallel training, zh: 并行训练}
          summary: {en: "All-reduce, ZeRO-3 and FlashAttention on many GPUs.", zh: "多块 GPU 上的 AllReduce、ZeRO-3 与显存。"}
        """,
    "roadmap/pages/caches.md": """
        ## The roofline

        A page may be *long*, and its lines
        are wrapped.

        ```python
        total = sum(vector)
        ```
        """,
    "roadmap/pages/caches.zh.md": """
        ## 屋顶线

        一页可以很长，它的行会折
        断。
        """,
    "roadmap/resources/all.yaml": """
        resources:
        - id: a-book
          title: {en: A book on C++, zh: 一本 C++ 的书}
          kind: book
          urls: ["https://example.org/zebra"]
          summary: {en: Read it first., zh: 先读它。}
          state: dormant
          status: {en: The second edition., zh: 第二版。}
          worth: {en: Its café chapter., zh: 讲咖啡的那章。}
        """,
    "roadmap/planned/all.yaml": """
        planned:
        - id: ring-buffer
          title: {en: A ring buffer, zh: 环形缓冲区}
          summary: {en: A queue of fixed size., zh: 定长队列。}
          language: cpp
          hardware: cpu
          difficulty: 1
          minutes: 30
        """,
    "roadmap/tracks/short.yaml": """
        id: short
        title: {en: The short way, zh: 捷径}
        summary: {en: Two steps., zh: 两步。}
        goal: {en: Be a hermit., zh: 成为隐士。}
        steps: [{exercise: lru-cache, note: {en: Mind the eviction., zh: 注意淘汰。}}]
        """,
    "roadmap/renames.yaml": """
        exercises: {least-recently-used: lru-cache}
        topics: {}
        resources: {}
        tracks: {}
        """,
}
EXERCISE = """\
id: {id}
title: {{en: "{en}", zh: "{zh}"}}
summary: {{en: "About {id}.", zh: "关于 {id}。"}}
language: {language}
files: [code.py]
difficulty: 2
minutes: 30
concepts: [hash-table]
hints:
  - {{en: "A hint with giveaway in it", zh: "含有泄底的提示"}}
checks:
  test_it: {{title: {{en: "Evicts the oldest", zh: "淘汰最旧的"}}}}
wrong:
  lazy: {{fails: test_it}}
"""


class Tree:
    """The content's folders, and what is found in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            self.write(name, textwrap.dedent(text).lstrip())
        self.exercise("lru-cache", "An LRU cache", "LRU 缓存")
        self.exercise("spinlock", "A spin lock", "自旋锁", "c")

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def exercise(self, id_: str, en: str, zh: str, language: str = "python") -> None:
        self.write(
            f"exercises/memory/{id_}/exercise.yaml", EXERCISE.format(id=id_, en=en, zh=zh, language=language)
        )
        self.write(
            f"exercises/memory/{id_}/README.md", f"# {en}\n\nThe lesson of {id_} mentions tortoises.\n"
        )
        self.write(f"exercises/memory/{id_}/README.zh.md", f"# {zh}\n\n{id_} 的讲义提到乌龟。\n")

    @property
    def sources(self) -> list[Source]:
        return [Source(self.root / "roadmap", self.root / "exercises")]

    def ask(self, query: str, lang: language.Language = "en", **options: object) -> Answer:
        language.use(lang)
        return ask(query, content=self.sources, **options)  # type: ignore[arg-type]

    def ids(self, query: str, lang: language.Language = "en", **options: object) -> list[str]:
        return [hit.id for hit in self.ask(query, lang, **options).hits]

    def index(self) -> Path:
        (file,) = (locations.cache_dir() / "index").glob("*.search")
        return file


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "content")


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever an index is made."""
    made: list[int] = []
    original = entries.entries

    def counted(roadmap: Roadmap) -> Iterator[entries.Entry]:
        made.append(1)
        yield from original(roadmap)

    monkeypatch.setattr(entries, "entries", counted)
    return made
