"""One run in a forked checker: pytest over an exercise's checks, told as events."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.checking.bench import Bench
from mlsys_path.checking.events import CheckEvent, Finished
from mlsys_path.checking.languages import ADAPTERS
from mlsys_path.checking.plugin import CheckPlugin
from mlsys_path.checking.sandbox import Profile, Sandbox
from mlsys_path.roadmap.model import Exercise

SHRINK_SECONDS = 2
PYTEST_OPTIONS = (
    "-p", "no:cacheprovider",
    "-p", "no:terminal",
    "-p", "no:faulthandler",
    "-p", "no:capture",
    "-p", "no:doctest",
    "-p", "no:unittest",
    "-p", "no:junitxml",
    "-p", "no:warnings",
    "-p", "no:logging",
    "-p", "no:pastebin",
    "-p", "no:unraisableexception",
    "-p", "no:threadexception",
    "-p", "no:stepwise",
    "-p", "no:setuponly",
    "-p", "no:setupplan",
    "--assert=plain",
    "--import-mode=importlib",
    "--noconftest",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What the checker is asked to do; `selected` are the names of the checks to run.

    `files` gives the learner's files, by name. A checker that runs `ahead` collects the checks before it asks
    for them, as they may not have been sent yet.
    """

    exercise: Exercise
    folder: Path
    files: Callable[[], dict[str, bytes]]
    selected: tuple[str, ...]
    ahead: bool = False


def run_pytest(folder: Path, plugins: list[object]) -> int:
    """pytest over a folder of checks, with no configuration but ours; returns its exit code."""
    import pytest

    ini = Path(__file__).with_name("pytest.ini")
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        return int(
            pytest.main(
                [*PYTEST_OPTIONS, "-c", str(ini), "--rootdir", str(folder), str(folder)], plugins=plugins
            )
        )


def configure_hypothesis() -> None:
    """The profile of all checks."""
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.internal.conjecture import engine

    # a verdict in a blink is worth more than the very smallest input
    engine.MAX_SHRINKING_SECONDS = SHRINK_SECONDS
    settings.register_profile(
        "mlsys-path",
        max_examples=50,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    settings.load_profile("mlsys-path")


def run(
    job: Job, sandboxes: dict[Profile, Sandbox], warm: frozenset[Profile], emit: Callable[[CheckEvent], None]
) -> tuple[bool, frozenset[Profile]]:
    """Run the selected checks; returns whether the sandboxes are clean, and which of them were used."""
    began = 0.0
    bench = Bench(job.exercise, job.folder, {}, ADAPTERS[job.exercise.language], sandboxes, warm, emit)

    def begin() -> None:
        nonlocal began
        if not began:
            bench.files = job.files()
            began = time.perf_counter()
            plugin.start()

    plugin = CheckPlugin(bench, list(job.selected), emit, collected=begin)
    configure_hypothesis()
    if not job.ahead:
        begin()
    # files of checks/ may import one another: a model, generators
    sys.path.insert(0, str(job.folder / "checks"))
    code = run_pytest(job.folder / "checks", [plugin])
    begin()  # where nothing could be collected
    plugin.close()
    if not plugin.broken and not plugin.over and len(plugin.done) < len(job.selected):
        plugin.broken = f"pytest ended with code {code} before every check had run"
    for result in plugin.left_over():
        emit(result)
    # the verdict stands: ending a worker and emptying its folders, some 0.14 s, is nobody's to wait for
    emit(Finished(time.perf_counter() - began, plugin.broken))
    return bench.finish(), bench.used
