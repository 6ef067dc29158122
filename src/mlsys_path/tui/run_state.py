"""One run of an exercise's checks as a screen knows it: what was declared, what came, what it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from mlsys_path.checking.events import CheckEvent, CheckResult, CheckStarted, Declared, Measurement, Verdict
from mlsys_path.checking.verdict import Tally
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Exercise

Phase = Literal["idle", "running", "stopped", "done"]


@dataclass
class RunState:
    """Takes events one by one; everything that a panel shows is asked of it."""

    exercise: Exercise
    open_levels: Mapping[Level, str] = field(default_factory=dict)  # what this machine cannot check, and why
    phase: Phase = "idle"
    problem: str = ""  # why nothing could be run, in one line
    verdict: Verdict | None = None
    tally: Tally | None = None
    since: float = field(default_factory=monotonic)  # when the running check began

    def begin(self) -> None:
        """A run starts: what the last one showed is gone."""
        self.phase, self.problem, self.verdict = "running", "", None
        self.tally = Tally(self.exercise.id)

    def take(self, event: CheckEvent) -> None:
        """One event of the running check."""
        if self.tally is not None:
            self.tally.add(event)
        if isinstance(event, CheckStarted):
            self.since = monotonic()

    def end(self) -> Verdict:
        """The stream is over: what it amounts to."""
        tally = self.tally or Tally(self.exercise.id)
        self.verdict, self.phase = tally.verdict(), "done"
        return self.verdict

    def stop(self, problem: str = "") -> None:
        """The run ended without a verdict."""
        self.phase, self.problem, self.verdict = "stopped", problem, None

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Every check in teaching order; before a run, with what is known of this machine."""
        if self.tally is not None and self.tally.started is not None:
            return self.tally.started.checks
        return tuple(
            Declared(name, check.level, self.open_levels.get(check.level, ""))
            for name, check in self.exercise.checks.items()
        )

    @property
    def results(self) -> Mapping[str, CheckResult]:
        """The results so far, by name; when the run is over, of every declared check."""
        if self.verdict is not None:
            return {result.name: result for result in self.verdict.checks}
        return self.tally.results if self.tally is not None else {}

    @property
    def current(self) -> str:
        """The check that is running, "" when none is."""
        tally = self.tally
        return (
            tally.current if self.phase == "running" and tally and tally.current not in tally.results else ""
        )

    @property
    def elapsed(self) -> float:
        """Seconds since the check that is running began."""
        return monotonic() - self.since if self.current else 0.0

    @property
    def leading_failure(self) -> CheckResult | None:
        """The first check in teaching order that did not pass, as far as is known."""
        bad = (Outcome.FAILED, Outcome.ERROR)
        found = (self.results.get(declared.name) for declared in self.declared)
        return next((result for result in found if result is not None and result.outcome in bad), None)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """What was measured so far."""
        return tuple(self.tally.measurements) if self.tally is not None else ()

    @property
    def open_because(self) -> dict[Level, str]:
        """The levels that are open here, and what they need."""
        if self.verdict is not None:
            # what is known of the machine is in the language in use, the verdict in that of its run
            return {
                level: self.open_levels.get(level, why) for level, why in self.verdict.open_because.items()
            }
        return {declared.level: declared.open_because for declared in self.declared if declared.open_because}
