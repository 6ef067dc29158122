"""The pytest plugin of the checker: the fixtures, the order of checks, and a result for each of them."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlsys_path.checking.bench import Bench
from mlsys_path.checking.events import CheckEvent, CheckResult, CheckStarted, Counterexample
from mlsys_path.checking.failures import (
    CheckFailed,
    LearnerDied,
    LearnerError,
    Open,
    RunOver,
    TimingRefused,
    obstacle,
)
from mlsys_path.checking.measure import Measure
from mlsys_path.checking.show import clean
from mlsys_path.checking.worker.wire import ProtocolError
from mlsys_path.language import _
from mlsys_path.levels import LEVELS, Level, Outcome

MAX_MESSAGE = 2000


class ChecksBroken(Exception):
    """The exercise's checks are not what its spec declares."""


class CheckPlugin:
    """Runs the selected checks of one exercise, in teaching order, and emits an event for each."""

    def __init__(
        self,
        bench: Bench,
        selected: list[str],
        emit: Callable[[CheckEvent], None],
        collected: Callable[[], None],
    ) -> None:
        self.bench = bench
        self.selected = selected
        self.emit = emit
        self.collected = collected  # called before the first check
        self.done: set[str] = set()
        self.broken = ""
        self.over: RunOver | None = None
        self._learners: dict[Level, Any] = {}
        self._began = 0.0
        self._failed: set[int] = set()

    # -- collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the selected checks, in the spec's order; the spec and the files must declare the same."""
        found = {item.name: item for item in items}
        declared = list(self.bench.exercise.checks)
        if set(found) != set(declared) or len(found) != len(items):
            odd = sorted(set(found) ^ set(declared)) or sorted(item.name for item in items)
            self.broken = (
                self.broken or f"exercise.yaml and checks/ declare different checks: {', '.join(odd)}"
            )
            items.clear()
            return
        items[:] = [found[name] for name in declared if name in self.selected]

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check file that cannot be imported breaks the whole run."""
        if report.failed and not self.broken:
            self.broken = "a file of checks/ cannot be loaded: " + clean(str(report.longrepr).strip()[-600:])

    # -- running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """All checks are collected."""
        self.collected()

    def level(self, name: str) -> Level:
        """The level of a check."""
        return self.bench.exercise.checks[name].level

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Begin one check, or pass over it (True) when running it would say nothing."""
        if self.over or self.broken:
            return True
        level = self.level(item.name)
        if any(below < LEVELS.index(level) for below in self._failed):
            # a ladder: timing wrong code, or running it on a GPU, teaches nothing
            self.done.add(item.name)
            reason = _("not run: a check of an earlier level failed")
            self.emit(CheckResult(item.name, level, Outcome.OPEN, reason))
            return True
        self.bench.calls.clear()
        self.bench.output.clear()
        self.emit(CheckStarted(item.name))
        self._began = time.perf_counter()
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
        """Turn the end of a phase into the check's result."""
        if item.name not in self.done:
            error = call.excinfo.value if call.excinfo else None
            if error is None and call.when == "call":
                error = self._settle()
            if error is not None or call.when == "call":
                self.done.add(item.name)
                result = self.result(item.name, error)
                if result.outcome in (Outcome.FAILED, Outcome.ERROR):
                    self._failed.add(LEVELS.index(result.level))
                self.emit(result)
        return (yield)

    def _settle(self) -> BaseException | None:
        """A check has passed only when no worker said anything unasked."""
        for learner in self._learners.values():
            try:
                learner._finish()
            except Exception as error:
                return error
        return None

    def result(self, name: str, error: BaseException | None) -> CheckResult:
        """What a check's end amounts to."""
        error = self.bench.over or unwrap(error)
        self.over = self.bench.over
        outcome, message, traceback = self.judge(error)
        counterexample = None
        if outcome in (Outcome.FAILED, Outcome.ERROR) and error is not None:
            shown = error if isinstance(error, CheckFailed) else CheckFailed("")
            counterexample = Counterexample(
                self.bench.calls.lines(), shown.got, shown.expected, shown.mismatch
            )
        return CheckResult(
            name=name,
            level=self.level(name),
            outcome=outcome,
            message=clean(message, MAX_MESSAGE),
            counterexample=counterexample,
            traceback=traceback,
            output=clean(self.bench.output.text()),
            seconds=time.perf_counter() - self._began,
            obstacle=obstacle(error) if outcome is Outcome.FAILED else "",
        )

    def judge(self, error: BaseException | None) -> tuple[Outcome, str, str]:
        """The outcome, the message and the learner's traceback for what ended a check."""
        match error:
            case None:
                return Outcome.PASSED, "", ""
            case Open():
                return Outcome.OPEN, str(error), ""
            case pytest.skip.Exception():
                return Outcome.OPEN, str(error.msg), ""
            case LearnerError():
                return Outcome.FAILED, str(error), error.traceback
            case CheckFailed() | LearnerDied() | RunOver():
                return Outcome.FAILED, str(error), ""
            case AssertionError():
                return Outcome.FAILED, str(error) or _("the condition of the check does not hold"), ""
            case TimingRefused():
                return Outcome.ERROR, str(error), ""
            case ProtocolError():
                return Outcome.ERROR, _("The run broke its contract: {why}").format(why=error), ""
        if self.bench.calls.answered:
            # the check's own code tripped over a value of an unexpected kind
            text = _("What your code returned could not be used: {error}").format(error=_brief(error))
            return Outcome.FAILED, text, ""
        return Outcome.ERROR, _("The check itself is broken: {error}").format(error=_brief(error)), ""

    def left_over(self) -> list[CheckResult]:
        """A result for each selected check that never ran, as the time was used up or the checks are broken."""
        reason = self.broken or _("not run: the time was used up")
        outcome = Outcome.ERROR if self.broken or not self.over else Outcome.FAILED
        return [CheckResult(n, self.level(n), outcome, reason) for n in self.selected if n not in self.done]

    # -- fixtures

    @pytest.fixture
    def learner(self, request: pytest.FixtureRequest) -> Any:
        """The learner's code by proxy; see docs/writing-exercises.md."""
        learner = self._learner(self.level(request.node.name))
        try:
            learner._load()
        except LearnerError as error:
            error.loading = True
            raise
        reseed()
        return learner

    def _learner(self, level: Level) -> Any:
        if level not in self._learners:
            self._learners[level] = self.bench.adapter.learner(self.bench, level)
        return self._learners[level]

    @pytest.fixture
    def rng(self, learner: Any) -> Any:
        """A numpy generator seeded by the kernel, after the learner's code was loaded."""
        import numpy as np

        return np.random.default_rng()

    @pytest.fixture
    def measure(self, request: pytest.FixtureRequest) -> Measure:
        """Records ratios and quantities."""
        return Measure(self.bench.emit, self.bench, self.level(request.node.name))

    def start(self) -> None:
        """Begin to load the learner's code for the first check; what is wrong with it is that check's to say."""
        with contextlib.suppress(ProtocolError, LearnerDied):
            self._learner(self.level(self.selected[0]))._start()

    def close(self) -> None:
        """End all workers."""
        for learner in self._learners.values():
            with contextlib.suppress(ProtocolError, LearnerDied):
                learner._close()


def unwrap(error: BaseException | None) -> BaseException | None:
    """The cause within hypothesis's wrappers (a flaky result is reported as a group)."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if error is not None and type(error).__name__.startswith("Flaky"):
        return CheckFailed(_("the same input gave different results in two calls"))
    return error


def _brief(error: BaseException | None) -> str:
    import traceback

    text = "".join(traceback.format_exception_only(error)).strip()
    frames = [
        f for f in traceback.extract_tb(error.__traceback__ if error else None) if "/checks/" in f.filename
    ]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return clean(text, 500) + where


def reseed() -> None:
    """Seed every generator that a check may draw from, afresh from the kernel.

    Forks of a warm parent would otherwise draw the same numbers, and the learner's code is loaded by now, so
    that nothing in it can have been made for them.
    """
    random.seed()
    if core := sys.modules.get("hypothesis.core"):
        # private, and moved between releases: a test demands that runs draw different examples
        for holder in (core, getattr(core, "threadlocal", None)):
            if hasattr(holder, "_hypothesis_global_random"):
                setattr(holder, "_hypothesis_global_random", random.Random())  # noqa: B010
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed(random.getrandbits(32))
    if "torch" in sys.modules:
        import torch

        # torch.manual_seed would seed every GPU too, for which it formats a stack each time
        torch.default_generator.manual_seed(random.getrandbits(62))
