"""Every problem of the roadmap and of the exercises' specs, for their authors."""

from __future__ import annotations

from pathlib import Path

from mlsys_path import locations
from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.documents import Problem


def problems(roadmap_dir: Path | None = None, exercises_dir: Path | None = None) -> list[Problem]:
    """All problems, by file and line; [] when the content is sound."""
    return read_all(
        roadmap_dir or locations.roadmap_dir(), exercises_dir or locations.exercises_dir()
    ).problems
