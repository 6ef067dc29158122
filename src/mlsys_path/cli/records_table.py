"""`list --kind`: stages, topics, resources and planned exercises, a line each or as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from mlsys_path import language
from mlsys_path.cli.standing import learners_word
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.language import _, bracketed, listed, ngettext
from mlsys_path.roadmap import itinerary
from mlsys_path.roadmap.pages import KINDS, STATES

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Track

Kind = Literal["stage", "topic", "resource", "planned"]


def chosen(roadmap: Roadmap, kind: Kind, stage: str | None, track: Track | None) -> list[str]:
    """The ids of a kind in the order of the path, or in a track's; those of one stage only, when it is given."""
    if track is not None:
        items = itinerary.of_track(roadmap, track)
        found = {
            "topic": itinerary.topics_of_track(roadmap, track),
            "resource": [item.id for item in items if item.kind == "read"],
            "planned": [item.id for item in items if item.kind == "planned"],
            "stage": [roadmap.topic_stage[topic] for topic in itinerary.topics_of_track(roadmap, track)],
        }[kind]
    else:
        topics = [topic for s in roadmap.stages.values() for topic in s.topics]
        found = {
            "topic": [topic.id for topic in topics],
            "resource": [reading.resource for topic in topics for reading in topic.reads],
            "planned": [name for topic in topics for name in topic.exercises if name in roadmap.planned],
            "stage": list(roadmap.stages),
        }[kind]
    ids = list(dict.fromkeys(found))
    return [id_ for id_ in ids if stage is None or stage in _stages_of(roadmap, kind, id_)]


def _stages_of(roadmap: Roadmap, kind: Kind, id_: str) -> set[str]:
    if kind == "resource":
        return {
            roadmap.topic_stage[topic.id]
            for topic in roadmap.topics.values()
            if any(reading.resource == id_ for reading in topic.reads)
        }
    if kind == "planned":
        return {roadmap.stage_of(id_)}
    return {roadmap.topic_stage[id_] if kind == "topic" else id_}


def data(roadmap: Roadmap, kind: Kind, ids: Sequence[str]) -> dict[str, Any]:
    """The records as one JSON object without its schema."""
    word = learners_word(roadmap)
    key = "planned" if kind == "planned" else kind + "s"
    return {key: [{"id": id_, **_entry(roadmap, kind, id_), "said": word(kind, id_)} for id_ in ids]}


def _entry(roadmap: Roadmap, kind: Kind, id_: str) -> dict[str, Any]:
    current = language.current()
    if kind == "stage":
        stage = roadmap.stages[id_]
        return {"title": stage.title[current], "topics": [topic.id for topic in stage.topics]}
    if kind == "topic":
        topic = roadmap.topics[id_]
        return {
            "title": topic.title[current],
            "stage": roadmap.topic_stage[id_],
            "requires": list(topic.requires),
            "reads": [reading.resource for reading in topic.reads],
            "hours": round(sum(reading.hours for reading in topic.reads), 1),
            "exercises": list(topic.exercises),
        }
    if kind == "resource":
        resource = roadmap.resources[id_]
        return {
            "title": resource.title[current],
            "kind": resource.kind,
            "state": resource.state,
            "languages": list(resource.languages),
            "hours": resource.hours,
            "licence": resource.licence,
            "urls": list(resource.urls),
            "verified": resource.verified,
            "checked": resource.checked,
            "superseded_by": list(resource.superseded_by),
        }
    planned = roadmap.planned[id_]
    return {
        "title": planned.title[current],
        "topic": roadmap.topic_of(id_),
        "language": planned.language,
        "hardware": planned.hardware,
        "difficulty": planned.difficulty,
        "minutes": planned.minutes,
        "requires": list(planned.requires),
    }


def show(roadmap: Roadmap, kind: Kind, ids: Sequence[str]) -> None:
    """Print a line for each: its id, what it is, its title, and the learner's word."""
    word = learners_word(roadmap)
    rows = [(id_, _facts(roadmap, kind, id_), _title(roadmap, kind, id_), word(kind, id_)) for id_ in ids]
    width = max(len(id_) for id_ in ids)
    facts = max(cells(row[1]) for row in rows)
    for id_, fact, title, said in rows:
        tail = bracketed(title, said)
        room = max(columns() - width - facts - 4, 10)
        click.echo(f"{style(pad(id_, width), bold=True)}  {pad(fact, facts)}  {cut(tail, room)}".rstrip())


def _title(roadmap: Roadmap, kind: Kind, id_: str) -> str:
    records: Any = getattr(roadmap, "planned" if kind == "planned" else kind + "s")
    title: str = records[id_].title[language.current()]
    return title


def _facts(roadmap: Roadmap, kind: Kind, id_: str) -> str:
    if kind == "stage":
        n = len(roadmap.stages[id_].topics)
        return ngettext("{n} topic", "{n} topics", n).format(n=n)
    if kind == "topic":
        hours = sum(reading.hours for reading in roadmap.topics[id_].reads)
        return f"{roadmap.topic_stage[id_]:<11}  {_('{n:g} h').format(n=hours)}"
    if kind == "resource":
        resource = roadmap.resources[id_]
        time = _("{n:g} h").format(n=resource.hours)
        return listed((_(KINDS[resource.kind]), _(STATES[resource.state]), time))
    planned = roadmap.planned[id_]
    return f"{planned.language:<11} {'*' * planned.difficulty:<5}"
