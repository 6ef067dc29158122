"""The roadmap and the learners that a mentor's commands are about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlsys_path.mentoring import received

if TYPE_CHECKING:
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.roadmap.load import Roadmap


def everything() -> tuple[Roadmap, tuple[Learner, ...]]:
    """The roadmap, with the tracks that were assigned, and all learners. Raises UserError."""
    from mlsys_path.mentoring import history
    from mlsys_path.roadmap.load import load

    roadmap = load()
    found = history.learners(roadmap.renames)
    return received.with_assigned(roadmap, [it for each in found for it in each.assignments]), found


def now() -> datetime:
    """This moment, in the mentor's own time zone."""
    return datetime.now().astimezone()
