"""A mentor's views as plain data: what `--json` prints, and of flat ones `--csv`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlsys_path.mentoring.identity import fingerprint

if TYPE_CHECKING:
    from mlsys_path.mentoring.against_dates import Course
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.mentoring.matrix import Cell
    from mlsys_path.mentoring.stuck import Stuck
    from mlsys_path.mentoring.timeline import Entry
    from mlsys_path.mentoring.verifying import Verification


def text(at: datetime | None) -> str | None:
    """A moment in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def learner(each: Learner) -> dict[str, Any]:
    """Who somebody is, and what came of them."""
    return {
        "name": each.name,
        "keys": [fingerprint(key) for key in each.keys],
        "exported_at": text(each.exported_at),
        "last_attempt_at": text(each.last_at),
        "attempts": len(each.attempts),
        "passed": len({attempt.exercise for attempt in each.attempts if attempt.passed}),
        "known_by_word": sorted(each.known),
        "assignments": [it.id for it in each.assignments],
        "verified": len({v.attempt for v in each.verifications if v.finding == "verified"}),
        "refuted": len({v.attempt for v in each.verifications if v.finding == "refuted"}),
        "flags": [{"kind": f.kind, "attempt": f.attempt or None, "detail": f.detail} for f in each.flags],
    }


def cell(name: str, each: Cell) -> dict[str, Any]:
    """One learner and one exercise."""
    return {
        "learner": name,
        "exercise": each.exercise,
        "state": each.state,
        "level": str(each.level) if each.level else None,
        "age_days": each.age,
        "attempts": each.attempts,
        "hints": each.hints,
        "solution_seen": each.solution_seen,
        "verified": each.verified or None,
        "below_level": each.below,
        "due": each.due.isoformat() if each.due else None,
        "done": each.done,
    }


def stuck(each: Stuck) -> dict[str, Any]:
    """Who waits, and why."""
    return {
        "learner": each.learner,
        "exercise": each.exercise or None,
        "stuck_since": text(each.since),
        "stuck_days": round(each.days, 2),
        "attempts_since_pass": each.attempts,
        "inactive_days": each.inactive_days,
        "failing_check": each.failing_check or None,
        "same_check_in_a_row": each.same_check,
        "message": each.message or None,
        "solution_seen": each.solution_seen,
        "why": each.why,
    }


def course(each: Course) -> dict[str, Any]:
    """An assignment against its dates."""
    ahead = each.forecast
    return {
        "learner": each.learner,
        "assignment": each.assignment.id,
        "track": each.assignment.track.id,
        "received": each.received,
        "done": each.done,
        "of": len(each.cells),
        "overdue": list(each.overdue),
        "due": ahead.due.isoformat() if ahead.due else None,
        "forecast": ahead.verdict,
        "ends": ahead.ends.isoformat() if ahead.ends else None,
        "days_late": ahead.days_late,
        "hours_left": round(ahead.left / 60, 2),
        "hours_per_week": round(ahead.pace / 60, 2),
    }


def verification(each: Verification | None) -> dict[str, Any] | None:
    """What a mentor's run found."""
    if each is None:
        return None
    return {
        "at": text(each.at),
        "finding": each.finding,
        "verdict": str(each.verdict),
        "levels": {str(level): str(outcome) for level, outcome in each.levels.items()},
        "failing_check": each.failing_check or None,
        "message": each.message or None,
        "sandbox": each.sandbox,
        "machine": each.machine,
        "same_exercise": each.same_exercise,
    }


def entry(each: Entry) -> dict[str, Any]:
    """One attempt of a timeline."""
    it = each.attempt
    return {
        "id": it.id,
        "exercise": it.exercise,
        "at": text(it.started_at),
        "seconds_since_before": each.since_before.total_seconds() if each.since_before else None,
        "verdict": str(it.verdict),
        "levels": {str(level): str(outcome) for level, outcome in it.levels.items()},
        "failing_check": it.failing_check or None,
        "message": it.message or None,
        "measurements": list(it.measurements),
        "machine": it.machine,
        "looked_at": list(each.looked_at),
        "flags": list(each.flags),
        "files": each.from_starter is not None,
        "diff": each.diff,
        "diff_from_starter": each.from_starter,
        "verification": verification(each.verification),
    }
