"""What a command stores; a database that cannot be written is one line, and what was shown stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError

if TYPE_CHECKING:
    from mlsys_path.progress.records import Attempt, EventKind
    from mlsys_path.progress.store import Store


def remember_attempt(attempt: Attempt, files: Mapping[str, bytes]) -> None:
    """Store a finished run and what was submitted."""
    _write(lambda store: store.record(attempt, files))


def remember_event(exercise: str, kind: EventKind, detail: str = "") -> None:
    """Store that the learner started, reset, took a hint or looked at the solution."""
    _write(lambda store: store.record_event(exercise, kind, detail))


def remember_diagnostic(stage: str, detail: Mapping[str, Any]) -> None:
    """Store how the questions of a stage were answered."""
    _write(lambda store: store.claim("stage", stage, "diagnostic", detail))


def remember_setting(key: str, value: str) -> None:
    """Store what to do the same way next time."""
    _write(lambda store: store.set_setting(key, value))


def _write(write: Callable[[Store], object]) -> None:
    from mlsys_path.progress.store import Store

    try:
        with Store.open() as store:
            write(store)
    except UserError as error:
        stderr_line(str(error))
