"""Readings by name: a reading is a part of a resource, and is called after the topic, or else the track, that wants it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlsys_path.language import Text

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Reading, Topic, Track

Part = tuple[str, Text]  # a resource, and what of it


@dataclass(frozen=True, slots=True)
class Named:
    """A reading by its name: `TOPIC/RESOURCE`, `TRACK/RESOURCE` of a part that no topic wants, with `/NAME` where it has one."""

    name: str
    reading: Reading
    title: Text  # of the resource, and what of it
    topics: tuple[str, ...]  # that want this very part; the first of them is in the name


def names(topics: Mapping[str, Topic], tracks: Mapping[str, Track]) -> dict[Part, str]:
    """The one name of each part: what several places want alike is one reading."""
    found: dict[Part, str] = {}
    for _kind, owner, _at, reading in wanted(topics, tracks):
        found.setdefault(part_of(reading), _called(owner, reading))
    return found


def clashes(topics: Mapping[str, Topic], tracks: Mapping[str, Track]) -> Iterator[tuple[str, str, int, str]]:
    """Readings with the name of another: the kind and id of what wants each, its place there, and the name."""
    taken: dict[str, Part] = {}
    known = names(topics, tracks)
    for kind, owner, at, reading in wanted(topics, tracks):
        name, part = _called(owner, reading), part_of(reading)
        if known[part] == name and taken.setdefault(name, part) != part:
            yield kind, owner, at, name


def named(roadmap: Roadmap) -> dict[str, Named]:
    """Every reading of a roadmap by its name, in the order of the path."""
    topics: dict[Part, list[str]] = {}
    for topic in roadmap.topics.values():
        for reading in topic.reads:
            topics.setdefault(part_of(reading), []).append(topic.id)
    found: dict[str, Named] = {}
    for _kind, _owner, _at, reading in wanted(roadmap.topics, roadmap.tracks):
        part = part_of(reading)
        name, resource = roadmap.reading_names[part], roadmap.resources[reading.resource].title
        title = Text(f"{resource.en}: {reading.parts.en}", f"{resource.zh}：{reading.parts.zh}")
        found.setdefault(name, Named(name, reading, title, tuple(topics.get(part, ()))))
    return found


def all_of(roadmap: Roadmap) -> Iterator[Reading]:
    """Every reading that a topic or a track wants."""
    return (reading for *_place, reading in wanted(roadmap.topics, roadmap.tracks))


def of(roadmap: Roadmap, owner: str, resource: str) -> list[str]:
    """The names of what a topic, else a track, wants read of a resource; of every resource when it is ""."""
    if owner in roadmap.topics:
        reads = list(roadmap.topics[owner].reads)
    else:
        track = roadmap.tracks.get(owner)
        reads = [step.read for step in track.steps if step.read] if track else []
    parts = [part_of(reading) for reading in reads if resource in ("", reading.resource)]
    return list(dict.fromkeys(roadmap.reading_names[part] for part in parts))


def address(roadmap: Roadmap, reading: Reading) -> str:
    """Where to read it: its own address, that of the same part elsewhere, or the first of the resource."""
    own = reading.url or roadmap.readings[roadmap.reading_names[part_of(reading)]].reading.url
    return own or roadmap.resources[reading.resource].urls[0]


def part_of(reading: Reading) -> Part:
    """What makes two readings one."""
    return reading.resource, reading.parts


def _called(owner: str, reading: Reading) -> str:
    return "/".join(filter(None, (owner, reading.resource, reading.name)))


def wanted(
    topics: Mapping[str, Topic], tracks: Mapping[str, Track]
) -> Iterator[tuple[str, str, int, Reading]]:
    """All readings, those of topics first: the kind and id of what wants each, and its place there."""
    for topic in topics.values():
        for number, reading in enumerate(topic.reads):
            yield "topic", topic.id, number, reading
    for track in tracks.values():
        for number, step in enumerate(track.steps):
            if step.read:
                yield "track", track.id, number, step.read
