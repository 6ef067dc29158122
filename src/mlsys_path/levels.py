"""The vocabulary of verdicts: what kind of evidence a pass rests on, and how a check can end."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """What a pass means, from the weakest evidence to the strongest."""

    CORRECT = "correct"  # right on every input tried, on a CPU
    COMPILES = "compiles"  # the real compiler took it for a named target
    GPU = "gpu"  # ran on a GPU and was right there
    FAST = "fast"  # at least the stated ratio of the stated baseline, timed in one run


class Outcome(StrEnum):
    """How one check, one level or one whole run ended."""

    PASSED = "passed"
    FAILED = "failed"  # the learner's code is wrong
    ERROR = "error"  # the run broke its contract: nothing can be said of the code
    OPEN = "open"  # this machine cannot check it: neither passed nor failed


LEVELS: tuple[Level, ...] = tuple(Level)


def highest_passed(levels: dict[Level, Outcome]) -> Level | None:
    """The strongest level that was reached, or None when none was."""
    return next((level for level in reversed(LEVELS) if levels.get(level) is Outcome.PASSED), None)
