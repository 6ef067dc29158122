"""Save to verdict: a warm check of `triton-vector-add` at level `correct`, side by side with a cold pytest of the same.

    python benchmarks/check_latency.py [RUNS]

warm     from the request to the verdict, in the sandbox, by a checker that is already warm (what watch mode and the
         TUI do on a save)
cold     `python -m pytest` of the same checks on the same files, without a sandbox, as a whole process
c        a C check that builds and runs one program, beside gcc alone
Both alternate in one run. Asserts nothing: prints medians and ratios.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlsys_path.checking.bench import harness_files
from mlsys_path.checking.session import Checker, CheckRequest
from mlsys_path.checking.toolchains import TOOLCHAINS
from mlsys_path.checking.verdict import Tally
from mlsys_path.exercises.folder import read_files
from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.model import Check, Exercise

EXERCISE = "triton-vector-add"


async def once(checker: Checker, request: CheckRequest) -> tuple[float, Outcome]:
    """Seconds from the request to the verdict, and the verdict."""
    began = time.perf_counter()
    tally = Tally(request.exercise.id)
    async for event in checker.check(request):
        tally.add(event)
    return time.perf_counter() - began, tally.verdict().verdict


def cold(folder: Path, learner: Path, module: str, selected: list[str]) -> float:
    """Seconds of a whole pytest process over the same checks."""
    here = Path(__file__).resolve().parent
    environment = {
        **os.environ,
        "PYTHONPATH": str(here),
        "TRITON_INTERPRET": "1",
        "LEARNER": str(learner),
        "MODULE": module,
        "SELECTED": ",".join(selected),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(learner / ".hypothesis"),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "in_process",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
    ]
    command += ["--rootdir", str(folder), str(folder / "checks")]
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=learner)
    return time.perf_counter() - began


async def main(runs: int) -> None:
    """Measure and print."""
    roadmap = load()
    exercise, folder = roadmap.exercise(EXERCISE), roadmap.folder(EXERCISE)
    files = read_files(folder / "solution")
    selected = [name for name, check in exercise.checks.items() if check.level is Level.CORRECT]
    request = CheckRequest(exercise, folder, files, only=frozenset({Level.CORRECT}))
    warm_times, cold_times = [], []
    with Checker() as checker, tempfile.TemporaryDirectory() as scratch:
        learner = Path(scratch)
        for name, data in {**files, **harness_files(folder)}.items():
            (learner / name).write_bytes(data)
        first, _ = await once(checker, request)
        for i in range(runs):
            seconds, verdict = await once(checker, request)
            if verdict is not Outcome.PASSED:
                sys.exit(f"the reference solution did not pass: {verdict}")
            warm_times.append(seconds)
            if i % 4 == 0:
                cold_times.append(cold(folder, learner, Path(exercise.files[0]).stem, selected))
    warm, slow = statistics.median(warm_times), statistics.median(cold_times)
    ordered = sorted(warm_times)
    print(f"{EXERCISE}, level correct, {len(selected)} checks, {runs} warm runs, {len(cold_times)} cold runs")
    print(f"  first check of a cold program   {first:7.3f} s")
    print(
        f"  warm, p50                       {warm:7.3f} s   (p10 {ordered[runs // 10]:.3f}, p90 {ordered[-1 - runs // 10]:.3f})"
    )
    print(f"  cold python -m pytest, p50      {slow:7.3f} s")
    print(f"  ratio cold / warm               {slow / warm:7.1f} ×")
    await native(max(5, runs // 2))


async def native(runs: int) -> None:
    """A C check that builds and runs one program, beside the time that gcc alone takes for it."""
    text = Text("C", "C")
    exercise = Exercise(
        "c", text, text, "c", ("sum.c",), 1, 1, checks={"test_sum": Check(text)}, hints=(text,)
    )
    with Checker() as checker, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, source in SOURCES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(source)
        files = {"sum.c": (folder / "harness" / "sum.txt").read_bytes()}
        (folder / "sum.c").write_bytes(files["sum.c"])
        request = CheckRequest(exercise, folder, files)
        command = TOOLCHAINS["c"].build(["sum.c", "harness/main.c"], [], "program")
        await once(checker, request)
        whole, alone = [], []
        for _ in range(runs):
            seconds, verdict = await once(checker, request)
            if verdict is not Outcome.PASSED:
                sys.exit(f"the C check did not pass: {verdict}")
            whole.append(seconds)
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True)
            alone.append(time.perf_counter() - began)
    total, gcc = statistics.median(whole), statistics.median(alone)
    print(f"a C check that builds one program and runs it once, {runs} runs")
    print(f"  warm, p50                       {total:7.3f} s")
    print(f"  gcc alone, p50                  {gcc:7.3f} s")
    print(f"  on top of the compiler          {total - gcc:7.3f} s")


SOURCES = {
    "checks/test_sum.py": """
from mlsys_path.checking.testing import assert_equal

def test_sum(learner, rng):
    numbers = rng.integers(0, 1000, 100)
    done = learner.build("sum.c", "main.c").run(stdin="\\n".join(map(str, numbers)).encode())
    assert_equal(int(done.stdout), int(numbers.sum()))
""",
    "harness/main.c": """
#include <stdio.h>
long sum(const int *x, int n);
int main(void) {
    int x[1000], n = 0;
    while (n < 1000 && scanf("%d", &x[n]) == 1) n++;
    printf("%ld\\n", sum(x, n));
    return 0;
}
""",
    "harness/sum.txt": "long sum(const int *x, int n) { long s = 0; while (n--) s += *x++; return s; }\n",
}


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
