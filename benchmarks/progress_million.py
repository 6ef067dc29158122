"""How long `progress` and `next` take to read a database of a million attempts, each as a whole process.

    python benchmarks/progress_million.py [--attempts N] [--exercises N] [--runs N] [--database FILE]

Prints, for each way to read, the median and the worst seconds of whole `python -c` processes, with the time that the same
process takes without the query; then the same of the commands themselves, over our own roadmap. `--database` keeps the
generated file for the next time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt, ClaimWord
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, attempt_to_row
from mlsys_path.progress.store import Store
from mlsys_path.roadmap.load import load

WORDS: tuple[ClaimWord, ...] = ("read", "none", "known")
BOUND = 0.2  # seconds, of a whole process
DAYS = 3 * 365
PRELUDE = "import click, pathlib; from mlsys_path.progress import queries; path = pathlib.Path({path!r})"
READS = {
    "nothing (python, click, imports)": "pass",
    "progress: statuses, claims, summary, attempts": (
        "queries.statuses(path=path); queries.claims(path=path); queries.summary(path=path); "
        "queries.attempts(limit=10, path=path)"
    ),
    "next: statuses, claims, track, hours": (
        "queries.statuses(path=path); queries.claims(path=path); queries.followed_track(path=path); "
        "queries.setting(queries.HOURS_SETTING, path=path)"
    ),
}
# what the program does when it is started so, with the database elsewhere than it would look
COMMAND = """
import pathlib
from mlsys_path import locations
locations.database_path = lambda: pathlib.Path({path!r})
from mlsys_path.cli.program import build
raise SystemExit(build().main([{command!r}], standalone_mode=False))
"""
COMMANDS = ("progress", "next")


def names(exercises: int) -> list[str]:
    """The ids of our exercises, and as many more as it takes."""
    return [*load().exercises, *(f"exercise-number-{n:03}" for n in range(exercises))][:exercises]


def attempts(count: int, exercises: int, seed: int = 1) -> Iterator[Attempt]:
    """Attempts of three years, most of them failed, on exercises of very different popularity."""
    draw, called = random.Random(seed), names(exercises)
    first = datetime.now(UTC) - timedelta(days=DAYS)
    for number in range(count):
        exercise = min(int(draw.expovariate(4 / exercises)), exercises - 1)
        passed = draw.random() < 0.2
        outcome = Outcome.PASSED if passed else Outcome.FAILED
        at = first + timedelta(days=DAYS) * (number / count)
        yield Attempt.new(
            exercise=called[exercise],
            started_at=at,
            seconds=draw.random(),
            verdict=outcome,
            levels={Level.CORRECT: outcome, Level.FAST: outcome}
            if exercise % 5 == 0
            else {Level.CORRECT: outcome},
            files_hash=f"{draw.getrandbits(256):064x}",
            exercise_hash=f"{exercise:064x}",
            measurements=({"name": "speed", "value": 0.1, "unit": "s", "ratio": draw.random() * 4},)
            if exercise % 5 == 0
            else (),
            machine="x86_64, 2 cores, 24 GB, no GPU, Linux 6.18",
            sandbox="bubblewrap",
            failing_check="" if passed else "test_matches_the_model",
            message="" if passed else "after 3 calls the cache held 2 entries, expected 3",
        )


def generate(path: Path, count: int, exercises: int) -> None:
    """Fill a database as the store would, without a sync at every attempt."""
    marks = ", ".join(f":{column}" for column in ATTEMPT_COLUMNS)
    statement = f"INSERT INTO attempts ({', '.join(ATTEMPT_COLUMNS)}) VALUES ({marks})"
    with Store.open(path) as store:
        store.set_setting("track", "gpu-kernels")
        store.set_setting("hours-per-week", "8")
        for number, exercise in enumerate(names(exercises)[::3]):
            store.record_event(exercise, "started")
            for word in WORDS:
                store.claim("topic", f"topic-number-{number:03}", word)
        with store.transaction() as database:
            database.conn.executemany(statement, (attempt_to_row(a) for a in attempts(count, exercises)))


def whole_process(code: str) -> float:
    """Seconds from starting a Python process to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Print the table; the exit code is 1 when a read takes longer than the bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--exercises", type=int, default=100)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--database", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.database or Path(folder, "progress.db")
        if not path.exists():
            began = time.perf_counter()
            generate(path, asked.attempts, asked.exercises)
            print(
                f"generated {asked.attempts:,} attempts in {time.perf_counter() - began:.0f} s, {path.stat().st_size >> 20} MiB"
            )
        return report(path, asked.runs)


def report(path: Path, runs: int) -> int:
    """Time every read and print one line each."""
    slow = 0
    codes = {name: f"{PRELUDE.format(path=str(path))}; {read}" for name, read in READS.items()}
    codes |= {f"mlsys-path {c}": COMMAND.format(path=str(path), command=c) for c in COMMANDS}
    for name, code in codes.items():
        times = [whole_process(code) for _ in range(runs)]
        median = statistics.median(times)
        slow += median > BOUND
        print(f"{name:<45} median {median:.3f} s   worst {max(times):.3f} s   bound {BOUND} s")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
