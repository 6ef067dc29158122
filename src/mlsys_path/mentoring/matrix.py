"""Learners × exercises: how each stands with each, as their bundles say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from mlsys_path.levels import LEVELS, Level, Outcome, highest_passed
from mlsys_path.mentoring import verifying
from mlsys_path.mentoring.assignment import reached, required_level

if TYPE_CHECKING:
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.progress.records import Attempt, Event
    from mlsys_path.roadmap.load import Roadmap

State = Literal["passed", "failed", "error", "open", "started", "known", "waived", "new"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One learner and one exercise."""

    exercise: str
    state: State
    level: Level | None = None  # the strongest that any attempt reached
    age: int | None = (
        None  # days since the first pass, else since the last attempt; None of what was never tried
    )
    attempts: int = 0
    hints: int = 0
    solution_seen: bool = False  # before the first pass, or without one
    verified: str = ""  # "verified" or "refuted" by the mentor
    below: bool = False  # passed, and not at the level that was asked for
    due: date | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return (self.state == "passed" and not self.below) or self.state == "waived"


def row(roadmap: Roadmap, learner: Learner, exercises: Iterable[str], now: datetime) -> tuple[Cell, ...]:
    """How a learner stands with some exercises."""
    sheet = _Sheet(roadmap, learner)
    return tuple(sheet.cell(name, now) for name in exercises)


class _Sheet:
    """What is known of one learner, by exercise."""

    def __init__(self, roadmap: Roadmap, learner: Learner) -> None:
        newest = roadmap.renames.newest
        self._roadmap = roadmap
        self._known = learner.known
        self._waived = {newest("exercises", name) for each in learner.assignments for name in each.waive}
        self._marks = verifying.latest(learner.verifications)
        self._asked = [(each, set(_exercises(roadmap, each.track.id))) for each in learner.assignments]
        self._attempts: dict[str, list[Attempt]] = {}
        self._events: dict[str, list[Event]] = {}
        for attempt in learner.attempts:
            self._attempts.setdefault(attempt.exercise, []).append(attempt)
        for event in learner.events:
            self._events.setdefault(event.exercise, []).append(event)

    def cell(self, name: str, now: datetime) -> Cell:
        attempts, events = self._attempts.get(name, []), self._events.get(name, [])
        passes = [attempt for attempt in attempts if attempt.passed]
        levels = filter(None, (highest_passed(attempt.levels) for attempt in attempts))
        best = max(levels, key=LEVELS.index, default=None)
        shown = passes[0] if passes else attempts[-1] if attempts else None
        asked = [each for each, names in self._asked if name in names]
        spec = self._roadmap.exercises[name]
        enough = all(reached(best, required_level(spec, each.level)) for each in asked)
        return Cell(
            exercise=name,
            state=self._state(name, attempts, bool(passes), bool(events)),
            level=best,
            age=max(0, (now - shown.started_at).days) if shown else None,
            attempts=len(attempts),
            hints=len({event.detail for event in events if event.kind == "hint"}),
            solution_seen=any(
                event.kind == "solution" and (not passes or event.at < passes[0].started_at)
                for event in events
            ),
            verified=self._verified(passes),
            below=bool(passes) and not enough,
            due=min((day for each in asked if (day := each.due_for(name))), default=None),
        )

    def _state(self, name: str, attempts: Sequence[Attempt], passed: bool, touched: bool) -> State:
        if passed:
            return "passed"
        if name in self._waived:
            return "waived"
        if attempts:
            return Outcome(attempts[-1].verdict).value
        if name in self._known:
            return "known"
        return "started" if touched else "new"

    def _verified(self, passes: Sequence[Attempt]) -> str:
        marks = [mark for attempt in passes if (mark := verifying.mark(attempt, self._marks))]
        return marks[-1] if marks else ""


def _exercises(roadmap: Roadmap, track: str) -> tuple[str, ...]:
    track = roadmap.renames.newest("tracks", track)
    return roadmap.track_exercises(track) if track in roadmap.tracks else ()
