"""Every problem of the roadmap and of the exercises' specs, for their authors."""

from __future__ import annotations

from collections.abc import Sequence

from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.documents import Problem
from mlsys_path.roadmap.sources import Source, sources


def problems(content: Sequence[Source] | None = None) -> list[Problem]:
    """All problems of all sources, or of those given, by file and line; [] when the content is sound."""
    return read_all(content or sources()).problems
