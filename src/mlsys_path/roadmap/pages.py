"""Stages, topics, tracks, resources and planned exercises as Markdown, in the language in use.

What the learner has done of a thing is said by `Word`, which knows progress; this module does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path.language import (
    N_,
    Language,
    Text,
    _,
    bracketed,
    current,
    labelled,
    listed,
    ngettext,
    sentences,
)
from mlsys_path.roadmap import itinerary
from mlsys_path.roadmap.page_lines import (
    Word,
    exercise_line,
    how_to_mark,
    part_line,
    reading_line,
    silent,
    term_line,
    titles,
)
from mlsys_path.roadmap.readings import address, part_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Resource, Step, Topic, Track

STATES = {
    "active": N_("active"),
    "stable": N_("stable"),
    "classic": N_("classic"),
    "dormant": N_("dormant"),
    "archived": N_("archived"),
    "superseded": N_("superseded"),
}
KINDS = {
    "course": N_("course"),
    "book": N_("book"),
    "docs": N_("documentation"),
    "repo": N_("repository"),
    "paper": N_("paper"),
    "article": N_("article"),
    "tool": N_("tool"),
    "video": N_("video"),
}
LANGUAGE_NAMES = {"en": N_("English"), "zh": N_("Chinese")}


def stage(roadmap: Roadmap, stage_id: str, word: Word = silent) -> str:
    """A stage: why, what first, what one can do afterwards, its topics."""
    record = roadmap.stages[stage_id]
    lines = _head(record.title, record.summary, word("stage", stage_id))
    if record.requires:
        lines += [_("Comes after: {names}").format(names=titles(roadmap.stages, record.requires)), ""]
    for heading, text in ((_("Why it matters"), record.why), (_("What to know first"), record.before)):
        if text:
            lines += [f"## {heading}", "", text[current()].rstrip(), ""]
    lines += _list(_("What you can do at its end"), (text[current()] for text in record.outcomes))
    lines += [f"## {_('Topics')}", ""]
    for topic in record.topics:
        title = bracketed(f"**{topic.title[current()]}**", word("topic", topic.id))
        line = _("`{id}`: {title}. {summary}")
        lines.append("- " + line.format(id=topic.id, title=title, summary=topic.summary[current()]))
    lines.append("")
    if record.diagnostic:
        lines += [
            ngettext(
                "Know it already? `mlsys-path diagnose {id}` asks {n} question.",
                "Know it already? `mlsys-path diagnose {id}` asks {n} questions.",
                len(record.diagnostic),
            ).format(id=stage_id, n=len(record.diagnostic)),
            "",
        ]
    return "\n".join(lines)


def topic(roadmap: Roadmap, topic_id: str, word: Word = silent) -> str:
    """A topic: what to read, to do and to be able to explain, its terms, and its longer text."""
    record = roadmap.topics[topic_id]
    lines = _head(record.title, record.summary, word("topic", topic_id))
    of = roadmap.stages[roadmap.topic_stage[topic_id]]
    lines += [_("Stage: {title} (`{id}`)").format(title=of.title[current()], id=of.id), ""]
    if record.requires:
        lines += [_("Comes after: {names}").format(names=titles(roadmap.topics, record.requires)), ""]
    lines += _list(_("Read"), (reading_line(roadmap, r, word) for r in record.reads))
    lines += how_to_mark(f"{topic_id}/{record.reads[0].resource}") if record.reads else []
    lines += _list(_("Do"), (exercise_line(roadmap, name, word) for name in record.exercises))
    lines += _list(_("Be able to explain"), (text[current()] for text in record.explain))
    lines += _list(_("Terms"), (term_line(term.term, term.meaning) for term in record.terms))
    if long := longer_text(roadmap, topic_id):
        lines += [long.rstrip(), ""]
    return "\n".join(lines)


def longer_text(roadmap: Roadmap, topic_id: str) -> str:
    """The topic's page with its calculations worked out, without its title, which is the topic's; "" when there is none.

    Raises UserError when a calculation of it cannot be made.
    """
    from mlsys_path.calculators import expand

    file = page_file(roadmap, topic_id, current())
    if not file.is_file():
        return ""
    return re.sub(r"\A\s*# .*\n+", "", expand(file.read_text(encoding="utf-8")))


def page_file(roadmap: Roadmap, topic_id: str, language: Language) -> Path:
    """Where a topic's page lies, whether it is there or not."""
    suffix = ".zh.md" if language == "zh" else ".md"
    return Path(roadmap.pages[topic_id]) / f"{topic_id}{suffix}"


def track(roadmap: Roadmap, track_id: str, word: Word = silent) -> str:
    """A track: its goal, its length, and its steps with all that they stand for."""
    record = roadmap.tracks[track_id]
    lines = _head(record.title, record.summary, word("track", track_id))
    if record.goal:
        lines += [_("Goal: {text}").format(text=record.goal[current()]), ""]
    lines += [length(itinerary.of_track(roadmap, record), record), ""]
    if granted := itinerary.taken_for_granted(roadmap, record):
        lines += [
            _("It takes for granted: {names}.").format(names=titles(roadmap.topics, granted)),
            _("What of it is new to you, read first with `mlsys-path show ID`."),
            "",
        ]
    for number, step in enumerate(record.steps, 1):
        lines += _step(roadmap, number, step, word)
    return "\n".join(lines)


def length(items: Sequence[Item], record: Track) -> str:
    """How long a track is, in a sentence or two."""
    reading = sum(item.hours for item in items if item.kind == "read")
    doing = sum(item.hours for item in items if item.kind == "exercise")
    planned = [item for item in items if item.kind == "planned"]
    weeks = max(1, round((reading + doing) / record.hours_per_week))
    said = ngettext(
        "{reading:.0f} h of reading and {doing:.0f} h of exercises: {weeks} week at {pace:g} h a week.",
        "{reading:.0f} h of reading and {doing:.0f} h of exercises: {weeks} weeks at {pace:g} h a week.",
        weeks,
    ).format(reading=reading, doing=doing, weeks=weeks, pace=record.hours_per_week)
    more = ngettext("{n} exercise more is planned.", "{n} exercises more are planned.", len(planned))
    return sentences([said, more.format(n=len(planned)) if planned else ""])


def resource(roadmap: Roadmap, resource_id: str, word: Word = silent) -> str:
    """A resource: what it is, why and when, its state, and which of its parts matter for which topic."""
    record = roadmap.resources[resource_id]
    lines = _head(record.title, record.summary, word("resource", resource_id))
    facts = [
        _(KINDS[record.kind]),
        _(STATES[record.state]),
        listed(_(LANGUAGE_NAMES[name]) for name in record.languages),
        _("{n:g} h for all of it").format(n=record.hours) if record.hours else "",
        record.licence,
    ]
    lines += [" · ".join(fact for fact in facts if fact), "", *(f"- <{url}>" for url in record.urls), ""]
    if record.status:
        lines += [record.status[current()], ""]
    if record.worth:
        lines += [_("Still worth learning from it: {text}").format(text=record.worth[current()]), ""]
    for label, ids in ((_("Replaced by"), record.superseded_by), (_("Read before it"), record.requires)):
        if ids:
            lines += [labelled(label, titles(roadmap.resources, ids)), ""]
    lines += _list(_("The parts that matter"), _uses(roadmap, resource_id, word))
    lines += [_checked(record), ""]
    return "\n".join(lines)


def reading(roadmap: Roadmap, name: str, word: Word = silent) -> str:
    """A part of a resource: what, how long, and which topics want it read."""
    named = roadmap.readings[name]
    record = roadmap.resources[named.reading.resource]
    lines = _head(record.title, named.reading.parts, word("reading", name))
    facts = [_("{n:g} h").format(n=named.reading.hours), f"<{address(roadmap, named.reading)}>"]
    if named.reading.optional:
        facts.insert(1, _("if you want more"))
    lines += [
        " · ".join(facts),
        "",
        _("Resource: {title} (`{id}`)").format(title=record.title[current()], id=record.id),
        "",
    ]
    if named.topics:
        lines += [_("For: {names}").format(names=titles(roadmap.topics, named.topics)), ""]
    return "\n".join([*lines, *how_to_mark(name)])


def planned(roadmap: Roadmap, exercise_id: str, _word: Word = silent) -> str:
    """An exercise that is not built yet."""
    record = roadmap.planned[exercise_id]
    lines = _head(record.title, record.summary, _("planned"))
    facts = [
        record.language,
        _("difficulty {n} of 5").format(n=record.difficulty),
        _("about {n} minutes").format(n=record.minutes),
        _("topic `{id}`").format(id=roadmap.exercise_topic[exercise_id]),
    ]
    lines += [_("It has its place on the path and is not built yet, so there is nothing to start."), ""]
    lines += [" · ".join(facts), ""]
    return "\n".join(lines)


def _head(title: Text, summary: Text, said: str) -> list[str]:
    return [f"# {bracketed(title[current()], said)}", "", summary[current()], ""]


def _list(heading: str, lines: Iterable[str]) -> list[str]:
    entries = [f"- {line}" for line in lines]
    return [f"## {heading}", "", *entries, ""] if entries else []


def _uses(roadmap: Roadmap, resource_id: str, word: Word) -> list[str]:
    readings = [
        (record, reading)
        for record in roadmap.topics.values()
        for reading in record.reads
        if reading.resource == resource_id
    ]
    return [
        labelled(bracketed(record.title[current()], f"`{record.id}`"), part_line(roadmap, reading, word))
        for record, reading in readings
    ]


def _checked(record: Resource) -> str:
    if record.verified and record.checked:
        return _("Address, status and licence were looked at in {month}.").format(month=record.checked)
    return _(
        "Address, status and licence are general knowledge and were not looked at: they may have changed."
    )


def _step(roadmap: Roadmap, number: int, step: Step, word: Word) -> list[str]:
    if step.stage:
        title = roadmap.stages[step.stage].title[current()]
    elif step.topic:
        title = roadmap.topics[step.topic].title[current()]
    elif step.exercise:
        title = ""
    else:
        title = _("Read")
    lines = [f"## {number}. {title}", ""] if title else []
    if step.note:
        lines += [step.note[current()], ""]
    if step.exercise:
        return [f"## {number}. {exercise_line(roadmap, step.exercise, word)}", "", *lines]
    if step.read:
        name = roadmap.reading_names[part_of(step.read)]
        return [*lines, f"- {reading_line(roadmap, step.read, word, name)}", ""]
    topics: Sequence[Topic] = (
        roadmap.stages[step.stage].topics if step.stage else [roadmap.topics[step.topic or ""]]
    )
    for record in topics:
        if step.stage:
            head = bracketed(f"**{record.title[current()]}**", f"`{record.id}`")
            lines += [bracketed(head, word("topic", record.id)), ""]
        lines += [f"- {reading_line(roadmap, reading, word)}" for reading in record.reads]
        lines += [f"- {exercise_line(roadmap, name, word)}" for name in record.exercises]
        lines.append("")
    return lines
