"""Ratios of two times, taken in turn in one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from mlsys_path.checking.events import Measurement
from mlsys_path.checking.failures import CheckFailed
from mlsys_path.language import _

REPEATS = 11


class Measure:
    """The `measure` fixture."""

    def __init__(self, emit: Callable[[Measurement], None]) -> None:
        self._emit = emit

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
        self._emit(Measurement(name, mine, unit, theirs, ratio, low, high))
        if at_least is not None and ratio < at_least:
            raise CheckFailed(
                _(
                    "{name}: {ratio:.2f} × the baseline (spread {low:.2f}–{high:.2f}), asked for at least {bar:g} ×"
                ).format(name=name, ratio=ratio, low=low, high=high, bar=at_least)
            )
        return ratio

    def value(self, name: str, value: float, *, unit: str = "") -> None:
        """Record a plain quantity."""
        self._emit(Measurement(name, float(value), unit))
