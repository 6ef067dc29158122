"""Reading what learners sent, and what was assigned to them, out of the mentor's ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsys_path.errors import UserError
from mlsys_path.language import _, listed
from mlsys_path.mentoring import ledger
from mlsys_path.mentoring.assignment import Assignment, from_json, newest
from mlsys_path.mentoring.texts import folded
from mlsys_path.mentoring.verifying import Verification, verification_from
from mlsys_path.progress import submitted
from mlsys_path.progress.records import Attempt, Event, from_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, EVENT_COLUMNS, attempt_from_row, event_from_row
from mlsys_path.roadmap.renaming import newest_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Renames


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about a bundle that its mentor should know: "clock" or "changed", of an attempt or of all."""

    kind: str
    attempt: str
    detail: str


@dataclass(frozen=True, slots=True)
class Learner:
    """Everything that is known of one learner; attempts and events by present ids, the oldest first."""

    id: str  # the folded form of the name
    name: str
    keys: tuple[str, ...] = ()
    exported_at: datetime | None = None  # of the last bundle; None of who sent none
    attempts: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()
    known: frozenset[str] = frozenset()  # exercises, by the learner's word
    assignments: tuple[Assignment, ...] = ()
    received: frozenset[str] = frozenset()  # digests of the assignments that they have imported
    flags: tuple[Flag, ...] = ()
    verifications: tuple[Verification, ...] = ()

    @property
    def last_at(self) -> datetime | None:
        """When they last tried something."""
        return self.attempts[-1].started_at if self.attempts else None


def learners(renames: Renames | None = None, path: Path | None = None) -> tuple[Learner, ...]:
    """Everybody who sent a bundle or was assigned something, by name. Raises UserError."""
    with ledger.reading(path) as connection:
        if connection is None:
            return ()
        names = dict(connection.execute("SELECT learner, name FROM learners"))
        for learner, content in connection.execute("SELECT learner, content FROM assignments ORDER BY rowid"):
            names.setdefault(learner, json.loads(content)["learner"])
        found = [_learner(connection, id_, name, renames) for id_, name in names.items()]
    return tuple(sorted(found, key=lambda each: each.id))


def find(found: Iterable[Learner], name: str) -> Learner:
    """The learner of a name, however it is written; raises UserError, with the nearest, when there is none."""
    by_id = {each.id: each for each in found}
    if folded(name) in by_id:
        return by_id[folded(name)]
    from difflib import get_close_matches

    near = get_close_matches(folded(name), by_id, n=1, cutoff=0.5)
    hint = (
        _("did you mean {close!r}?").format(close=by_id[near[0]].name)
        if near
        else listed(each.name for each in by_id.values()) or _("import a bundle first")
    )
    raise UserError(_("there is no learner {name!r}: {hint}").format(name=name[:80], hint=hint))


def files(files_hash: str, path: Path | None = None) -> dict[str, bytes] | None:
    """The submitted files of a hash; None when none came. Raises UserError."""
    with ledger.reading(path) as connection:
        return submitted.read(connection, files_hash) if connection is not None else None


def _learner(connection: sqlite3.Connection, id_: str, name: str, renames: Renames | None) -> Learner:
    present = newest_of(renames, "exercises")

    def rows(query: str) -> list[Any]:
        return connection.execute(query, [id_]).fetchall()

    attempts = [
        attempt_from_row(dict(zip(ATTEMPT_COLUMNS, row, strict=True)))
        for row in rows(
            f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts WHERE learner = ? ORDER BY started_at, rowid"  # noqa: S608
        )
    ]
    events = [
        event_from_row(dict(zip(EVENT_COLUMNS, row, strict=True)))
        for row in rows(f"SELECT {', '.join(EVENT_COLUMNS)} FROM events WHERE learner = ? ORDER BY at, rowid")  # noqa: S608
    ]
    words = rows("SELECT subject, claim FROM claims WHERE learner = ? AND kind = 'exercise' ORDER BY at, id")
    last_word = {present(subject): claim for subject, claim in words}
    exported = rows("SELECT max(exported_at) FROM bundles WHERE learner = ?")[0][0]
    assignments = rows("SELECT content FROM assignments WHERE learner = ? ORDER BY rowid")
    return Learner(
        id=id_,
        name=name,
        keys=tuple(key for (key,) in rows("SELECT key FROM keys WHERE learner = ? ORDER BY rowid")),
        exported_at=from_text(exported) if exported else None,
        attempts=tuple(replace(each, exercise=present(each.exercise)) for each in attempts),
        events=tuple(replace(each, exercise=present(each.exercise)) for each in events),
        known=frozenset(subject for subject, claim in last_word.items() if claim == "known"),
        assignments=newest(from_json(content) for (content,) in assignments),
        received=frozenset(digest for (digest,) in rows("SELECT digest FROM received WHERE learner = ?")),
        flags=tuple(
            Flag(*row)
            for row in rows("SELECT kind, subject, detail FROM flags WHERE learner = ? ORDER BY rowid")
        ),
        verifications=tuple(
            verification_from(*row)
            for row in rows(
                "SELECT id, attempt, exercise, at, content FROM verifications WHERE learner = ? ORDER BY rowid"
            )
        ),
    )


def remember_assignment(assignment: Assignment, at: str, path: Path | None = None) -> None:
    """Keep what was assigned, to compare with what comes back. Raises UserError."""
    from mlsys_path.mentoring.assignment import to_json

    with ledger.writing(path) as connection:
        row: dict[str, object] = {
            "digest": assignment.digest,
            "id": assignment.id,
            "learner": folded(assignment.learner),
            "content": to_json(assignment),
            "at": at,
        }
        ledger.add(connection, "assignments", row)
