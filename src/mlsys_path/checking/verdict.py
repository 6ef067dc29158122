"""From events to a verdict: pure, and strict about what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from mlsys_path.checking.events import (
    CheckEvent,
    CheckResult,
    CheckStarted,
    Compiled,
    Declared,
    Finished,
    Measurement,
    Started,
    Verdict,
)
from mlsys_path.language import _
from mlsys_path.levels import LEVELS, Level, Outcome


class Tally:
    """Takes a run's events one by one and gives the verdict at any time."""

    def __init__(self, exercise: str) -> None:
        self.exercise = exercise
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.results: dict[str, CheckResult] = {}
        self.measurements: list[Measurement] = []
        self.compiled: dict[Compiled, None] = {}  # what the compiler made of the kernels, each once
        self.current = ""
        self.broken = ""

    def add(self, event: CheckEvent) -> None:
        """Take an event; one that cannot be at this place breaks the run."""
        match event:
            case Started():
                self.broken = self.broken or (_("the run started twice") if self.started else "")
                self.started = event
            case CheckStarted():
                self.current = event.name
            case CheckResult():
                declared = {c.name: c for c in self.started.checks} if self.started else {}
                if (
                    event.name in self.results
                    or event.name not in declared
                    or declared[event.name].level is not event.level
                ):
                    self.broken = self.broken or _("unexpected result of {name}").format(name=event.name)
                self.results[event.name] = event
            case Measurement():
                self.measurements.append(event)
            case Compiled():
                self.compiled[event] = None
            case Finished():
                self.broken = (
                    self.broken or event.broken or (_("the run ended twice") if self.finished else "")
                )
                self.finished = event

    def verdict(self) -> Verdict:
        """What the events amount to; a pass needs a positive result of every declared check that can run here."""
        checks = self.started.checks if self.started else ()
        results = tuple(self._result(c) for c in checks)
        levels = {level: _level(level, results) for level in LEVELS if any(r.level is level for r in results)}
        message = self.broken
        if not message and self.started is None:
            message = _("the run never started")
        if not message and self.finished is None:
            message = _("the run ended before its verdict")
        if message or any(r.outcome is Outcome.ERROR for r in results):
            verdict = Outcome.ERROR
        elif any(r.outcome is Outcome.FAILED for r in results):
            verdict = Outcome.FAILED
        elif Outcome.PASSED in levels.values():
            verdict = Outcome.PASSED
        else:
            verdict = Outcome.OPEN
        if verdict is Outcome.ERROR:
            # an outcome of a broken run is no evidence
            levels = {level: Outcome.ERROR if o is Outcome.PASSED else o for level, o in levels.items()}
        return Verdict(
            exercise=self.exercise,
            verdict=verdict,
            levels=levels,
            checks=results,
            measurements=tuple(self.measurements),
            seconds=self.finished.seconds if self.finished else 0.0,
            sandbox=self.started.sandbox if self.started else "",
            machine=self.started.machine if self.started else "",
            message=message or next((r.message for r in results if r.outcome is Outcome.ERROR), ""),
            open_because={
                level: next(
                    (r.message for r in results if r.level is level and r.outcome is Outcome.OPEN), ""
                )
                for level, outcome in levels.items()
                if outcome is Outcome.OPEN
            },
        )

    def _result(self, declared: Declared) -> CheckResult:
        if declared.name in self.results:
            return self.results[declared.name]
        if declared.open_because:
            return CheckResult(declared.name, declared.level, Outcome.OPEN, declared.open_because)
        return CheckResult(declared.name, declared.level, Outcome.ERROR, _("there is no result"))


def _level(level: Level, results: Iterable[CheckResult]) -> Outcome:
    outcomes = {r.outcome for r in results if r.level is level}
    order = (Outcome.ERROR, Outcome.FAILED, Outcome.OPEN, Outcome.PASSED)
    return next(o for o in order if o in outcomes)


def verdict_of(exercise: str, events: Iterable[CheckEvent]) -> Verdict:
    """The verdict of a complete stream of events."""
    tally = Tally(exercise)
    for event in events:
        tally.add(event)
    return tally.verdict()
