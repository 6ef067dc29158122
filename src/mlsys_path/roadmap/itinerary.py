"""What a track, or the whole path, consists of in order: things to read and exercises to solve. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlsys_path.roadmap.readings import part_of

if TYPE_CHECKING:
    from mlsys_path.language import Text
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Reading, Step, Track

ItemKind = Literal["read", "exercise", "planned"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: a reading of a resource for a topic, or an exercise, built or planned."""

    kind: ItemKind
    id: str  # of the resource or exercise
    topic: str  # the topic that it is done for; "" for what a track wants read by itself
    hours: float
    parts: Text | None = None  # of a resource: what of it matters here
    name: str = ""  # of a reading, in `Roadmap.readings`
    optional: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes two of them one: of a reading its name, as another part of a resource is other work."""
        return self.kind, self.name or self.id


def of_track(roadmap: Roadmap, track: Track) -> list[Item]:
    """Everything that a track's steps stand for and that is not optional, each once, in order."""
    return _once(item for step in track.steps for item in of_step(roadmap, step))


def of_path(roadmap: Roadmap) -> list[Item]:
    """Everything that there is and that is not optional, in the order of the stages."""
    return _once(
        item
        for stage in roadmap.stages.values()
        for topic in stage.topics
        for item in of_topic(roadmap, topic.id)
    )


def of_step(roadmap: Roadmap, step: Step) -> list[Item]:
    """What one step stands for."""
    if step.stage:
        return [item for topic in roadmap.stages[step.stage].topics for item in of_topic(roadmap, topic.id)]
    if step.topic:
        return of_topic(roadmap, step.topic)
    if step.exercise:
        return [_exercise(roadmap, step.exercise)]
    return [_read(roadmap, step.read)] if step.read else []


def of_topic(roadmap: Roadmap, topic_id: str) -> list[Item]:
    """A topic's reading, then its exercises."""
    topic = roadmap.topics[topic_id]
    return [
        *(_read(roadmap, reading, topic_id) for reading in topic.reads),
        *(_exercise(roadmap, name) for name in topic.exercises),
    ]


def exercises(roadmap: Roadmap, track: Track) -> tuple[str, ...]:
    """The built exercises of a track, in its order."""
    return tuple(item.id for item in of_track(roadmap, track) if item.kind == "exercise")


def topics_of_track(roadmap: Roadmap, track: Track) -> list[str]:
    """The topics that a track's steps name, in its order."""
    found: dict[str, None] = {}
    for step in track.steps:
        if step.stage:
            found.update(dict.fromkeys(topic.id for topic in roadmap.stages[step.stage].topics))
        elif step.topic:
            found[step.topic] = None
    return list(found)


def taken_for_granted(roadmap: Roadmap, track: Track) -> list[str]:
    """The topics that a track's topics build on and that it has not, in the order of the path."""
    own = set(topics_of_track(roadmap, track))
    wanted = {before for topic in own for before in roadmap.topics[topic].requires} - own
    return [topic for topic in roadmap.topics if topic in wanted]


def _exercise(roadmap: Roadmap, name: str) -> Item:
    built = roadmap.exercises.get(name)
    minutes = built.minutes if built else roadmap.planned[name].minutes
    return Item("exercise" if built else "planned", name, roadmap.exercise_topic[name], minutes / 60)


def _read(roadmap: Roadmap, reading: Reading, topic: str = "") -> Item:
    name = roadmap.reading_names[part_of(reading)]
    if not topic:
        # a track that repeats what a topic wants read means that reading
        topic = next(iter(roadmap.readings[name].topics), "")
    return Item("read", reading.resource, topic, reading.hours, reading.parts, name, reading.optional)


def _once(items: Iterator[Item]) -> list[Item]:
    """Each exercise once, and each part of a resource that has to be read."""
    found: dict[tuple[str, str], Item] = {}
    for item in items:
        if not item.optional:
            found.setdefault(item.key, item)
    return list(found.values())
