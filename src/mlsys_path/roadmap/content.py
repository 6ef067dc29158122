"""Reads all YAML of the roadmap and of the exercises, and finds every problem in and between the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsys_path.language import _
from mlsys_path.roadmap import graph
from mlsys_path.roadmap.documents import Document, Loc, Problem, nearest, read, validate
from mlsys_path.roadmap.model import Exercise, Resource, Stage, Topic, Track

_ID_WORDS = "abcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass
class Content:
    """All records, where each was declared, and what is wrong."""

    stages: dict[str, Stage] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    exercises: dict[str, Exercise] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    exercise_stage: dict[str, str] = field(default_factory=dict)
    exercise_topic: dict[str, str] = field(default_factory=dict)
    topic_stage: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _places: dict[tuple[str, str], tuple[Document, Loc]] = field(default_factory=dict)

    def add(self, kind: str, into: dict[str, Any], record: Any, document: Document, base: Loc) -> None:
        """Take a record in; a second one of the same id is a problem."""
        at = (*base, "id")
        if not record.id or set(record.id) - set(_ID_WORDS):
            self.problems.append(
                document.places.problem(at, _("an id has small letters, digits and hyphens only"))
            )
        if record.id in into:
            other = self._places[kind, record.id][0].places.file
            self.problems.append(
                document.places.problem(
                    at,
                    _("the {kind} {id!r} is in {file} already").format(kind=kind, id=record.id, file=other),
                )
            )
            return
        into[record.id] = record
        self._places[kind, record.id] = (document, base)

    def wrong(self, kind: str, id_: str, loc: Loc, message: str) -> None:
        """A problem at a key of a record."""
        document, base = self._places[kind, id_]
        self.problems.append(document.places.problem((*base, *loc), message))

    def refer(
        self, kind: str, id_: str, key: str, ids: Iterable[str], known: Mapping[str, Any], what: str
    ) -> None:
        """Every id at a key must be known, and stand there once."""
        seen: set[str] = set()
        for i, target in enumerate(ids):
            if target not in known:
                close = nearest(target, known)
                hint = _("; did you mean {close!r}?").format(close=close) if close else ""
                self.wrong(
                    kind, id_, (key, i), _("there is no {what} {id!r}").format(what=what, id=target) + hint
                )
            elif target in seen:
                self.wrong(kind, id_, (key, i), _("{id!r} stands twice").format(id=target))
            seen.add(target)


def yaml_files(roadmap_dir: Path) -> dict[str, list[Path]]:
    """The files of each kind."""
    return {kind: sorted((roadmap_dir / kind).glob("*.yaml")) for kind in ("stages", "resources", "tracks")}


def exercise_files(exercises_dir: Path) -> list[Path]:
    """Every `<stage>/<id>/exercise.yaml`, whether it is there or not: a folder without one is a problem."""
    if not exercises_dir.is_dir():
        return []
    stages = sorted(p for p in exercises_dir.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))
    folders = (
        f
        for stage in stages
        for f in sorted(stage.iterdir())
        if f.is_dir() and not f.name.startswith((".", "_"))
    )
    return [folder / "exercise.yaml" for folder in folders]


def read_all(roadmap_dir: Path, exercises_dir: Path) -> Content:
    """Everything there is, with every problem."""
    content = Content()
    files = yaml_files(roadmap_dir)
    if not files["stages"]:
        content.problems.append(Problem(roadmap_dir / "stages", 0, 0, "", _("there is no stage here")))
    for file in files["resources"]:
        _read_resources(content, file)
    for file in files["stages"]:
        if stage := _read_one(content, "stage", Stage, file, content.stages):
            for i, topic in enumerate(stage.topics):
                content.add(
                    "topic", content.topics, topic, content._places["stage", stage.id][0], ("topics", i)
                )
                content.topic_stage.setdefault(topic.id, stage.id)
    for file in exercise_files(exercises_dir):
        if exercise := _read_one(content, "exercise", Exercise, file, content.exercises):
            content.folders.setdefault(exercise.id, file.parent)
            content.exercise_stage.setdefault(exercise.id, file.parent.parent.name)
            if exercise.id != file.parent.name:
                content.wrong(
                    "exercise",
                    exercise.id,
                    ("id",),
                    _("the folder is called {name!r}").format(name=file.parent.name),
                )
    for file in files["tracks"]:
        _read_one(content, "track", Track, file, content.tracks)
    _connect(content)
    content.stages = dict(sorted(content.stages.items(), key=lambda item: item[1].order))
    content.exercises = _in_path_order(content)
    content.problems.sort()
    return content


def _read_one(content: Content, kind: str, record_type: type[Any], file: Path, into: dict[str, Any]) -> Any:
    document = read(file)
    if isinstance(document, Problem):
        content.problems.append(document)
        return None
    record, problems = validate(record_type, document)
    content.problems += problems
    if record is not None:
        content.add(kind, into, record, document, ())
    return record


def _read_resources(content: Content, file: Path) -> None:
    document = read(file)
    if isinstance(document, Problem):
        content.problems.append(document)
        return
    entries = document.data.get("resources") if isinstance(document.data, dict) else None
    if not isinstance(entries, list) or set(document.data) != {"resources"}:
        content.problems.append(
            document.places.problem((), _("should have one key, `resources`, with a list"))
        )
        return
    for i, entry in enumerate(entries):
        record, problems = validate(Resource, document, entry, ("resources", i))
        content.problems += problems
        if record is not None:
            content.add("resource", content.resources, record, document, ("resources", i))


def _connect(content: Content) -> None:
    """Check every reference between records, and the graph that they make."""
    for stage in content.stages.values():
        content.refer("stage", stage.id, "requires", stage.requires, content.stages, "stage")
    for topic in content.topics.values():
        content.refer("topic", topic.id, "requires", topic.requires, content.topics, "topic")
        content.refer("topic", topic.id, "resources", topic.resources, content.resources, "resource")
        content.refer("topic", topic.id, "exercises", topic.exercises, content.exercises, "exercise")
        for i, exercise_id in enumerate(topic.exercises):
            if exercise_id not in content.exercises:
                continue
            if exercise_id in content.exercise_topic:
                other = content.exercise_topic[exercise_id]
                content.wrong(
                    "topic",
                    topic.id,
                    ("exercises", i),
                    _("{id!r} is in the topic {topic!r} already").format(id=exercise_id, topic=other),
                )
            elif content.exercise_stage[exercise_id] != content.topic_stage[topic.id]:
                folder = content.folders[exercise_id]
                content.wrong(
                    "topic",
                    topic.id,
                    ("exercises", i),
                    _("{id!r} is an exercise of another stage: {folder}").format(
                        id=exercise_id, folder=folder
                    ),
                )
            content.exercise_topic.setdefault(exercise_id, topic.id)
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
    for track in content.tracks.values():
        content.refer("track", track.id, "exercises", track.exercises, content.exercises, "exercise")
    kinds: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("stage", content.stages),
        ("topic", content.topics),
        ("exercise", content.exercises),
    )
    for kind, records in kinds:
        for cycle in graph.cycles({id_: record.requires for id_, record in records.items()}):
            content.wrong(kind, cycle[0], ("requires",), _("a cycle: {walk}").format(walk=" -> ".join(cycle)))


def _in_path_order(content: Content) -> dict[str, Exercise]:
    """Exercises by stage, then by topic, then as the topic lists them; those in no topic last."""
    listed = [
        id_
        for stage in content.stages.values()
        for topic in stage.topics
        for id_ in topic.exercises
        if id_ in content.exercises and content.exercise_topic.get(id_) == topic.id
    ]
    rest = [id_ for id_ in content.exercises if id_ not in set(listed)]
    return {id_: content.exercises[id_] for id_ in dict.fromkeys([*listed, *rest])}
