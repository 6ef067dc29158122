"""What must hold between records: every reference has its target, and the graphs have no cycle."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mlsys_path.language import _, listed
from mlsys_path.roadmap import graph, readings
from mlsys_path.roadmap.content import ID_CHARACTERS, Content
from mlsys_path.roadmap.documents import Loc, nearest
from mlsys_path.roadmap.model import PAST, Renames, Topic
from mlsys_path.roadmap.questions import flaws

_URL = re.compile(r"https?://[^\s/]+\S*")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def connect(content: Content) -> None:
    """Find every problem between the records of a content."""
    anything = {**content.exercises, **content.planned}
    _resources(content)
    _planned(content, anything)
    for stage in content.stages.values():
        content.refer("stage", stage.id, "requires", stage.requires, content.stages, "stage")
        for i, question in enumerate(stage.diagnostic):
            for loc, message in flaws(question):
                content.wrong("stage", stage.id, ("diagnostic", i, *loc), message)
    for topic in content.topics.values():
        _topic(content, topic, anything)
    _exercises(content)
    _tracks(content, anything)
    _readings(content)
    _renames(content, anything)
    kinds: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("stage", content.stages),
        ("topic", content.topics),
        ("resource", content.resources),
        ("exercise", content.exercises),
        ("planned exercise", content.planned),
    )
    for kind, records in kinds:
        for cycle in graph.cycles({id_: record.requires for id_, record in records.items()}):
            content.wrong(kind, cycle[0], ("requires",), _("a cycle: {walk}").format(walk=" -> ".join(cycle)))


def _resources(content: Content) -> None:
    for resource in content.resources.values():
        for key in ("requires", "superseded_by"):
            content.refer("resource", resource.id, key, getattr(resource, key), content.resources, "resource")
        for i, url in enumerate(resource.urls):
            if not _URL.fullmatch(url):
                content.wrong(
                    "resource", resource.id, ("urls", i), _("{url!r} is no http address").format(url=url)
                )
        if resource.checked and not _MONTH.fullmatch(resource.checked):
            content.wrong(
                "resource", resource.id, ("checked",), _("should be a month such as {m}").format(m="2026-11")
            )
        if resource.worth and resource.state not in PAST:
            content.wrong(
                "resource",
                resource.id,
                ("worth",),
                _("is for a resource whose state is {states}").format(states=listed(PAST)),
            )


def _planned(content: Content, anything: Mapping[str, Any]) -> None:
    for planned in content.planned.values():
        content.refer("planned exercise", planned.id, "requires", planned.requires, anything, "exercise")
        if planned.id in content.exercises:
            content.wrong(
                "planned exercise",
                planned.id,
                ("id",),
                _("is built, in {folder}: delete this entry").format(folder=content.folders[planned.id]),
            )
        elif not any(planned.id in topic.exercises for topic in content.topics.values()):
            content.wrong("planned exercise", planned.id, ("id",), _("no topic lists this exercise"))


def _topic(content: Content, topic: Topic, anything: Mapping[str, Any]) -> None:
    content.refer("topic", topic.id, "requires", topic.requires, content.topics, "topic")
    content.refer("topic", topic.id, "exercises", topic.exercises, anything, "exercise")
    seen: set[readings.Part] = set()
    for i, reading in enumerate(topic.reads):
        loc: Loc = ("reads", i, "resource")
        if content.known("topic", topic.id, loc, reading.resource, content.resources, "resource"):
            part = readings.part_of(reading)
            if part in seen:
                content.wrong("topic", topic.id, loc, _("{id!r} stands twice").format(id=reading.resource))
            seen.add(part)
    for i, exercise_id in enumerate(topic.exercises):
        if exercise_id not in anything:
            continue
        stage = content.exercise_stage.get(exercise_id)
        if exercise_id in content.exercise_topic:
            other = content.exercise_topic[exercise_id]
            content.wrong(
                "topic",
                topic.id,
                ("exercises", i),
                _("{id!r} is in the topic {topic!r} already").format(id=exercise_id, topic=other),
            )
        elif stage and stage != content.topic_stage[topic.id]:
            content.wrong(
                "topic",
                topic.id,
                ("exercises", i),
                _("{id!r} is an exercise of another stage: {folder}").format(
                    id=exercise_id, folder=content.folders[exercise_id]
                ),
            )
        content.exercise_topic.setdefault(exercise_id, topic.id)


def _exercises(content: Content) -> None:
    for exercise in content.exercises.values():
        content.refer("exercise", exercise.id, "requires", exercise.requires, content.exercises, "exercise")
        content.refer("exercise", exercise.id, "reads", exercise.reads, content.resources, "resource")
        for name, wrong in exercise.wrong.items():
            if wrong.fails not in exercise.checks:
                close = nearest(wrong.fails, exercise.checks)
                hint = _("; did you mean {close!r}?").format(close=close) if close else ""
                content.wrong(
                    "exercise",
                    exercise.id,
                    ("wrong", name, "fails"),
                    _("there is no check {id!r}").format(id=wrong.fails) + hint,
                )
        if exercise.id not in content.exercise_topic:
            content.wrong(
                "exercise", exercise.id, ("id",), _("no topic of stages/*.yaml lists this exercise")
            )


def _tracks(content: Content, anything: Mapping[str, Any]) -> None:
    for track in content.tracks.values():
        for i, step in enumerate(track.steps):
            named = {
                key: value
                for key, value in (
                    ("stage", step.stage),
                    ("topic", step.topic),
                    ("exercise", step.exercise),
                    ("read", step.read and step.read.resource),
                )
                if value
            }
            if len(named) != 1:
                content.wrong(
                    "track",
                    track.id,
                    ("steps", i),
                    _("a step is exactly one of stage, topic, exercise and read"),
                )
            records: dict[str, Mapping[str, Any]] = {
                "stage": content.stages,
                "topic": content.topics,
                "exercise": anything,
                "read": content.resources,
            }
            for key, target in named.items():
                loc: Loc = ("steps", i, key, "resource") if key == "read" else ("steps", i, key)
                what = "resource" if key == "read" else key
                content.known("track", track.id, loc, target, records[key], what)


def _readings(content: Content) -> None:
    at: dict[str, Callable[[int], Loc]] = {
        "topic": lambda i: ("reads", i),
        "track": lambda i: ("steps", i, "read"),
    }
    for kind, owner, i, reading in readings.wanted(content.topics, content.tracks):
        if set(reading.name) - ID_CHARACTERS:
            text = _("a name has small letters, digits and hyphens only")
            content.wrong(kind, owner, (*at[kind](i), "name"), text)
        if reading.url and not _URL.fullmatch(reading.url):
            text = _("{url!r} is no http address").format(url=reading.url)
            content.wrong(kind, owner, (*at[kind](i), "url"), text)
    for kind, owner, i, name in readings.clashes(content.topics, content.tracks):
        text = _("another part is called {name} already: give this one a `name`, such as {example}")
        content.wrong(kind, owner, at[kind](i), text.format(name=name, example="chapter-2"))


def _renames(content: Content, anything: Mapping[str, Any]) -> None:
    targets = {
        "exercises": anything,
        "topics": content.topics,
        "resources": content.resources,
        "tracks": content.tracks,
    }
    for kind in Renames.KINDS:
        names: dict[str, str] = getattr(content.renames, kind)
        for cycle in graph.cycles({old: (new,) for old, new in names.items()}):
            content.wrong(
                f"rename of {kind}", cycle[0], (), _("a cycle: {walk}").format(walk=" -> ".join(cycle))
            )
        for old, new in names.items():
            place = (f"rename of {kind}", old)
            if old in targets[kind]:
                content.wrong(*place, (), _("{old!r} is there: an id is never reused").format(old=old))
            if new not in targets[kind] and new not in names:
                close = nearest(new, targets[kind])
                hint = _("; did you mean {close!r}?").format(close=close) if close else ""
                content.wrong(*place, (), _("there is no {id!r}").format(id=new) + hint)
