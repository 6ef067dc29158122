"""`measure.kernel`: a function of the learner's timed against a baseline, call by call, every result verified.

The checker draws all inputs, computes all results that are expected and times the baseline in its own process; the
learner's function runs in theirs. docs/timing.md says what is defended against, and how.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlsys_path.checking.events import Measurement, Roofline
from mlsys_path.checking.failures import CheckFailed, Disturbed, TimingRefused
from mlsys_path.checking.remote import Link, Remote
from mlsys_path.checking.timing import judging, roofline
from mlsys_path.checking.timing.ceilings import Ceilings, ceilings_of
from mlsys_path.checking.timing.comparing import demand_close
from mlsys_path.checking.timing.judging import Seen, quantile
from mlsys_path.checking.timing.watched import Call, Inputs, Watched, Window, prepare
from mlsys_path.checking.worker.stopwatch import Clock, clock_of
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.bench import Bench
    from mlsys_path.checking.learner import PythonLearner

REPEATS, WARM_UPS, QUIET = 15, 3, 7
REMEMBERED = 2  # earlier results that a wrong one is compared with

Baseline = Literal["torch", "copy"] | Callable[..., Any]


@dataclass(frozen=True)
class Timing:
    """What `measure.kernel` found, for checks that ask for more than the ratio; seconds and bytes."""

    seconds: float
    baseline_seconds: float
    ratio: float
    peak_bytes: int  # allocated during a call, results included; 0 on a CPU
    baseline_peak_bytes: int
    roofline: Roofline


@dataclass(frozen=True)
class Task:
    """All that a check asks for."""

    name: str
    inputs: Callable[[], Sequence[Any]]
    reference: Callable[..., Any]
    baseline: Baseline
    moved: float
    flops: float
    dtype: str
    at_least: float | None
    star: float | None
    kwargs: Mapping[str, Any]
    inplace: Sequence[int]
    rtol: float | None
    atol: float | None
    repeats: int


@dataclass
class _Trial:
    """Calls of one kind and what they took."""

    calls: list[Call] = field(default_factory=list)

    @property
    def seen(self) -> list[Seen]:
        return [call.seen for call in self.calls]


class KernelTiming:
    """One measurement."""

    def __init__(self, bench: Bench, level: Level, learner: PythonLearner, task: Task) -> None:
        self.bench = bench
        self.level = level
        self.learner = learner
        self.task = task
        self.device = "cuda" if bench.on_gpu(level) else "cpu"
        self.clock = bench.shared("clock", lambda: own_clock(self.device))
        self.window: Window = bench.shared("window", Window)
        self.ceilings: Ceilings = bench.shared("ceilings", lambda: ceilings_of(self.clock))
        self.earlier: list[list[Any]] = []

    def run(self, function: str | Remote) -> Timing:
        """Everything, up to the verdict on the time; emits the measurement."""
        return undisturbed(self.bench, lambda: self._once(function))

    def _once(self, function: str | Remote) -> Timing:
        began, spent = time.monotonic(), 0.0
        # no process of the learner's may run while quiet calls show what is usual
        self.learner.restart()
        first = self._draw()
        expected = self._expected(first)
        baseline = self._baseline()
        alone = [self._time_baseline(baseline).seconds for _ in range(QUIET)]
        quiet = self._quiet(first, expected)
        self.bench.extend(time.monotonic() - began)

        learner_began = time.monotonic()
        link = self.learner._link()
        watched = Watched(link, self.device, self.window)
        if watched.facts().get("uuid") != self.clock.facts["uuid"]:
            raise TimingRefused(_("the learner's process sees another GPU than the checker"))
        handle = self._function(function)
        watched.begin(handle, self.task.kwargs, first, expected, self.task.inplace)
        doing = _("a timed call of {name}").format(name=handle._name or self.task.name)
        for _turn in range(WARM_UPS):
            _call, own = self._learner_call(watched, doing)
            spent += own
        self.bench.extend(time.monotonic() - learner_began - spent)
        trial, others = _Trial(), []
        for turn in range(self.task.repeats):
            turn_began = time.monotonic()
            # the order alternates too, so that neither always runs on the other's heels
            if turn % 2:
                others.append(self._time_baseline(baseline))
            call, own = self._learner_call(watched, doing)
            if not turn % 2:
                others.append(self._time_baseline(baseline))
            trial.calls.append(call)
            self.bench.extend(time.monotonic() - turn_began - own)
        self._believe(trial, quiet, [o.seconds for o in others], alone)
        leaves_work = watched.leaves_work(first)
        self.learner.restart()
        if leaves_work:
            raise TimingRefused(
                _("{name}: a stream that your code uses is not joined: wait for it before you return").format(
                    name=self.task.name
                )
            )
        return self._tell(trial, others)

    # -- the parts

    def _draw(self) -> Inputs:
        import torch

        with torch.device(self.device):
            values = self.task.inputs()
        return prepare(values if isinstance(values, list | tuple) else (values,), self.device)

    def _expected(self, inputs: Inputs) -> list[Any]:
        values = _copies(inputs.values)
        return [t.detach() for t in _tensors(self.task.reference(*values, **self.task.kwargs))]

    def _baseline(self) -> Callable[[Inputs], Callable[[], Any]]:
        import torch

        chosen = self.task.baseline
        if chosen == "copy":
            half = max(1, int(self.task.moved) // 2)
            source = torch.ones(half, dtype=torch.uint8, device=self.device)
            target = torch.empty_like(source)
            return lambda _inputs: lambda: target.copy_(source)
        what: Callable[..., Any] = self.task.reference if chosen == "torch" else chosen
        return lambda inputs: lambda: what(*inputs.values, **self.task.kwargs)

    def _time_baseline(self, baseline: Callable[[Inputs], Callable[[], Any]]) -> Other:
        import torch

        # a copy asks for no inputs, whatever they are
        inputs = Inputs(()) if self.task.baseline == "copy" else self._draw()
        call = baseline(inputs)
        self.clock.heat()
        start = 0
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            start = torch.cuda.memory_allocated()
        timed = self.clock.timed(call, lambda _result: None, False)
        peak = torch.cuda.max_memory_allocated() - start if self.device == "cuda" else 0
        return Other(timed.seconds, peak)

    def _quiet(self, inputs: Inputs, expected: Sequence[Any]) -> list[Seen]:
        """What a call that does nothing looks like from here, in a process without the learner's code."""
        link = Link(
            self.bench.box(self.level), {}, self.learner._device(), self.bench.calls, data_limit=False
        )
        try:
            watched = Watched(link, self.device, self.window)
            watched.begin(None, {}, inputs, expected, ())
            calls = [watched.call(inputs, expected, _("the timing")) for _n in range(QUIET + 2)]
        finally:
            link.close()
        return [call.seen for call in calls[2:]]

    def _function(self, function: str | Remote) -> Remote:
        handle = function
        if isinstance(function, str):
            module, _colon, name = function.rpartition(":")
            handle = getattr(self.learner.harness(module) if module else self.learner, name)
        if not isinstance(handle, Remote) or not handle._callable:
            raise CheckFailed(_("`{name}` is no function").format(name=function))
        return handle

    def _learner_call(self, watched: Watched, doing: str) -> tuple[Call, float]:
        """One verified call, and the seconds of it that are the learner's own."""
        inputs = self._draw()
        expected = self._expected(inputs)
        call = watched.call(inputs, expected, doing)
        if why := judging.named([call.seen]):
            raise TimingRefused(why)
        demand_close(call.outputs, expected, self.earlier, rtol=self.task.rtol, atol=self.task.atol)
        self.earlier = [*self.earlier, expected][-REMEMBERED:]
        call.outputs.clear()
        return call, call.seen.wall

    def _believe(
        self, trial: _Trial, quiet: Sequence[Seen], others: Sequence[float], alone: Sequence[float]
    ) -> None:
        floor = judging.floor_seconds(
            self.task.moved, self.task.flops, self.ceilings.bandwidth, self.ceilings.peak(self.task.dtype)
        )
        slack = judging.SLACK[self.device]
        debug(self.task.name, trial.seen, quiet, floor)
        if why := judging.refusal(trial.seen, quiet, floor, slack):
            raise TimingRefused(f"{self.task.name}: {why}")
        if why := judging.disturbance(trial.seen, quiet, slack) or judging.company(others, alone, slack):
            raise Disturbed(f"{self.task.name}: {why}")

    def _tell(self, trial: _Trial, others: Sequence[Other]) -> Timing:
        task = self.task
        mine = quantile([s.seconds for s in trial.seen], 0.5)
        theirs = quantile([o.seconds for o in others], 0.5)
        pairs = [o.seconds / s.seconds for o, s in zip(others, trial.seen, strict=True)]
        where = roofline.place(
            mine,
            moved=task.moved,
            flops=task.flops,
            bandwidth=self.ceilings.bandwidth,
            peak=self.ceilings.peak(task.dtype),
            dtype=task.dtype,
            device=self.ceilings.device,
        )
        ratio = theirs / mine
        self.bench.emit(verdict(task, mine, theirs, pairs, where))
        demand_bar(task.name, ratio, pairs, task.at_least)
        peaks = max(c.peak for c in trial.calls), max(o.peak for o in others)
        return Timing(mine, theirs, ratio, *peaks, where)


@dataclass(frozen=True)
class Other:
    """One call of a baseline."""

    seconds: float
    peak: int


def verdict(
    task: Any, mine: float, theirs: float, pairs: Sequence[float], where: Roofline | None
) -> Measurement:
    """What is recorded of a timing; its spread is that of the middle four fifths of the pairs' own ratios."""
    ratio = theirs / mine
    return Measurement(
        task.name,
        mine,
        "s",
        theirs,
        ratio,
        quantile(pairs, 0.1),
        quantile(pairs, 0.9),
        against=task.baseline
        if isinstance(task.baseline, str)
        else getattr(task.baseline, "__name__", "baseline"),
        bar=task.at_least,
        star_bar=task.star,
        star=None if task.star is None else ratio >= task.star,
        roofline=where,
    )


def undisturbed(bench: Bench, once: Callable[[], Timing]) -> Timing:
    """A timing that is made again when something ran beside it: others are gone by then, work of the learner's is not."""
    began = time.monotonic()
    with contextlib.suppress(Disturbed):
        return once()
    bench.extend(time.monotonic() - began)
    return once()


def debug(name: str, seen: Sequence[Seen], quiet: Sequence[Seen], floor: float) -> None:
    """What the decision rests on, for those who ask for it."""
    if os.environ.get("MLSYS_PATH_DEBUG"):
        os.write(2, f"{name}\n{judging.explain(seen, quiet, floor)}\n".encode())


def demand_bar(name: str, ratio: float, pairs: Sequence[float], bar: float | None) -> None:
    """Raise CheckFailed below the bar."""
    if bar is not None and ratio < bar:
        raise CheckFailed(
            _(
                "{name}: {ratio:.2f} × the baseline (spread {low:.2f}–{high:.2f}), asked for at least {bar:g} ×"
            ).format(name=name, ratio=ratio, low=quantile(pairs, 0.1), high=quantile(pairs, 0.9), bar=bar)
        )


def own_clock(device: str) -> Clock:
    """The checker's own clock of a device."""
    import torch

    clock = clock_of(device)
    if device == "cuda":
        # a fresh process would draw the same numbers as any other
        torch.cuda.manual_seed(random.SystemRandom().getrandbits(62))
    return clock


def _copies(values: Sequence[Any]) -> list[Any]:
    """Arguments that a function may change without changing what the learner gets."""
    import torch

    return [
        v.detach().clone().requires_grad_(v.requires_grad) if isinstance(v, torch.Tensor) else v
        for v in values
    ]


def _tensors(value: Any) -> list[Any]:
    import torch

    found = list(value) if isinstance(value, list | tuple) else [value]
    wrong = [type(v).__name__ for v in found if not isinstance(v, torch.Tensor)]
    if wrong:
        raise TypeError(f"a reference returns tensors, not {wrong[0]}")
    return found
