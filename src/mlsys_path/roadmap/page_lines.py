"""Lines of pages: a reading, an exercise, a term, titles with their ids. In the language in use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mlsys_path.language import Text, _, bracketed, current, labelled, listed
from mlsys_path.roadmap.readings import address, part_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Reading

Word = Callable[
    [str, str], str
]  # (kind, id) -> how the learner stands with it; "" when there is nothing to say


def silent(_kind: str, _id: str) -> str:
    """No word about progress."""
    return ""


def exercise_line(roadmap: Roadmap, name: str, word: Word = silent) -> str:
    """An exercise in a list; one that is not built says so."""
    if name in roadmap.exercises:
        title, said = roadmap.exercises[name].title, word("exercise", name)
    else:
        title, said = roadmap.planned[name].title, _("planned")
    return labelled(f"`{name}`", bracketed(title[current()], said))


def reading_line(roadmap: Roadmap, reading: Reading, word: Word, shown: str = "") -> str:
    """A part of a resource, how long it takes and where it is; `shown` stands for the resource's id."""
    record = roadmap.resources[reading.resource]
    return _("`{id}`: {title}. {parts}. <{url}>").format(
        id=shown or record.id,
        title=record.title[current()],
        parts=part_line(roadmap, reading, word),
        url=address(roadmap, reading),
    )


def part_line(roadmap: Roadmap, reading: Reading, word: Word) -> str:
    """What is to be read, how long it takes, and the learner's word."""
    facts = [
        _("{n:g} h").format(n=reading.hours),
        _("if you want more") if reading.optional else "",
        word("reading", roadmap.reading_names[part_of(reading)]),
    ]
    # the sentence goes on behind its last part
    return bracketed(reading.parts[current()].rstrip(".。"), _("; ").join(filter(None, facts)))


def titles(records: object, ids: Iterable[str]) -> str:
    """Titles with their ids, in one line."""
    return listed(bracketed(records[name].title[current()], f"`{name}`") for name in ids)  # type: ignore[index]


def term_line(term: Text, meaning: Text) -> str:
    """A term with its name in the other language, and what it means."""
    name, other = (term.zh, term.en) if current() == "zh" else (term.en, term.zh)
    # "warp" and "warp（线程束）" are one name with a gloss, which is said once
    if found := re.fullmatch(rf"{re.escape(name)}（(.+)）|(.+)（{re.escape(name)}）", other):
        other = found[1] or found[2]
    shown = name if other in name else bracketed(name, other)
    return labelled(f"**{shown}**", meaning[current()])


def how_to_mark(name: str) -> list[str]:
    """How to say that a part was read."""
    return [_("Read it already? `mlsys-path mark {name} read` says so.").format(name=name), ""]
