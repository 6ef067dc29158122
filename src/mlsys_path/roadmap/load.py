"""The roadmap as the program uses it, from a compiled index when that is fresh.

The index is a pickle in the user's own cache folder, keyed by the time and size of every YAML file; with it, neither
yaml nor pydantic is imported. A stale, damaged or unwritable index costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mlsys_path import __version__, locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap import graph, itinerary, readings
from mlsys_path.roadmap.model import Exercise, Pack, Planned, Renames, Resource, Stage, Topic, Track
from mlsys_path.roadmap.sources import Installed, Source, installed_packs, sources
from mlsys_path.roadmap.stamps import index_file, record_files, stamp

_FORMAT = 4


@dataclass(frozen=True)
class Roadmap:
    """Stages, topics, resources, tracks and exercises (in path order), and the graph that they make."""

    stages: dict[str, Stage]
    topics: dict[str, Topic]
    resources: dict[str, Resource]
    tracks: dict[str, Track]
    exercises: dict[str, Exercise]
    planned: dict[str, Planned]
    packs: dict[str, Pack]
    renames: Renames
    folders: dict[str, str] = field(repr=False)
    pages: dict[str, str] = field(repr=False)
    exercise_topic: dict[str, str] = field(repr=False)
    topic_stage: dict[str, str] = field(repr=False)

    def exercise(self, id_: str) -> Exercise:
        """The exercise of an id, or of one that was renamed; raises UserError, with the nearest id, when there is none."""
        id_ = self.renames.newest("exercises", id_)
        if id_ in self.exercises:
            return self.exercises[id_]
        if id_ in self.planned:
            raise UserError(
                _("{id} is planned and not built yet: `mlsys-path list` shows what can be done").format(
                    id=id_
                )
            )
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

    def track_exercises(self, track_id: str) -> tuple[str, ...]:
        """The built exercises of a track, in its order."""
        return itinerary.exercises(self, self.tracks[track_id])

    @cached_property
    def reading_names(self) -> dict[readings.Part, str]:
        """What each part of a resource that is to be read is called."""
        return readings.names(self.topics, self.tracks)

    @cached_property
    def readings(self) -> dict[str, readings.Named]:
        """Everything that is to be read, by name."""
        return readings.named(self)

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


@dataclass(frozen=True)
class _Index:
    version: tuple[int, str]
    stamp: str
    installed: Installed
    roadmap: Roadmap


def load(content: Sequence[Source] | None = None) -> Roadmap:
    """The roadmap of all sources, or of those given; raises UserError with the first problem when it is not sound."""
    base = content[0] if content else Source(locations.roadmap_dir(), locations.exercises_dir())
    path = index_file(base, ".pickle")
    index = _read(path)
    installed = Installed("", ()) if content else installed_packs(index.installed if index else None)
    content = content or sources(installed)
    fresh = stamp(record_files(content))
    if index and index.stamp == fresh and index.installed == installed:
        return index.roadmap
    roadmap = _compile(content)
    _write(path, _Index(_version(), fresh, installed, roadmap))
    return roadmap


def _read(path: Path) -> _Index | None:
    # thousands of new objects and no garbage among them: looking for cycles takes a third of the time
    collecting = gc.isenabled()
    gc.disable()
    try:
        index = pickle.loads(path.read_bytes())  # noqa: S301  (our own file in a private folder)
        if isinstance(index, _Index) and index.version == _version() and isinstance(index.roadmap, Roadmap):
            return index
    except Exception:  # noqa: S110  (whatever is wrong with an index, it can be made again)
        pass
    finally:
        if collecting:
            gc.enable()
    return None


def _version() -> tuple[int, str]:
    return _FORMAT, __version__


def _compile(sources_: Sequence[Source]) -> Roadmap:
    from mlsys_path.roadmap.content import read_all

    content = read_all(sources_)
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
        planned=content.planned,
        packs=content.packs,
        renames=content.renames,
        folders={id_: str(path) for id_, path in content.folders.items()},
        pages={id_: str(path) for id_, path in content.pages.items()},
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
