"""Assignments as YAML files: written, read and validated; a problem knows its file, line, column and key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.mentoring import texts, tracks
from mlsys_path.mentoring.assignment import Assignment, to_plain
from mlsys_path.roadmap.documents import Document, Problem, nearest, parse, read, validate

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

Loc = tuple[str | int, ...]
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_KEYS = (
    "format",
    "version",
    "id",
    "mentor",
    "learner",
    "assigned_at",
    "due",
    "due_of",
    "level",
    "note",
    "waive",
)
YEARS = range(2000, 2200)


def write(assignment: Assignment, schema: str = "") -> str:
    """The text of the file."""
    plain = to_plain(assignment)
    ordered = {key: plain[key] for key in (*_KEYS, "track") if key in plain}
    body: str = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=110)
    return (tracks.SCHEMA_LINE.format(schema=schema) if schema else "") + body


def load(roadmap: Roadmap, file: Path) -> Assignment:
    """The assignment of a file; raises UserError with the first problem and its place."""
    return _checked(roadmap, read(file))


def loads(roadmap: Roadmap, data: bytes, file: Path) -> Assignment:
    """The assignment of a file's bytes, as `load`."""
    return _checked(roadmap, parse(data, file))


def _checked(roadmap: Roadmap, document: Document | Problem) -> Assignment:
    if isinstance(document, Problem):
        raise UserError(str(document))
    assignment, problems = validate(Assignment, document)
    found = list(texts.text_flaws(document.data)) + (list(flaws(roadmap, assignment)) if assignment else [])
    problems += [document.places.problem(loc, message) for loc, message in found]
    if assignment is None or problems:
        # a key that is misspelt says more than that the right one is missing
        missing = _("this key is missing")
        first = min(problems, key=lambda problem: (problem.message == missing, problem))
        more = len(problems) - 1
        raise UserError(_("{problem} ({n} more)").format(problem=first, n=more) if more else str(first))
    return assignment


def flaws(roadmap: Roadmap, assignment: Assignment) -> Iterator[tuple[Loc, str]]:
    """Everything wrong in an assignment that its form does not show, each with its place. Pure."""
    if not _ULID.fullmatch(assignment.id):
        yield ("id",), _("is not a ULID")
    for key, name in (("mentor", assignment.mentor), ("learner", assignment.learner)):
        if message := texts.name_flaw(name):
            yield (key,), message
    if not _moment(assignment.assigned_at):
        yield (
            ("assigned_at",),
            _("is not a moment in UTC such as {example}").format(example="2026-12-01T09:30:00Z"),
        )
    days: dict[Loc, str] = {("due",): assignment.due} | {
        ("due_of", key): day for key, day in assignment.due_of.items()
    }
    for loc, day in days.items():
        if (day or loc != ("due",)) and not _day(day):
            yield loc, _("is not a day such as {example}").format(example="2026-12-31")
    named: list[tuple[Loc, str]] = [(("due_of", name), name) for name in assignment.due_of]
    named += [(("waive", i), name) for i, name in enumerate(assignment.waive)]
    known = {**roadmap.exercises, **roadmap.planned}
    for loc, name in named:
        if roadmap.renames.newest("exercises", name) not in known:
            close = nearest(name, known)
            hint = _("; did you mean {close!r}?").format(close=close) if close else ""
            yield loc, _("there is no {what} {id!r}").format(what=_("exercise"), id=name[:80]) + hint
    for loc, message in tracks.flaws(roadmap, assignment.track):
        yield ("track", *loc), message


def _moment(text: str) -> bool:
    try:
        return text.endswith("Z") and datetime.fromisoformat(text).year in YEARS
    except ValueError:
        return False


def _day(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).year in YEARS
    except ValueError:
        return False
