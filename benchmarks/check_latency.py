"""Save to verdict: a warm check of `triton-vector-add` at level `correct`, side by side with a cold pytest of the same.

    python benchmarks/check_latency.py [RUNS]

save     from writing the file to the printed verdict of `mlsys-path check --watch`, its attempt stored
warm     from the request to the verdict, in the sandbox, by a checker that is already warm: what a save costs the TUI
cold     `python -m pytest` of the same checks on the same files, without a sandbox, as a whole process
c        a C check that builds and runs one program, beside gcc alone
They alternate in one run. Asserts nothing: prints medians and ratios.
"""

from __future__ import annotations

import asyncio
import os
import signal
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


class Watch:
    """`mlsys-path check --watch` on the exercise, in a home of its own."""

    def __init__(self, home: Path, files: dict[str, bytes]) -> None:
        environment = {
            **os.environ,
            "MLSYS_PATH_HOME": str(home),
            "PYTHONUNBUFFERED": "1",
            "MLSYS_PATH_LANG": "en",
        }
        mlsys_path = [sys.executable, "-m", "mlsys_path"]
        subprocess.run([*mlsys_path, "start", EXERCISE], env=environment, check=True, capture_output=True)
        self.folder = home / "workspace" / EXERCISE
        self.files = files
        self.saves = 0
        self.save()
        self.process = subprocess.Popen(
            [*mlsys_path, "check", EXERCISE, "--level", "correct", "--watch"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.verdict()

    def save(self) -> None:
        """Write the files, each time a little different."""
        self.saves += 1
        for name, data in self.files.items():
            (self.folder / name).write_bytes(data + f"# {self.saves}\n".encode())

    def verdict(self) -> None:
        """Wait until a verdict has been printed."""
        assert self.process.stdout is not None
        seen = ""
        while "watching" not in seen:
            seen = self.process.stdout.readline() or sys.exit("the watch has ended")
            if "failed" in seen:
                sys.exit(f"the reference solution did not pass: {seen}")

    def once(self) -> float:
        """Seconds from a save to its verdict."""
        began = time.perf_counter()
        self.save()
        self.verdict()
        return time.perf_counter() - began

    def close(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


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
    save_times, warm_times, cold_times = [], [], []
    with Checker() as checker, tempfile.TemporaryDirectory() as scratch:
        learner, home = Path(scratch) / "learner", Path(scratch) / "home"
        learner.mkdir()
        watch = Watch(home, files)
        for name, data in {**files, **harness_files(folder)}.items():
            (learner / name).write_bytes(data)
        first, _ = await once(checker, request)
        for i in range(runs):
            seconds, verdict = await once(checker, request)
            if verdict is not Outcome.PASSED:
                sys.exit(f"the reference solution did not pass: {verdict}")
            warm_times.append(seconds)
            save_times.append(watch.once())
            if i % 4 == 0:
                cold_times.append(cold(folder, learner, Path(exercise.files[0]).stem, selected))
        watch.close()
    slow = statistics.median(cold_times)
    print(
        f"{EXERCISE}, level correct, {len(selected)} checks, {runs} runs, {len(cold_times)} of them cold too"
    )
    print(f"  first check of a cold program   {first:7.3f} s")
    print(f"  cold python -m pytest, p50      {slow:7.3f} s")
    for name, times in (("save to verdict, p50", save_times), ("request to verdict, p50", warm_times)):
        ordered = sorted(times)
        p10, p50, p90 = (ordered[int(q * (runs - 1))] for q in (0.1, 0.5, 0.9))
        print(f"  {name:30}  {p50:7.3f} s   (p10 {p10:.3f}, p90 {p90:.3f})   cold / warm {slow / p50:5.1f} ×")
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
