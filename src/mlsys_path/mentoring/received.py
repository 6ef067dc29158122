"""The learner's side of assignments: kept in the progress database, and what they add to the roadmap."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path.errors import UserError
from mlsys_path.mentoring.assignment import (
    Assignment,
    from_json,
    newest,
    reached,
    required_level,
    to_json,
)
from mlsys_path.mentoring.tracks import usable
from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import now, to_text
from mlsys_path.roadmap import itinerary
from mlsys_path.roadmap.load import load as load_roadmap

if TYPE_CHECKING:
    from mlsys_path.progress.records import Status
    from mlsys_path.roadmap.load import Roadmap


def current(path: Path | None = None) -> tuple[Assignment, ...]:
    """What is assigned now, in the order in which it came. Raises UserError when the database cannot be read."""
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute("SELECT content FROM assignments ORDER BY rowid").fetchall()
        return newest(from_json(content) for (content,) in rows)


def remember(assignment: Assignment, track_setting: str, path: Path | None = None) -> bool:
    """Keep an assignment and follow its track; False, with nothing changed, when it was imported before."""
    from mlsys_path.progress.store import Store

    row = [assignment.digest, assignment.id, to_json(assignment), to_text(now())]
    setting = {"key": track_setting, "value": assignment.track.id, "changed_at": row[-1]}
    with Store.open(path) as store, store.transaction() as database:
        known = "SELECT 1 FROM assignments WHERE digest = ?"
        if database.conn.execute(known, row[:1]).fetchone():
            return False
        database.conn.execute("INSERT INTO assignments VALUES (?, ?, ?, ?)", row)
        database.table("settings").upsert(setting, pk="key")
        return True


def load(path: Path | None = None) -> Roadmap:
    """The roadmap with the tracks that were assigned; whatever is wrong with the database, the roadmap is there."""
    roadmap = load_roadmap()
    try:
        return with_assigned(roadmap, current(path))
    except UserError:
        return roadmap


def with_assigned(roadmap: Roadmap, assignments: Iterable[Assignment]) -> Roadmap:
    """The roadmap with the tracks of assignments that it has not itself. Pure."""
    found = {}
    for each in assignments:
        track = usable(roadmap, each.track)
        if track and roadmap.renames.newest("tracks", track.id) not in roadmap.tracks:
            found[track.id] = track
    return dataclasses.replace(roadmap, tracks={**roadmap.tracks, **found}) if found else roadmap


def waived(roadmap: Roadmap, assignments: Iterable[Assignment]) -> frozenset[str]:
    """The exercises that mentors waive, by present ids. Pure."""
    return frozenset(roadmap.renames.newest("exercises", name) for each in assignments for name in each.waive)


@dataclass(frozen=True, slots=True)
class Assigned:
    """How the learner stands with an assignment on a day."""

    assignment: Assignment
    done: tuple[str, ...]  # passed, at the level that is asked for
    below: tuple[str, ...]  # passed, and not at that level
    undone: tuple[str, ...]
    waived: tuple[str, ...]
    due: date | None  # the next day on which something undone is due
    overdue: tuple[str, ...]

    @property
    def of(self) -> int:
        """How many exercises have to be done."""
        return len(self.done) + len(self.below) + len(self.undone)


def assigned(roadmap: Roadmap, each: Assignment, statuses: Mapping[str, Status], day: date) -> Assigned:
    """Split what is assigned by what was done of it. Pure."""
    newest_id = roadmap.renames.newest
    track = roadmap.tracks.get(newest_id("tracks", each.track.id))
    names = itinerary.exercises(roadmap, track) if track else ()
    left_out = {newest_id("exercises", name) for name in each.waive}
    dues = {newest_id("exercises", name): each.due_for(name) for name in each.due_of}
    groups: dict[str, list[str]] = {"done": [], "below": [], "undone": [], "waived": []}
    for name in names:
        status = statuses.get(name)
        if name in left_out:
            groups["waived"].append(name)
        elif status is None or not status.passed:
            groups["undone"].append(name)
        else:
            enough = reached(status.best_level, required_level(roadmap.exercises[name], each.level))
            groups["done" if enough else "below"].append(name)
    open_days = {name: dues.get(name) or each.due_for(name) for name in (*groups["undone"], *groups["below"])}
    days = sorted(at for at in open_days.values() if at)
    return Assigned(
        each,
        tuple(groups["done"]),
        tuple(groups["below"]),
        tuple(groups["undone"]),
        tuple(groups["waived"]),
        days[0] if days else None,
        tuple(name for name, at in open_days.items() if at and at < day),
    )
