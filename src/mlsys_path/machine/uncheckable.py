"""Why a machine cannot check an exercise at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlsys_path.levels import LEVELS
from mlsys_path.machine.requirements import open_because

if TYPE_CHECKING:
    from mlsys_path.machine.records import Machine
    from mlsys_path.roadmap.model import Exercise


def why_uncheckable(exercise: Exercise, machine: Machine) -> str:
    """What the weakest level lacks, when every level lacks something; "" when one can be checked here."""
    levels = {check.level for check in exercise.checks.values()}
    reasons = [open_because(exercise, level, machine) for level in LEVELS if level in levels]
    return reasons[0] if all(reasons) else ""
