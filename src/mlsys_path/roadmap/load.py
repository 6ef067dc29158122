"""The roadmap as the program uses it, from a compiled index when that is fresh.

The index is a pickle in the user's own cache folder, keyed by the time and size of every YAML file; with it, neither
yaml nor pydantic is imported. A stale, damaged or unwritable index costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlsys_path import __version__, locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap import graph
from mlsys_path.roadmap.model import Exercise, Resource, Stage, Topic, Track

_FORMAT = 1


@dataclass(frozen=True)
class Roadmap:
    """Stages, topics, resources, tracks and exercises (in path order), and the graph that they make."""

    stages: dict[str, Stage]
    topics: dict[str, Topic]
    resources: dict[str, Resource]
    tracks: dict[str, Track]
    exercises: dict[str, Exercise]
    folders: dict[str, str] = field(repr=False)
    exercise_topic: dict[str, str] = field(repr=False)
    topic_stage: dict[str, str] = field(repr=False)

    def exercise(self, id_: str) -> Exercise:
        """The exercise of an id; raises UserError, with the nearest id, when there is none."""
        if id_ in self.exercises:
            return self.exercises[id_]
        import difflib

        close = difflib.get_close_matches(id_, self.exercises, n=1, cutoff=0.5)
        hint = (
            _("did you mean {close!r}?").format(close=close[0]) if close else _("`mlsys-path list` shows all")
        )
        raise UserError(_("there is no exercise {id!r}: {hint}").format(id=id_, hint=hint))

    def folder(self, exercise_id: str) -> Path:
        """The folder of an exercise."""
        return Path(self.folders[exercise_id])

    def topic_of(self, exercise_id: str) -> str:
        """The id of the topic that lists an exercise."""
        return self.exercise_topic[exercise_id]

    def stage_of(self, exercise_id: str) -> str:
        """The id of the stage that an exercise belongs to."""
        return self.topic_stage[self.exercise_topic[exercise_id]]

    @property
    def requires(self) -> dict[str, tuple[str, ...]]:
        """The exercises' graph: what each requires directly."""
        return {id_: exercise.requires for id_, exercise in self.exercises.items()}

    def prerequisites(self, exercise_id: str) -> set[str]:
        """Everything that an exercise requires, directly or not."""
        return graph.prerequisites(self.requires, exercise_id)

    def unlocked(self, passed: Collection[str]) -> list[str]:
        """Exercises not passed whose prerequisites are, in path order."""
        return graph.unlocked(self.requires, passed)

    def path_to(self, goal: str, passed: Collection[str]) -> list[str]:
        """What is still to be done for an exercise, in order, itself last."""
        return graph.path_to(self.requires, goal, passed)


def load(roadmap_dir: Path | None = None, exercises_dir: Path | None = None) -> Roadmap:
    """The roadmap; raises UserError with the first problem when the content is not sound."""
    roadmap_dir = roadmap_dir or locations.roadmap_dir()
    exercises_dir = exercises_dir or locations.exercises_dir()
    index = locations.cache_dir() / "index" / f"{_name(roadmap_dir, exercises_dir)}.pickle"
    stamp = _stamp(roadmap_dir, exercises_dir)
    with contextlib.suppress(Exception):
        # whatever is wrong with an index, it can be made again
        version, written, roadmap = pickle.loads(index.read_bytes())  # noqa: S301  (our own file in a private folder)
        if (version, written) == (_version(), stamp) and isinstance(roadmap, Roadmap):
            return roadmap
    roadmap = _compile(roadmap_dir, exercises_dir)
    _write(index, (_version(), stamp, roadmap))
    return roadmap


def _version() -> tuple[int, str]:
    return _FORMAT, __version__


def _name(roadmap_dir: Path, exercises_dir: Path) -> str:
    return hashlib.sha256(f"{roadmap_dir}\0{exercises_dir}".encode()).hexdigest()[:24]


def _stamp(roadmap_dir: Path, exercises_dir: Path) -> str:
    """A hash over names, times and sizes of all YAML files and of the records' own source."""
    digest = hashlib.sha256()
    for path in _files(roadmap_dir, exercises_dir):
        try:
            info = os.stat(path)
        except OSError:
            digest.update(f"{path}\0missing\0".encode())
        else:
            digest.update(f"{path}\0{info.st_mtime_ns}\0{info.st_size}\0".encode())
    return digest.hexdigest()


def _files(roadmap_dir: Path, exercises_dir: Path) -> Iterator[str]:
    here = os.path.dirname(__file__)
    yield os.path.join(here, "model.py")
    yield os.path.join(here, "content.py")
    for kind in ("stages", "resources", "tracks"):
        folder = os.path.join(roadmap_dir, kind)
        yield from (os.path.join(folder, name) for name in _names(folder) if name.endswith(".yaml"))
    for stage in _names(os.fspath(exercises_dir)):
        folder = os.path.join(exercises_dir, stage)
        for name in _names(folder):
            yield f"{folder}/{name}/exercise.yaml"


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry for entry in os.listdir(folder) if not entry.startswith((".", "_")))
    except OSError:
        return []


def _compile(roadmap_dir: Path, exercises_dir: Path) -> Roadmap:
    from mlsys_path.roadmap.content import read_all

    content = read_all(roadmap_dir, exercises_dir)
    if content.problems:
        first, more = content.problems[0], len(content.problems) - 1
        text = _("{problem} ({n} more: mlsys-path author verify --roadmap)") if more else "{problem}"
        raise UserError(text.format(problem=first, n=more))
    return Roadmap(
        stages=content.stages,
        topics=content.topics,
        resources=content.resources,
        tracks=content.tracks,
        exercises=content.exercises,
        folders={id_: str(path) for id_, path in content.folders.items()},
        exercise_topic=content.exercise_topic,
        topic_stage=content.topic_stage,
    )


def _write(index: Path, value: object) -> None:
    """Write the index whole or not at all; a folder that cannot be written costs speed only."""
    with contextlib.suppress(OSError):
        index.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=index.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                pickle.dump(value, file, protocol=5)
            os.replace(temporary, index)
        except BaseException:
            os.unlink(temporary)
            raise
