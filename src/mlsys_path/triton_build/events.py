"""What happens in a build, as small records: one schema for the command line, `--json` and a screen.

Texts in them are in the language that was in use when they were made. Foreign text (lines of a log, commands) is never
markup.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1

Facts = dict[str, Any]
"""What a step found out and proved, as JSON values."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a step is expected to take; None where nobody has measured it."""

    seconds: float | None = None
    disk_mb: int | None = None
    memory_mb: int | None = None
    basis: str = "unknown"  # "learned": from earlier runs beside this one; "measured": on another machine


@dataclass(frozen=True, slots=True)
class BuildStarted:
    """The steps there are, in order, and the folder that they work in."""

    project: str
    folder: str
    steps: tuple[str, ...]
    resumed: bool


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins: what it does and why, what it should take, and where its log is."""

    step: str
    title: str
    what: str
    why: str
    estimate: Estimate
    log: str


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step was finished by an earlier run, and what it left is still there."""

    step: str
    title: str
    proof: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ran:
    """A command was started for a step."""

    step: str
    command: tuple[str, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is; `eta` is in seconds, None while nothing can be said of it."""

    step: str
    done: int
    total: int  # 0: not known
    unit: str  # "steps" or "bytes"
    what: str
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user should know, and that stops nothing."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step is done: its proof in a sentence, and as facts."""

    step: str
    title: str
    seconds: float
    proof: str
    facts: Facts
    peak_mb: int
    disk_mb: int


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step has failed: the name of the failure ("unknown" where none was recognised), its cause and its cure."""

    step: str
    failure: str
    cause: str
    cure: tuple[str, ...]
    log: str
    tail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildFinished:
    """The build has ended: whether every step is done, and which was the last one that was."""

    done: bool
    folder: str
    seconds: float
    steps_done: tuple[str, ...]


Event = (
    BuildStarted
    | StepStarted
    | StepSkipped
    | Ran
    | Progress
    | Note
    | StepFinished
    | StepFailed
    | BuildFinished
)


def to_json(event: Event) -> dict[str, Any]:
    """The object of one line of `--json`: "event" names the record, as in "step-finished"."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()
    return {"schema": SCHEMA, "event": name, **asdict(event)}
