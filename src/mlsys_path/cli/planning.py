"""What `next` and `plan` ask of this machine, of the calendar and of the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from mlsys_path.machine.inspect import glance
from mlsys_path.machine.uncheckable import why_uncheckable
from mlsys_path.progress import queries
from mlsys_path.progress.outlook import pace_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap


def today() -> date:
    """The learner's own date."""
    return datetime.now().date()


def trouble(roadmap: Roadmap) -> Callable[[str], str]:
    """What says why this machine cannot check an exercise at any level, "" when it can; it looks once at each."""
    machine = glance()
    known: dict[str, str] = {}

    def why(exercise: str) -> str:
        if exercise not in known:
            known[exercise] = why_uncheckable(roadmap.exercises[exercise], machine)
        return known[exercise]

    return why


def remembered_pace(roadmap: Roadmap, track_id: str) -> int | None:
    """The minutes a week that `plan --hours` said last, else those of the track."""
    return pace_of(roadmap, track_id, queries.setting(queries.HOURS_SETTING))
