"""Submissions that try to be timed without doing the work, and honest ones that must pass; on a CPU and on a GPU.

Each folder of `timing/` holds `cheat.yaml` (what it tries, how it must end, a pattern in what is said, on which devices)
and a `softmax.py`. Where there is a GPU, `pytest tests/cheats/test_timing_gallery.py` runs all of them there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mlsys_path.checking.session import Checker, CheckRequest
from mlsys_path.checking.verdict import Tally
from mlsys_path.exercises.folder import read_files
from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import glance
from mlsys_path.machine.requirements import open_because
from mlsys_path.roadmap.model import Check, Exercise, Limits, Needs

pytest.importorskip("torch")

GALLERY = Path(__file__).parent / "timing"
SPECS = {path.parent.name: yaml.safe_load(path.read_text()) for path in sorted(GALLERY.glob("*/cheat.yaml"))}
DEVICES = {"both": ("cpu", "cuda"), "cpu": ("cpu",), "cuda": ("cuda",)}
CASES = [(name, device) for name, spec in SPECS.items() for device in DEVICES[spec["device"]]]
TEXT = Text("text", "文字")
# on a CPU that others use too, what is seen of time decides nothing (tests/checking/timing has that): a roof that is
# always the same, and limits that no delay reaches
ON_A_CPU = """\
from mlsys_path.checking.timing import judging, kernel
from mlsys_path.checking.timing.ceilings import Ceilings

roof = Ceilings("CPU", "a test's", copy=1e12, read=1e12, launch=1e-6, rates={"float32": 1e13})
kernel.ceilings_of = lambda _clock: roof
judging.SLACK["cpu"] = judging.Slack(tail=1e3, gap=1e3, flush=1e3, share=1.0, floor=1.0, company=1e6)
"""
CHECK = """\
import torch

def test_fast(learner, measure):
    rows, columns = {shape}
    measure.kernel(
        "softmax", learner, "softmax",
        inputs=lambda: (torch.randn(rows, columns),),
        reference=lambda x: torch.softmax(x, -1),
        baseline="torch", bytes=8 * rows * columns, flops=5 * rows * columns, dtype="float32",
        rtol=1e-4, atol=1e-7, at_least={bar}, star=0.9, repeats={repeats},
    )
"""


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as it:
        yield it


def exercise_on(device: str) -> Exercise:
    return Exercise(
        id="softmax",
        title=TEXT,
        summary=TEXT,
        language="triton" if device == "cuda" else "python",
        files=("softmax.py",),
        difficulty=1,
        minutes=1,
        checks={"test_fast": Check(TEXT, Level.FAST)},
        hints=(TEXT,),
        limits=Limits(seconds=60 if device == "cuda" else 300, memory_mb=8192),
        needs=Needs(python=("torch",)),
    )


def judged(checker, exercise, folder, files):
    async def run():
        tally = Tally(exercise.id)
        async for event in checker.check(CheckRequest(exercise, folder, files)):
            tally.add(event)
        return tally.verdict()

    return asyncio.run(run())


SCALED = """
import torch

def test_fast(learner, measure):
    measure.kernel(
        "scaled", learner, "scaled",
        inputs=lambda: (torch.randn(64, 64), float(torch.rand(()))),
        reference=lambda x, factor: x * factor,
        baseline="torch", bytes=2 * 64 * 64 * 4, at_least=1e-6, repeats=5,
    )
"""


def test_arguments_that_are_no_tensors_are_those_of_the_call(checker, tmp_path):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "test_it.py").write_text(ON_A_CPU + SCALED)
    files = {"softmax.py": b"def scaled(x, factor):\n    return x * factor\n"}
    verdict = judged(checker, exercise_on("cpu"), tmp_path, files)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


@pytest.mark.parametrize(("name", "device"), CASES, ids=[f"{name}-{device}" for name, device in CASES])
def test_ends_as_its_spec_says(checker, tmp_path, name, device):
    spec = SPECS[name]
    exercise = exercise_on(device)
    if device == "cuda" and (why := open_because(exercise, Level.FAST, glance())):
        pytest.skip(why)
    (tmp_path / "checks").mkdir()
    shape, bar, repeats, before = (
        ((4096, 8192), 0.02, 11, "") if device == "cuda" else ((256, 4096), 1e-6, 7, ON_A_CPU)
    )
    text = before + CHECK.format(shape=shape, bar=bar, repeats=repeats)
    (tmp_path / "checks" / "test_it.py").write_text(text)
    files = read_files(GALLERY / name)
    del files["cheat.yaml"]

    verdict = judged(checker, exercise, tmp_path, files)
    first = verdict.first_failure
    told = "\n".join([verdict.message, *([first.message, first.traceback] if first else [])])
    assert verdict.verdict.value in spec["expect"], told
    if "says" in spec:
        assert re.search(spec["says"], told, re.DOTALL), told
    if verdict.verdict is Outcome.PASSED:
        (measured,) = verdict.measurements
        assert measured.ratio > 0
        assert measured.roofline.fraction > 0
        assert measured.star is (measured.ratio >= 0.9)
    elif first.outcome is Outcome.ERROR:
        assert not verdict.measurements, "a time that is not believed is no measurement"


def test_the_gallery_is_large_enough():
    honest = [name for name in SPECS if name.startswith("honest-")]
    assert len(SPECS) - len(honest) >= 20
    assert len(honest) >= 8
    assert all((GALLERY / name / "softmax.py").is_file() for name in SPECS)
