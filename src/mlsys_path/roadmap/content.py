"""Reads all YAML of all sources into records, and finds every problem in and between the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlsys_path.language import _
from mlsys_path.roadmap.documents import Document, Loc, Problem, nearest, read, validate
from mlsys_path.roadmap.model import (
    Addition,
    Exercise,
    Pack,
    Planned,
    Renames,
    Resource,
    Stage,
    Topic,
    Track,
)
from mlsys_path.roadmap.sources import Source

ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
# folder of roadmap/: the key of its lists; the files of the others hold one record each
LISTS = {"resources": "resources", "planned": "planned"}
FOLDERS = ("stages", "additions", "resources", "planned", "tracks")


@dataclass
class Content:
    """All records, where each was declared, and what is wrong."""

    stages: dict[str, Stage] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    exercises: dict[str, Exercise] = field(default_factory=dict)
    planned: dict[str, Planned] = field(default_factory=dict)
    packs: dict[str, Pack] = field(default_factory=dict)
    renames: Renames = field(default_factory=Renames)
    folders: dict[str, Path] = field(default_factory=dict)  # of exercises
    pages: dict[str, Path] = field(default_factory=dict)  # the folder with a topic's page, by topic
    exercise_stage: dict[str, str] = field(default_factory=dict)
    exercise_topic: dict[str, str] = field(default_factory=dict)
    topic_stage: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _places: dict[tuple[str, str], tuple[Document, Loc]] = field(default_factory=dict)

    def add(self, kind: str, into: dict[str, Any], record: Any, document: Document, base: Loc) -> bool:
        """Take a record in; a second one of the same id is a problem, and False."""
        at = (*base, "id")
        if not record.id or set(record.id) - ID_CHARACTERS:
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
            return False
        into[record.id] = record
        self._places[kind, record.id] = (document, base)
        return True

    def wrong(self, kind: str, id_: str, loc: Loc, message: str) -> None:
        """A problem at a key of a record."""
        document, base = self._places[kind, id_]
        self.problems.append(document.places.problem((*base, *loc), message))

    def file_of(self, kind: str, id_: str) -> Path:
        """The file that declares a record."""
        return self._places[kind, id_][0].places.file

    def refer(
        self, kind: str, id_: str, key: str, ids: Iterable[str], known: Mapping[str, Any], what: str
    ) -> None:
        """Every id at a key must be known, and stand there once."""
        seen: set[str] = set()
        for i, target in enumerate(ids):
            if self.known(kind, id_, (key, i), target, known, what) and target in seen:
                self.wrong(kind, id_, (key, i), _("{id!r} stands twice").format(id=target))
            seen.add(target)

    def known(self, kind: str, id_: str, loc: Loc, target: str, known: Mapping[str, Any], what: str) -> bool:
        """The id at a key must be known; whether it is."""
        if target in known:
            return True
        renamed = getattr(self.renames, what + "s", {}).get(target)
        if renamed in known:
            hint = _(": it is called {new!r} now").format(new=renamed)
        else:
            close = nearest(target, known)
            hint = _("; did you mean {close!r}?").format(close=close) if close else ""
        self.wrong(kind, id_, loc, _("there is no {what} {id!r}").format(what=what, id=target) + hint)
        return False


def yaml_files(roadmap_dir: Path) -> dict[str, list[Path]]:
    """The files of each kind."""
    return {kind: sorted((roadmap_dir / kind).glob("*.yaml")) for kind in FOLDERS}


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


def read_all(sources: Sequence[Source]) -> Content:
    """Everything there is, with every problem."""
    from mlsys_path.roadmap.references import connect

    content = Content()
    additions: list[tuple[Addition, Document]] = []
    for source in sources:
        additions += _read_source(content, source)
    # a pack may add to the stage of a pack that is read after it
    for addition, document in additions:
        _add_topics(content, addition, document)
    connect(content)
    content.stages = dict(sorted(content.stages.items(), key=lambda item: item[1].order))
    content.exercises = _in_path_order(content)
    content.problems.sort()
    return content


def _read_source(content: Content, source: Source) -> list[tuple[Addition, Document]]:
    if source.pack and not _read_pack(content, source.pack):
        return []
    files = yaml_files(source.roadmap)
    if not source.pack and not files["stages"]:
        content.problems.append(Problem(source.roadmap / "stages", 0, 0, "", _("there is no stage here")))
    for file in files["resources"]:
        _read_list(content, "resource", "resources", Resource, file, content.resources)
    for file in files["planned"]:
        _read_list(content, "planned exercise", "planned", Planned, file, content.planned)
    for file in files["stages"]:
        if stage := _read_one(content, "stage", Stage, file, content.stages):
            _take_topics(content, stage.id, stage.topics, content._places["stage", stage.id][0], source)
    _read_exercises(content, source)
    for file in files["tracks"]:
        _read_one(content, "track", Track, file, content.tracks)
    _read_renames(content, source.roadmap / "renames.yaml")
    found = ((file, read(file)) for file in files["additions"])
    return [pair for file, document in found for pair in _addition(content, document, source)]


def _read_pack(content: Content, file: Path) -> bool:
    """Whether there is a pack; a folder that has gone must not be looked into."""
    return _read_one(content, "pack", Pack, file, content.packs) is not None


def _read_exercises(content: Content, source: Source) -> None:
    for file in exercise_files(source.exercises):
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


def _addition(
    content: Content, document: Document | Problem, source: Source
) -> list[tuple[Addition, Document]]:
    if isinstance(document, Problem):
        content.problems.append(document)
        return []
    record, problems = validate(Addition, document)
    content.problems += problems
    if record is None:
        return []
    _take_topics(content, record.stage, record.topics, document, source)
    return [(record, document)]


def _take_topics(
    content: Content, stage: str, topics: Sequence[Topic], document: Document, source: Source
) -> None:
    for i, topic in enumerate(topics):
        if content.add("topic", content.topics, topic, document, ("topics", i)):
            content.topic_stage[topic.id] = stage
            content.pages[topic.id] = source.roadmap / "pages"


def _add_topics(content: Content, addition: Addition, document: Document) -> None:
    if addition.stage in content.stages:
        stage = content.stages[addition.stage]
        content.stages[stage.id] = replace(stage, topics=(*stage.topics, *addition.topics))
        return
    close = nearest(addition.stage, content.stages)
    hint = _("; did you mean {close!r}?").format(close=close) if close else ""
    message = _("there is no {what} {id!r}").format(what=_("stage"), id=addition.stage) + hint
    content.problems.append(document.places.problem(("stage",), message))


def _read_one(content: Content, kind: str, record_type: type[Any], file: Path, into: dict[str, Any]) -> Any:
    document = read(file)
    if isinstance(document, Problem):
        content.problems.append(document)
        return None
    record, problems = validate(record_type, document)
    content.problems += problems
    # what is in another file already must not be half taken in from this one
    if record is not None and content.add(kind, into, record, document, ()):
        return record
    return None


def _read_list(
    content: Content, kind: str, key: str, record_type: type[Any], file: Path, into: dict[str, Any]
) -> None:
    document = read(file)
    if isinstance(document, Problem):
        content.problems.append(document)
        return
    entries = document.data.get(key) if isinstance(document.data, dict) else None
    if not isinstance(entries, list) or set(document.data) != {key}:
        content.problems.append(
            document.places.problem((), _("should have one key, `{key}`, with a list").format(key=key))
        )
        return
    for i, entry in enumerate(entries):
        record, problems = validate(record_type, document, entry, (key, i))
        content.problems += problems
        if record is not None:
            content.add(kind, into, record, document, (key, i))


def _read_renames(content: Content, file: Path) -> None:
    if not file.exists():
        return
    document = read(file)
    if isinstance(document, Problem):
        content.problems.append(document)
        return
    record, problems = validate(Renames, document)
    content.problems += problems
    if record is None:
        return
    for kind in Renames.KINDS:
        known = getattr(content.renames, kind)
        for old, new in getattr(record, kind).items():
            if known.setdefault(old, new) != new:
                content.problems.append(
                    document.places.problem(
                        (kind, old),
                        _("{old!r} is renamed to {new!r} already").format(old=old, new=known[old]),
                    )
                )
            content._places[f"rename of {kind}", old] = (document, (kind, old))


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
