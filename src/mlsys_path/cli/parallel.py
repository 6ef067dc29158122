"""Many runs at once, within the machine's cores and memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from mlsys_path.levels import Level
from mlsys_path.machine.records import Machine
from mlsys_path.machine.requirements import open_because
from mlsys_path.roadmap.model import Exercise

RESERVED_MB = 1024  # for the system, this program and the checkers


class Budget:
    """Cores and megabytes that runs take from and give back to.

    A run that wants more than there is gets all of it, and so runs alone.
    """

    def __init__(self, cores: int, memory_mb: int) -> None:
        self.cores = max(1, cores)
        self.memory_mb = max(1, memory_mb)
        self._free_cores = self.cores
        self._free_mb = self.memory_mb
        self._changed = asyncio.Condition()

    @classmethod
    def of_machine(cls, jobs: int | None = None) -> Budget:
        """What this machine has free, or `jobs` runs at a time."""
        import psutil

        available = psutil.virtual_memory().available >> 20
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(jobs or usable, available - RESERVED_MB)

    @contextlib.asynccontextmanager
    async def share(self, exercise: Exercise, machine: Machine | None = None) -> AsyncIterator[None]:
        """Wait for what one run of an exercise wants, hold it inside, give it back.

        On a `machine` that cannot check its speed a run is like any other.
        """
        cores, memory_mb = (
            min(self.cores_of(exercise, machine), self.cores),
            min(exercise.limits.memory_mb, self.memory_mb),
        )
        async with self._changed:
            await self._changed.wait_for(lambda: cores <= self._free_cores and memory_mb <= self._free_mb)
            self._free_cores -= cores
            self._free_mb -= memory_mb
        try:
            yield
        finally:
            # shielded, as a cancelled run must give its share back too
            await asyncio.shield(self._give_back(cores, memory_mb))

    async def _give_back(self, cores: int, memory_mb: int) -> None:
        async with self._changed:
            self._free_cores += cores
            self._free_mb += memory_mb
            self._changed.notify_all()

    def cores_of(self, exercise: Exercise, machine: Machine | None = None) -> int:
        """The cores that a run wants: a run that is timed gets the machine for itself."""
        timed = any(check.level is Level.FAST for check in exercise.checks.values())
        if timed and (machine is None or not open_because(exercise, Level.FAST, machine)):
            return self.cores
        return 2 if exercise.language in ("mpi", "distributed") else 1
