"""Events and exercise specs as JSON and back: what crosses between the app and the checker."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

from mlsys_path.checking import events
from mlsys_path.checking.events import CheckEvent
from mlsys_path.roadmap.model import Exercise

_KINDS: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        Exercise,
        events.Started,
        events.CheckStarted,
        events.CheckResult,
        events.Measurement,
        events.Compiled,
        events.Finished,
    )
}


def to_document(event: CheckEvent) -> dict[str, Any]:
    """A JSON-able object with its kind under "event"."""
    return {"event": type(event).__name__, **asdict(event)}


@functools.cache
def _adapter(kind: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(_KINDS[kind])


def from_document(document: dict[str, Any]) -> CheckEvent:
    """The event; raises ValueError (pydantic's) for a malformed one and KeyError for an unknown kind."""
    fields = dict(document)
    event: CheckEvent = _adapter(fields.pop("event")).validate_python(fields)
    return event


def prepare() -> None:
    """Build the validator of specs, which takes longer than to use it: a warm parent does so for its forks."""
    _adapter("Exercise")


def exercise_from_document(document: dict[str, Any]) -> Exercise:
    """The spec that `dataclasses.asdict` made a document of; raises ValueError for a malformed one."""
    exercise: Exercise = _adapter("Exercise").validate_python(document)
    return exercise
