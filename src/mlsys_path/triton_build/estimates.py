"""What a step will take: learned from what it took before, else measured elsewhere, else not known."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlsys_path.triton_build.events import Estimate
from mlsys_path.triton_build.layout import Layout

_LAST_RUNS = 5
_HISTORIES = 20  # neighbours that are looked at

# one build by hand: 2 cores, 24 GB, Debian 12, LLVM/MLIR 22 of Debian's packages, one precompiled header
_LIBTRITON_CPU_SECONDS = 1152.0
_MEASURED = {
    ("libtriton", "system"): Estimate(None, 300, 1290, "measured"),
    ("libtriton", "prebuilt"): Estimate(None, 300, 1290, "measured"),
    ("libtriton", "source"): Estimate(None, 300, 1290, "measured"),
    ("llvm", "system"): Estimate(2.0, 1, 100, "measured"),
    # in the order of: 5,000 steps, of which a core does about one in three seconds
    ("llvm", "source"): Estimate(None, 30_000, 2000, "measured"),
}
_LLVM_SOURCE_CPU_SECONDS = 15_000.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run of a step took; only whole ones, from nothing to the end, are learned from."""

    step: str
    project: str
    llvm: str
    jobs: int
    seconds: float
    disk_mb: int
    peak_mb: int
    at: float = 0.0


def remember(layout: Layout, taken: Taken) -> None:
    """Add a line to the history of this folder."""
    line = json.dumps({**asdict(taken), "at": time.time()})
    with layout.history.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def estimate(layout: Layout, step: str, project: str, llvm: str, jobs: int) -> Estimate:
    """What a step is expected to take here, with so many jobs."""
    known = [
        taken
        for taken in _histories(layout)
        if (taken.step, taken.project) == (step, project) and (taken.llvm == llvm or step not in _OF_LLVM)
    ]
    same = [taken for taken in known if taken.jobs == jobs] or known
    if same:
        last = sorted(same, key=lambda taken: taken.at)[-_LAST_RUNS:]
        return Estimate(
            statistics.median(taken.seconds for taken in last),
            round(statistics.median(taken.disk_mb for taken in last)),
            max(taken.peak_mb for taken in last),
            "learned",
        )
    if project != "triton" or (step, llvm) not in _MEASURED:
        return Estimate()
    found = _MEASURED[step, llvm]
    cpu = {"libtriton": _LIBTRITON_CPU_SECONDS, "llvm": _LLVM_SOURCE_CPU_SECONDS}[step]
    seconds = found.seconds if found.seconds is not None else cpu / max(1, jobs)
    return Estimate(seconds, found.disk_mb, found.memory_mb, found.basis)


_OF_LLVM = ("llvm", "libtriton", "import", "run")


def _histories(layout: Layout) -> Iterator[Taken]:
    """What was taken in this folder and in its neighbours: they are read, and nothing is written but here."""
    files = [layout.history]
    try:
        beside = sorted(layout.folder.parent.glob("*/" + layout.history.name))
        files += [file for file in beside if file != layout.history][:_HISTORIES]
    except OSError:
        pass
    for file in files:
        yield from _lines(file)


def _lines(file: Path) -> Iterator[Taken]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            kept: dict[str, Any] = json.loads(line)
            yield Taken(**kept)
        except (ValueError, TypeError):
            continue  # a line that a kill cut short
