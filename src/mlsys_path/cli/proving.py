"""The runs that prove exercises: solutions, starters and wrong solutions, side by side but for what is timed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlsys_path.checking.events import Verdict
from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.cli.many import run_many
from mlsys_path.cli.parallel import Budget
from mlsys_path.cli.running import run
from mlsys_path.exercises.verification import Report, Run, verify
from mlsys_path.language import _
from mlsys_path.levels import LEVELS, Level, Outcome
from mlsys_path.machine.inspect import Machine, with_gpus
from mlsys_path.machine.requirements import open_because
from mlsys_path.roadmap.model import Exercise


async def verify_all(
    exercises: Sequence[tuple[Exercise, Path]],
    machine: Machine,
    jobs: int | None,
    repeat: int,
    level: Level | None,
    *,
    tell: Callable[[Report], str] | None,
) -> list[Report]:
    """Verify exercises with their folders, on `jobs` runs at a time or as many as the machine has room for.

    `tell` makes the line that is printed when an exercise is done.
    """
    budget, seen = Budget.of_machine(jobs), with_gpus(machine)
    with Checker() as checker:

        async def once(
            folder: Path, exercise: Exercise, files: Mapping[str, bytes], last: Level | None
        ) -> Run:
            made: list[Run] = []
            for part in _parts(exercise, last, seen):
                async with budget.share(_only(exercise, part), seen):
                    ran = await run(
                        checker, machine, Submission(exercise, folder, files), part, lambda _event: None
                    )
                made.append(_made(ran.verdict, part))
                if made[-1].failing_check or made[-1].verdict is Outcome.ERROR:
                    break
            return _joined(made)

        return await run_many(
            [
                functools.partial(
                    verify, exercise, folder, functools.partial(once, folder), repeat=repeat, level=level
                )
                for exercise, folder in exercises
            ],
            tell=tell,
            label=_("verifying"),
        )


def _parts(exercise: Exercise, last: Level | None, machine: Machine) -> list[frozenset[Level]]:
    """The levels of each run up to a level: what is timed has the machine for itself, what comes before shares it."""
    levels = frozenset(LEVELS if last is None else LEVELS[: LEVELS.index(last) + 1])
    present = levels & {check.level for check in exercise.checks.values()}
    before = levels - {Level.FAST}
    if present <= before or not present & before or open_because(exercise, Level.FAST, machine):
        return [levels]
    return [before, frozenset({Level.FAST})]


def _only(exercise: Exercise, levels: frozenset[Level]) -> Exercise:
    """An exercise without the checks that are not asked for: what a run of it takes."""
    checks = {name: check for name, check in exercise.checks.items() if check.level in levels}
    return dataclasses.replace(exercise, checks=checks)


def _made(verdict: Verdict, levels: frozenset[Level]) -> Run:
    first = verdict.first_failure
    return Run(
        verdict=verdict.verdict,
        failing_check=first.name if first else "",
        message=first.message if first else verdict.message,
        open_because={level: why for level, why in verdict.open_because.items() if level in levels},
        seconds=verdict.seconds,
    )


def _joined(runs: Sequence[Run]) -> Run:
    """Runs of one exercise, each of later levels than the one before it, as one."""
    return dataclasses.replace(
        runs[-1],
        open_because={level: why for one in runs for level, why in one.open_because.items()},
        seconds=sum(one.seconds for one in runs),
    )
