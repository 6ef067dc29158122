"""What a mentor's own run of a learner's files says of the learner's claim. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mlsys_path.levels import LEVELS, Level, Outcome, highest_passed
from mlsys_path.progress.records import Attempt, from_text, plain

# verified: every level that was claimed and could be run passed here; refuted: one that was claimed failed here;
# agrees: nothing was claimed, and nothing passed that had failed; differs: what failed there passes here;
# broken: the run came to no verdict; unchecked: this machine can run no level that was claimed
Finding = Literal["verified", "refuted", "agrees", "differs", "broken", "unchecked"]


@dataclass(frozen=True, slots=True)
class Verification:
    """One run that a mentor made of an attempt's files."""

    id: str
    attempt: str
    exercise: str
    at: datetime
    finding: Finding
    verdict: Outcome
    levels: Mapping[Level, Outcome]
    failing_check: str = ""
    message: str = ""
    sandbox: str = ""
    machine: str = ""
    exercise_hash: str = ""
    same_exercise: bool = True  # the checks are those that the learner's run was made with
    seconds: float = 0.0
    measurements: tuple[dict[str, Any], ...] = ()

    @property
    def proved(self) -> tuple[Level, ...]:
        """The levels that passed here, the weakest first."""
        return tuple(level for level in LEVELS if self.levels.get(level) is Outcome.PASSED)


def judge(claim: Mapping[Level, Outcome], verdict: Outcome, found: Mapping[Level, Outcome]) -> Finding:
    """What a run's verdict and levels say of the levels that a learner's attempt claims."""
    claimed = {level for level, outcome in claim.items() if outcome is Outcome.PASSED}
    if verdict is Outcome.ERROR:
        return "broken"
    if any(found.get(level) is Outcome.FAILED for level in claimed):
        return "refuted"
    if any(found.get(level) is Outcome.PASSED for level in claimed):
        return "verified"
    ran = {level for level, outcome in found.items() if outcome in (Outcome.PASSED, Outcome.FAILED)}
    if claimed or not ran:
        return "unchecked"
    return "differs" if any(found[level] is Outcome.PASSED for level in ran) else "agrees"


def latest(verifications: Iterable[Verification]) -> dict[str, Verification]:
    """The last verification of each attempt that came to a verdict; of who has none the last of all."""
    found: dict[str, Verification] = {}
    for each in verifications:
        before = found.get(each.attempt)
        if (
            before is None
            or each.finding not in ("broken", "unchecked")
            or before.finding in ("broken", "unchecked")
        ):
            found[each.attempt] = each
    return found


def mark(attempt: Attempt, verifications: Mapping[str, Verification]) -> str:
    """ "verified", "refuted" or "": what is said beside a pass.

    A pass is shown with its highest level, so one that was reached here only below that is not marked.
    """
    found = verifications.get(attempt.id)
    if found is None or found.finding not in ("verified", "refuted"):
        return ""
    if found.finding == "verified" and highest_passed(dict(attempt.levels)) not in found.proved:
        return ""
    return found.finding


def verification_content(each: Verification) -> str:
    """What is stored of a verification, as JSON."""
    content = {
        "finding": each.finding,
        "verdict": str(each.verdict),
        "levels": {str(level): str(outcome) for level, outcome in each.levels.items()},
        "failing_check": each.failing_check,
        "message": each.message,
        "sandbox": each.sandbox,
        "machine": each.machine,
        "exercise_hash": each.exercise_hash,
        "same_exercise": each.same_exercise,
        "seconds": each.seconds,
        "measurements": list(each.measurements),
    }
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False)


def verification_from(id_: str, attempt: str, exercise: str, at: str, content: str) -> Verification:
    """The verification of a row; raises ValueError, KeyError or TypeError for one that was not written here."""
    data = json.loads(content)
    return Verification(
        id_,
        attempt,
        exercise,
        from_text(at),
        **{
            **data,
            "verdict": Outcome(data["verdict"]),
            "levels": {Level(level): Outcome(outcome) for level, outcome in data["levels"].items()},
            "measurements": tuple(data["measurements"]),
        },
    )
