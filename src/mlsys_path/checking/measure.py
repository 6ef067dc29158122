"""Ratios of two times, taken in turn in one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.events import Measurement
from mlsys_path.checking.failures import CheckFailed
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.bench import Bench
    from mlsys_path.checking.native import Program
    from mlsys_path.checking.remote import Remote
    from mlsys_path.checking.timing.kernel import Baseline, Timing

REPEATS = 11


class Measure:
    """The `measure` fixture."""

    def __init__(
        self, emit: Callable[[Measurement], None], bench: Bench | None = None, level: Level = Level.FAST
    ) -> None:
        self._emit = emit
        self._bench = bench
        self._level = level

    def ratio(
        self,
        name: str,
        *,
        candidate: Callable[[], float],
        baseline: Callable[[], float],
        at_least: float | None = None,
        unit: str = "s",
        repeats: int = REPEATS,
    ) -> float:
        """Median baseline time over median candidate time; both are called in turn, `repeats` times.

        Each callable does one timed call and returns its seconds by the checker's clock. The spread that is
        recorded is that of the middle four fifths of the pairs' own ratios. Raises CheckFailed below `at_least`.
        """
        candidate(), baseline()  # the first calls pay for page faults and caches
        pairs = []
        for i in range(repeats):
            # the order alternates too, so that neither always runs on the other's warm caches
            if i % 2:
                slow, quick = baseline(), candidate()
            else:
                quick, slow = candidate(), baseline()
            pairs.append((quick, slow))
        mine = statistics.median(quick for quick, _slow in pairs)
        theirs = statistics.median(slow for _quick, slow in pairs)
        ratio = theirs / mine
        each = sorted(slow / quick for quick, slow in pairs)
        cut = len(each) // 10
        low, high = each[cut], each[-1 - cut]
        self._emit(Measurement(name, mine, unit, theirs, ratio, low, high, bar=at_least))
        if at_least is not None and ratio < at_least:
            raise CheckFailed(
                _(
                    "{name}: {ratio:.2f} × the baseline (spread {low:.2f}–{high:.2f}), asked for at least {bar:g} ×"
                ).format(name=name, ratio=ratio, low=low, high=high, bar=at_least)
            )
        return ratio

    def kernel(
        self,
        name: str,
        learner: Any,
        function: str | Remote,
        *,
        inputs: Callable[[], Sequence[Any]],
        reference: Callable[..., Any],
        baseline: Baseline = "torch",
        bytes: float,
        flops: float = 0.0,
        dtype: str = "float32",
        at_least: float | None = None,
        star: float | None = None,
        kwargs: Mapping[str, Any] | None = None,
        inplace: Sequence[int] = (),
        rtol: float | None = None,
        atol: float | None = None,
        repeats: int | None = None,
    ) -> Timing:
        """Time a function of the learner's against a baseline, and verify every result.

        Args:
            name: of the measurement, with shape and dtype.
            learner: the fixture of a Python-like language.
            function: of the learner's module, or "drive:name" for one of harness/drive.py.
            inputs: draws the arguments of one call; called for each, on the device, so make no generator of your own.
            reference: the trusted result for these arguments: a tensor or several.
            baseline: "torch" times `reference`, "copy" a copy that moves `bytes`, else a callable that is given the inputs.
            bytes: that must cross the memory at least, reads and writes.
            flops: that must be done at least; 0 for a kernel that only moves data.
            dtype: whose rate of matrix products is the peak.
            at_least: the exercise's bar, as baseline time / learner's time.
            star: the ratio that the reference solution reaches.
            kwargs: given to the function, the reference and a baseline alike.
            inplace: arguments that the function changes; they count as results, behind those that it returns.
            rtol: of the comparison; by default that of the result's dtype.
            atol: likewise.
            repeats: timed calls of each.

        Raises:
            CheckFailed: a result is wrong, or the ratio below the bar.
            TimingRefused: the time cannot be believed.
        """
        from mlsys_path.checking.timing.kernel import REPEATS as CALLS
        from mlsys_path.checking.timing.kernel import KernelTiming, Task

        if self._bench is None:
            raise RuntimeError("measure.kernel needs a run")
        task = Task(
            name, inputs, reference, baseline, float(bytes), float(flops), dtype, at_least, star,
            kwargs or {}, inplace, rtol, atol, repeats or CALLS,
        )  # fmt: skip
        return KernelTiming(self._bench, self._level, learner, task).run(function)

    def program(
        self,
        name: str,
        program: Program,
        *args: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        reference: Callable[..., Any],
        baseline: Baseline = "torch",
        bytes: float,
        flops: float = 0.0,
        dtype: str = "float32",
        at_least: float | None = None,
        star: float | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        repeats: int | None = None,
    ) -> Timing:
        """Time a CUDA C++ harness that calls `timing::serve` of timing.cuh, and verify every result.

        Args:
            name: of the measurement.
            program: built from the harness's main.cu and the learner's sources.
            args: of the program; the harness reads them with `call.arg(i)`, the first is `call.arg(1)`.
            inputs: ("float32", n) for n numbers from -1 to below 1, ("int32", n, low, high) for others.
            outputs: ("float32", n) likewise.
            reference: the trusted results for flat tensors of the inputs; their shape does not matter.
            baseline: as of `kernel`; a callable is given the flat inputs.
            bytes: as of `kernel`, and so are all others.
            flops: …
            dtype: …
            at_least: …
            star: …
            rtol: …
            atol: …
            repeats: …

        Raises:
            CheckFailed: a result is wrong, or the ratio below the bar.
            TimingRefused: the time cannot be believed.
        """
        from mlsys_path.checking.timing.kernel import REPEATS as CALLS
        from mlsys_path.checking.timing.program import Array, ProgramTask, ProgramTiming

        if self._bench is None:
            raise RuntimeError("measure.program needs a run")
        task = ProgramTask(
            name, [Array.of(a) for a in inputs], [Array.of(a) for a in outputs], reference, baseline,
            float(bytes), float(flops), dtype, at_least, star, rtol, atol, repeats or CALLS,
        )  # fmt: skip
        return ProgramTiming(self._bench, self._level, task).run(program, args)

    def resources(self, *kernels: Any) -> None:
        """Record registers, spills and shared memory of compiled kernels; of several of one name the most."""
        most: dict[str, list[int]] = {}
        for kernel in kernels:
            name = f"{kernel.name} {getattr(kernel, 'target', '')}".rstrip()
            mine = [kernel.registers, kernel.spills, kernel.shared]
            most[name] = [max(pair) for pair in zip(mine, most.get(name, mine), strict=True)]
        for name, (registers, spills, shared) in most.items():
            self.value(f"{name}: registers per thread", registers)
            self.value(f"{name}: spilled per thread", spills, unit="B")
            self.value(f"{name}: shared memory per block", shared, unit="B")

    def value(self, name: str, value: float, *, unit: str = "") -> None:
        """Record a plain quantity."""
        self._emit(Measurement(name, float(value), unit))
