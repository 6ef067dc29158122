"""What a failure is known by, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlsys_path.triton_build.process import Outcome


@dataclass(frozen=True, slots=True)
class Facts:
    """How a step ended, beside its words."""

    outcome: Outcome | None = None
    disk_free_mb: int = 1 << 20
    memory_mb: int = 0

    @property
    def out_of_memory(self) -> bool:
        """The kernel ended a process for want of memory, or something ended one without asking."""
        return self.outcome is not None and (
            self.outcome.oom_kills > 0 or (self.outcome.signal == 9 and not self.outcome.stalled)
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A failure that is known; `{name}` in its texts is a group of the pattern that fitted."""

    name: str
    cause: str
    cure: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    shown: Callable[[Facts], bool] = lambda facts: False
    issues: tuple[int, ...] = ()
