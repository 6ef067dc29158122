"""An assignment: a track that a mentor gives to a learner, with dates, a level, a note and waivers.

Standard library only, as `next` reads what was imported. `assignment_file` validates YAML into these records.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from mlsys_path.language import Text
from mlsys_path.levels import LEVELS, Level
from mlsys_path.roadmap.model import FORBID_EXTRA, Exercise, Reading, Step, Track

Format = Literal["mlsys-path-assignment"]
FORMAT: Format = "mlsys-path-assignment"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The track is carried whole, so that it need not be known where the file is imported."""

    __pydantic_config__ = FORBID_EXTRA
    format: Format
    version: Literal[1]
    id: str  # a ULID; a later file of the same id takes the place of an earlier one
    mentor: str
    learner: str
    assigned_at: str  # 2026-12-01T09:30:00Z
    track: Track
    due: str = ""  # the day by which all of it is due, 2026-12-31
    due_of: dict[str, str] = field(default_factory=dict)  # of single exercises
    level: Level | None = None  # that a pass should reach, where the exercise has it
    note: str = ""
    waive: tuple[str, ...] = ()  # exercises that need not be done, and count as met

    def due_for(self, exercise: str) -> date | None:
        """The day by which an exercise is due: its own, else that of all."""
        text = self.due_of.get(exercise) or self.due
        return date.fromisoformat(text) if text else None

    @property
    def digest(self) -> str:
        """By which the same assignment is known again."""
        return hashlib.sha256(to_json(self).encode()).hexdigest()


def required_level(exercise: Exercise, asked: Level | None) -> Level | None:
    """The level that a pass of an exercise should reach: the strongest it has that is not above the one asked for."""
    if asked is None:
        return None
    allowed = LEVELS[: LEVELS.index(asked) + 1]
    return max(
        (check.level for check in exercise.checks.values() if check.level in allowed),
        key=LEVELS.index,
        default=None,
    )


def reached(best: Level | None, required: Level | None) -> bool:
    """Whether the best level that was reached is enough."""
    return required is None or (best is not None and LEVELS.index(best) >= LEVELS.index(required))


def newest(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """Of each id the one that was assigned last, in the order in which the ids came first."""
    found: dict[str, Assignment] = {}
    for each in assignments:
        if each.id not in found or found[each.id].assigned_at <= each.assigned_at:
            found[each.id] = each
    return tuple(found.values())


def to_plain(assignment: Assignment) -> dict[str, Any]:
    """An assignment as plain data, without what is empty."""
    plain: dict[str, Any] = _filled(asdict(assignment))
    return plain


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items() if item not in (None, "", (), [], {})}
    if isinstance(value, list | tuple):
        return [_filled(item) for item in value]
    return str(value) if isinstance(value, Level) else value


def to_json(assignment: Assignment) -> str:
    """The one spelling that is stored."""
    return json.dumps(to_plain(assignment), ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Assignment:
    """The assignment that `to_json` wrote; raises ValueError, KeyError or TypeError for what it cannot have written."""
    data = json.loads(text)
    return Assignment(
        **{
            **data,
            "track": _track(data["track"]),
            "level": Level(data["level"]) if "level" in data else None,
            "waive": tuple(data.get("waive", ())),
        }
    )


def _track(data: Mapping[str, Any]) -> Track:
    return Track(**{**_texts(data, "title", "summary", "goal"), "steps": tuple(map(_step, data["steps"]))})


def _step(data: Mapping[str, Any]) -> Step:
    read = Reading(**_texts(data["read"], "parts")) if "read" in data else None
    return Step(**{**_texts(data, "note"), "read": read})


def _texts(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: Text(**value) if key in keys else value for key, value in data.items()}
