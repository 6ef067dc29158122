"""What ninja says of its progress, and how long it still needs."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable

_LINE = re.compile(r"^\s*\[(\d+)/(\d+)\]\s*(.*)")
_WINDOW_STEPS = 24


def parse(line: str) -> tuple[int, int, str] | None:
    """ "[123/392] Building …" as numbers and text."""
    found = _LINE.match(line)
    if not found or int(found[1]) > int(found[2]):
        return None
    return int(found[1]), int(found[2]), found[3].strip()


class Pace:
    """How long the rest takes, by the pace of late.

    A build begins with hundreds of steps of milliseconds each (table generation), so the mean since the start promises
    far too much. What counts are the last two dozen steps, or the last twentieth of a build of many.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def eta(self, done: int, total: int) -> float | None:
        """Seconds for what is left; None before there is anything to go by."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # another ninja begins, as of a regenerated build
        self._seen.append((now, done))
        while len(self._seen) > 2 and done - self._seen[1][1] >= max(_WINDOW_STEPS, total // 20):
            self._seen.popleft()
        began, before = self._seen[0]
        if done == total:
            return 0.0
        if done == before or now - began < 1:
            return None
        return (total - done) * (now - began) / (done - before)
