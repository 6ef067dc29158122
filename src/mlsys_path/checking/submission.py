"""From a learner's files to a request, and from a verdict to the attempt that is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mlsys_path.checking.events import Verdict
from mlsys_path.checking.session import CheckRequest
from mlsys_path.exercises.folder import exercise_hash, hash_files
from mlsys_path.levels import Level
from mlsys_path.machine.inspect import Machine, with_gpus, with_idle_gpus
from mlsys_path.machine.requirements import ON_GPU, open_because
from mlsys_path.progress.records import Attempt
from mlsys_path.roadmap.model import Exercise


@dataclass(frozen=True)
class Submission:
    """A learner's files of one exercise at one time."""

    exercise: Exercise
    folder: Path
    files: Mapping[str, bytes]

    def request(self, machine: Machine, *, only: frozenset[Level] | None = None) -> CheckRequest:
        """The run to be made here: levels that this machine cannot check are open, with why.

        Asks the GPUs, and before a timing waits some seconds for them to be idle: for a thread.
        """
        levels = {check.level for check in self.exercise.checks.values()}
        on_gpu = {level for level in levels & ON_GPU if only is None or level in only}
        if on_gpu:
            machine = with_idle_gpus(machine) if Level.FAST in on_gpu else with_gpus(machine)
        reasons = {level: open_because(self.exercise, level, machine) for level in levels}
        closed = {level: reason for level, reason in reasons.items() if reason}
        return CheckRequest(
            exercise=self.exercise,
            folder=self.folder,
            files=self.files,
            open_levels=closed,
            only=only,
            machine=machine.describe(
                on_gpus=max(1, self.exercise.needs.gpus) if on_gpu - closed.keys() else 0
            ),
        )

    def attempt(self, verdict: Verdict, started_at: datetime) -> Attempt:
        """What is stored of a verdict; `started_at` is in UTC."""
        first = verdict.first_failure
        return Attempt.new(
            exercise=self.exercise.id,
            started_at=started_at,
            seconds=verdict.seconds,
            verdict=verdict.verdict,
            levels=verdict.levels,
            files_hash=hash_files(self.files),
            exercise_hash=exercise_hash(self.folder),
            measurements=tuple(asdict(m) for m in verdict.measurements),
            machine=verdict.machine,
            sandbox=verdict.sandbox,
            failing_check=first.name if first else "",
            message=(first.message if first else verdict.message)[:2000],
        )
