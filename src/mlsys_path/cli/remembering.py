"""What a command stores; a database that cannot be written is one line, and what was shown stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError

if TYPE_CHECKING:
    from mlsys_path.progress.records import Attempt, EventKind


def remember_attempt(attempt: Attempt) -> None:
    """Store a finished run."""
    from mlsys_path.progress.store import Store

    try:
        with Store.open() as store:
            store.record(attempt)
    except UserError as error:
        stderr_line(str(error))


def remember_event(exercise: str, kind: EventKind, detail: str = "") -> None:
    """Store that the learner started, reset, took a hint or looked at the solution."""
    from mlsys_path.progress.store import Store

    try:
        with Store.open() as store:
            store.record_event(exercise, kind, detail)
    except UserError as error:
        stderr_line(str(error))
