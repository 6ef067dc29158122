"""Every reference solution that is timed on a GPU, beside the bar and the star of its exercise, on this machine's GPU.

    python benchmarks/kernels.py [--json] [--minutes M] [--each SECONDS] [EXERCISE…]

One table: what was measured, the ratio to its baseline, the bar, the star's ratio and whether it was reached, per cent of
the roofline, and the time of one call. What there was no time for is named; name it on the command line to run it.
Exit code: 0, 1 when a reference solution did not pass, 3 without a GPU.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mlsys_path.calculators.quantities import SECONDS, show
from mlsys_path.calculators.report import cells
from mlsys_path.checking.events import CheckEvent, Measurement, Roofline
from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.cli.running import run
from mlsys_path.exercises.folder import read_files
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import Machine, inspect, module_version
from mlsys_path.machine.requirements import needs, open_because
from mlsys_path.roadmap.load import Roadmap, load
from mlsys_path.roadmap.model import Exercise

SCHEMA = 1
MINUTES, EACH = 7.0, 60.0  # 26 exercises take some fifteen seconds each
SETTLE = 3.0  # seconds
NO_GPU = 3
HEAD = ("exercise", "measurement", "ratio", "bar", "star at", "star", "roof", "time")
LEFT = 2  # columns that are text


@dataclass(frozen=True)
class Row:
    """One measurement of one exercise."""

    exercise: str
    measurement: str
    seconds: float
    ratio: float | None
    low: float | None
    high: float | None
    against: str
    bar: float | None
    star_bar: float | None
    star: bool | None
    roofline: Roofline | None

    @classmethod
    def of(cls, exercise: str, m: Measurement) -> Row:
        """From the event."""
        return cls(
            exercise,
            m.name,
            m.value,
            m.ratio,
            m.low,
            m.high,
            m.against,
            m.bar,
            m.star_bar,
            m.star,
            m.roofline,
        )

    def texts(self) -> tuple[str, ...]:
        """As the table shows it."""
        star = "" if self.star is None else "★" if self.star else "☆"
        return (
            self.exercise,
            self.measurement,
            _number(self.ratio),
            _number(self.bar),
            _number(self.star_bar),
            star,
            f"{self.roofline.fraction:.0%}" if self.roofline else "",
            show(self.seconds, SECONDS),
        )


@dataclass
class Report:
    """All that was found."""

    gpu: str
    driver: str
    torch: str
    triton: str
    date: str
    rows: list[Row] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # of each exercise's whole run
    failed: dict[str, str] = field(default_factory=dict)  # with what was said
    left_out: dict[str, str] = field(default_factory=dict)  # with why

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {"schema": SCHEMA, **asdict(self)}

    def text(self) -> str:
        """The table with what it was measured on above, and what is missing below."""
        lines = [
            f"{self.gpu}, driver {self.driver}, torch {self.torch}, triton {self.triton}, {self.date}",
            "",
            *table([HEAD, *(row.texts() for row in self.rows)]),
            "",
            f"{len(self.rows)} measurements of {len({row.exercise for row in self.rows})} exercises "
            f"in {sum(self.seconds.values()):.0f} s",
        ]
        lines += [f"FAILED {name}: {why}" for name, why in self.failed.items()]
        lines += [f"left out {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns, text to the left and numbers to the right."""
    widths = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        parts = []
        for i, (text, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cells(text))
            parts.append(text + gap if i < LEFT else gap + text)
        lines.append("  ".join(parts).rstrip())
    return lines


def on_a_gpu(roadmap: Roadmap, names: Sequence[str]) -> list[Exercise]:
    """The exercises that are timed on a GPU, all of them or those that are named."""
    chosen = [roadmap.exercise(name) for name in names] or list(roadmap.exercises.values())
    return [
        exercise
        for exercise in chosen
        if any(check.level is Level.FAST for check in exercise.checks.values())
        and any(need.kind == "gpu" for need in needs(exercise, Level.FAST))
    ]


async def measure(
    machine: Machine,
    roadmap: Roadmap,
    exercises: Sequence[Exercise],
    report: Report,
    minutes: float,
    each: float,
) -> None:
    """Run one after another, each alone on the machine, until the time is used up."""
    deadline = time.monotonic() + minutes * 60
    with Checker() as checker:
        for exercise in exercises:
            left = deadline - time.monotonic()
            if left < 1:
                report.left_out[exercise.id] = f"no time left of {minutes:g} min"
                continue
            if why := open_because(exercise, Level.FAST, machine):
                report.left_out[exercise.id] = why
                continue
            print(f"{exercise.id} …", file=sys.stderr, flush=True)
            began = time.monotonic()
            found: list[Row] = []
            try:
                async with asyncio.timeout(min(each, left)):
                    await _one(checker, machine, roadmap, exercise, report, found)
            except TimeoutError:
                report.left_out[exercise.id] = f"took more than {min(each, left):.3g} s"
            report.rows += found
            report.seconds[exercise.id] = time.monotonic() - began


async def _one(
    checker: Checker, machine: Machine, roadmap: Roadmap, exercise: Exercise, report: Report, found: list[Row]
) -> None:
    def told(event: CheckEvent) -> None:
        # registers and the like are measurements without a baseline
        if isinstance(event, Measurement) and event.ratio is not None:
            found.append(Row.of(exercise.id, event))

    folder = roadmap.folder(exercise.id)
    submission = Submission(exercise, folder, read_files(folder / "solution"))
    ran = await run(checker, machine, submission, frozenset({Level.FAST}), told)
    if ran.verdict.verdict is Outcome.OPEN:
        # a GPU seems busy for a moment after the run before
        await asyncio.sleep(SETTLE)
        ran = await run(checker, machine, submission, frozenset({Level.FAST}), told)
    if ran.verdict.verdict is Outcome.OPEN:
        report.left_out[exercise.id] = ran.verdict.open_because.get(Level.FAST) or ran.verdict.message
    elif ran.verdict.verdict is not Outcome.PASSED:
        first = ran.verdict.first_failure
        said = (first.message if first else ran.verdict.message).strip().partition("\n")[0]
        report.failed[exercise.id] = f"{ran.verdict.verdict}: {said}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Reference solutions timed on this machine's GPU.")
    parser.add_argument("exercises", nargs="*", metavar="EXERCISE", help="only these")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="M", help="for all of them")
    parser.add_argument("--each", type=float, default=EACH, metavar="SECONDS", help="at most for one of them")
    asked = parser.parse_args(arguments)
    machine = inspect()
    if not machine.gpus:
        print("there is no GPU on this machine: kernels are timed on one", file=sys.stderr)
        return NO_GPU
    gpu = machine.gpus[0]
    report = Report(
        gpu.name, gpu.driver, module_version("torch"), module_version("triton"), time.strftime("%Y-%m-%d")
    )
    roadmap = load()
    chosen = on_a_gpu(roadmap, asked.exercises)
    asyncio.run(measure(machine, roadmap, chosen, report, asked.minutes, asked.each))
    print(json.dumps(report.to_json(), ensure_ascii=False, indent=2) if asked.json else report.text())
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
