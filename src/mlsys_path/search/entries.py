"""What is found: every record of the roadmap with its texts in both languages, lessons and pages included.

Hints, solutions and the questions of diagnostics stay out: a search must not give them away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path.language import LANGUAGES, Language, Text
from mlsys_path.roadmap.names import Kind
from mlsys_path.roadmap.pages import page_file
from mlsys_path.roadmap.stamps import LESSONS
from mlsys_path.search.words import plain

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise, Resource, Stage, Topic, Track

_CODE = {"cpp": "C++", "cuda": "CUDA C++", "mpi": "MPI", "opencl": "OpenCL", "riscv": "RISC-V"}
_KINDS = {
    "course": Text("course", "课程"),
    "book": Text("book", "书籍"),
    "docs": Text("documentation", "文档"),
    "repo": Text("repository", "代码库 仓库"),
    "paper": Text("paper", "论文"),
    "article": Text("article", "文章"),
    "tool": Text("tool", "工具"),
    "video": Text("video", "视频"),
}
_ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s+|#{1,6}\s+|>\s?")
_RULE = re.compile(r"[-|:\s=*_]+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"\*\*|`+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record's texts in both languages: the lead is what it is in short, the body everything else.

    Each line of them is a paragraph.
    """

    kind: Kind
    id: str
    once: tuple[str, ...]  # ids that it had before it was renamed
    title: dict[Language, str]
    lead: dict[Language, str]
    body: dict[Language, str]


def entries(roadmap: Roadmap) -> Iterator[Entry]:
    """Everything there is, in the order in which equally good finds are shown."""
    renames = roadmap.renames
    once = {kind: _once(getattr(renames, kind)) for kind in renames.KINDS}
    for exercise in roadmap.exercises.values():
        former = once["exercises"].get(exercise.id, ())
        yield _exercise(exercise, former, roadmap.folder(exercise.id))
    for topic in roadmap.topics.values():
        files = {language: page_file(roadmap, topic.id, language) for language in LANGUAGES}
        yield _topic(topic, once["topics"].get(topic.id, ()), files)
    for stage in roadmap.stages.values():
        yield _stage(stage)
    for track in roadmap.tracks.values():
        yield _track(track, once["tracks"].get(track.id, ()))
    parts = _parts(roadmap)
    for resource in roadmap.resources.values():
        former = once["resources"].get(resource.id, ())
        yield _resource(resource, former, parts.get(resource.id, ()))
    for planned in roadmap.planned.values():
        former = once["exercises"].get(planned.id, ())
        yield _entry(
            "planned", planned.id, former, planned.title, [planned.summary, _code(planned.language)], ()
        )


def prose(markdown: str) -> str:
    """The text of a Markdown document: no markup, and each paragraph, item, row and line of code on one line."""
    lines: list[str] = []
    fenced = joins = False
    for raw in markdown.splitlines():
        line = raw.strip()
        if line.startswith(("```", "~~~")):
            fenced, joins = not fenced, False
        elif fenced or line.startswith("|"):
            joins = False
            if fenced:
                lines.append(line)
            elif not _RULE.fullmatch(line):
                lines.append(" · ".join(cell.strip() for cell in line.strip("|").split("|")))
        elif not line or _RULE.fullmatch(line):
            joins = False
        else:
            item = _ITEM.match(line)
            text = _MARKUP.sub("", _LINK.sub(r"\1", line[item.end() :] if item else line))
            if joins and not item:
                lines[-1] = _joined(lines[-1], text)
            else:
                lines.append(text)
            joins = not line.startswith("#")
    return "\n".join(plain(line) for line in lines if line)


def _joined(before: str, after: str) -> str:
    """Two lines as one; no space goes between Chinese characters."""
    close = before[-1:] > "\u2e80" and after[:1] > "\u2e80"
    return before + ("" if close else " ") + after


def _exercise(record: Exercise, once: Sequence[str], folder: Path) -> Entry:
    words = ", ".join((*record.concepts, _code(record.language)))
    checks = [check.title for check in record.checks.values()]
    lessons = {language: _read(folder / name) for language, name in LESSONS.items()}
    return _entry("exercise", record.id, once, record.title, [record.summary, words], checks, lessons)


def _topic(record: Topic, once: Sequence[str], pages: dict[Language, Path]) -> Entry:
    terms = [_text(term.term, term.meaning) for term in record.terms]
    texts = {language: _read(path) for language, path in pages.items()}
    return _entry("topic", record.id, once, record.title, [record.summary, *terms], record.explain, texts)


def _stage(record: Stage) -> Entry:
    body = [text for text in (record.why, record.before, *record.outcomes) if text]
    return _entry("stage", record.id, (), record.title, [record.summary], body)


def _track(record: Track, once: Sequence[str]) -> Entry:
    lead = [text for text in (record.summary, record.goal) if text]
    notes = [step.note for step in record.steps if step.note]
    return _entry("track", record.id, once, record.title, lead, notes)


def _resource(record: Resource, once: Sequence[str], parts: Iterable[Text]) -> Entry:
    facts = [text for text in (record.status, record.worth) if text]
    # in one language is enough, and in the other no line is an address where a sentence has the words too
    addresses = [Text(url, "") for url in record.urls]
    body = [*facts, *parts, _KINDS[record.kind], *addresses]
    return _entry("resource", record.id, once, record.title, [record.summary], body)


def _parts(roadmap: Roadmap) -> dict[str, list[Text]]:
    """By resource, the parts of it that topics and tracks want read."""
    reads = [reading for topic in roadmap.topics.values() for reading in topic.reads]
    reads += [step.read for track in roadmap.tracks.values() for step in track.steps if step.read]
    parts: dict[str, list[Text]] = {}
    for reading in reads:
        parts.setdefault(reading.resource, []).append(reading.parts)
    return parts


def _once(renames: dict[str, str]) -> dict[str, list[str]]:
    """By present id, all that it was called before."""
    former: dict[str, list[str]] = {}
    for old in renames:
        new = old
        while new in renames:
            new = renames[new]
        former.setdefault(new, []).append(plain(old))
    return former


def _text(term: Text, meaning: Text) -> Text:
    if term.en == term.zh:
        return Text(f"{term.en}: {meaning.en}", f"{term.zh}：{meaning.zh}")
    return Text(f"{term.en} ({term.zh}): {meaning.en}", f"{term.zh} ({term.en})：{meaning.zh}")


def _code(language: str) -> str:
    return _CODE.get(language, language)


def _read(path: Path) -> str:
    """A document's prose; a missing or unreadable one is found by nothing, and others say what is wrong with it."""
    try:
        return prose(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def _entry(
    kind: Kind,
    id_: str,
    once: Sequence[str],
    title: Text,
    lead: Sequence[Text | str],
    body: Sequence[Text | str],
    document: dict[Language, str] | None = None,
) -> Entry:
    document = document or {}
    return Entry(
        kind,
        id_,
        tuple(once),
        {language: plain(title[language]) for language in LANGUAGES},
        {language: _lines(lead, language) for language in LANGUAGES},
        {language: _lines(body, language, document.get(language, "")) for language in LANGUAGES},
    )


def _lines(pieces: Iterable[Text | str], language: Language, *documents: str) -> str:
    texts = (piece if isinstance(piece, str) else piece[language] for piece in pieces)
    return "\n".join(text for text in (*map(plain, texts), *documents) if text)
