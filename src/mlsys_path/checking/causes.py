"""When the likely cause of a failed check is told: where the check saw what the code does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlsys_path.language import current
from mlsys_path.levels import Outcome

if TYPE_CHECKING:
    from mlsys_path.checking.events import CheckResult
    from mlsys_path.roadmap.model import Exercise


def likely_cause(exercise: Exercise, result: CheckResult) -> str:
    """What the exercise says of a check that fails; "" where it would mislead.

    Nothing can be the cause in what is not written, does not load or does not build, nor in a run that broke.
    """
    check = exercise.checks.get(result.name)
    if check is None or check.cause is None or result.outcome is not Outcome.FAILED or result.obstacle:
        return ""
    return check.cause[current()]
