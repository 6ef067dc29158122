"""benchmarks/kernels.py where there is no GPU: what it says, what it would run, and its table."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlsys_path.checking.events import CheckResult, Measurement, Verdict
from mlsys_path.checking.timing.roofline import place
from mlsys_path.cli import running as kernels_run
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import Gpu, Machine
from mlsys_path.roadmap.load import load

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "kernels.py"


@pytest.fixture(scope="module")
def kernels():
    spec = importlib.util.spec_from_file_location("kernels", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    sys.modules["kernels"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["kernels"]


@pytest.fixture
def report(kernels):
    return kernels.Report("NVIDIA H200", "580.1", "2.13.0", "3.7.1", "2026-01-31")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_without_a_gpu_there_is_one_line(kernels, monkeypatch, capsys, options):
    monkeypatch.setattr(kernels, "inspect", Machine)
    assert kernels.main(options) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "there is no GPU on this machine: kernels are timed on one\n"


def test_it_runs_what_is_timed_on_a_gpu_and_nothing_else(kernels):
    roadmap = load()
    chosen = kernels.on_a_gpu(roadmap, [])
    assert {e.language for e in chosen} <= {"triton", "cuda"}
    assert all(any(c.level is Level.FAST for c in e.checks.values()) for e in chosen)
    assert "triton-fused-softmax" in {e.id for e in chosen}
    assert [e.id for e in kernels.on_a_gpu(roadmap, ["triton-matmul", "lru-cache"])] == ["triton-matmul"]


def test_the_table(kernels, report):
    roof = place(1e-3, moved=2e9, flops=1e9, bandwidth=4e12, peak=6e13, dtype="float32")
    timed = Measurement(
        "softmax 4096×12288", 1.34e-4, "s", 1.2e-4, 0.9, 0.89, 0.91, "copy", 0.6, 0.88, True, roof
    )
    slow = Measurement("mine", 2.0, "s", 1.0, 0.5, 0.4, 0.6, bar=0.6)
    report.rows = [kernels.Row.of("triton-fused-softmax", timed), kernels.Row.of("other", slow)]
    report.failed["other"] = "failed: too slow"
    report.left_out["last"] = "no time left of 7 min"
    lines = report.text().splitlines()
    assert lines[0] == "NVIDIA H200, driver 580.1, torch 2.13.0, triton 3.7.1, 2026-01-31"
    assert lines[3].split() == [
        "triton-fused-softmax", "softmax", "4096×12288", "0.9", "0.6", "0.88", "★", "50%", "134", "µs",
    ]  # fmt: skip
    assert len({len(line) for line in lines[2:5]}) == 1, "columns align"
    assert lines[-2:] == ["FAILED other: failed: too slow", "left out last: no time left of 7 min"]
    row = json.loads(json.dumps(report.to_json()))["rows"][0]
    assert row["roofline"]["fraction"] == pytest.approx(0.5)
    assert row["star"] is True


def test_what_there_is_no_time_for_is_named(kernels, report):
    roadmap = load()
    chosen = kernels.on_a_gpu(roadmap, ["triton-fused-softmax", "triton-matmul"])
    asyncio.run(kernels.measure(Machine(gpus=(Gpu("H200"),)), roadmap, chosen, report, 0.0, 60.0))
    assert report.left_out == dict.fromkeys(
        ("triton-fused-softmax", "triton-matmul"), "no time left of 0 min"
    )


def test_what_cannot_be_checked_here_is_named_with_why(kernels, report):
    roadmap = load()
    chosen = kernels.on_a_gpu(roadmap, ["triton-matmul"])
    asyncio.run(kernels.measure(Machine(), roadmap, chosen, report, 1.0, 60.0))
    assert report.left_out["triton-matmul"].startswith("needs ")


def test_a_run_that_breaks_or_takes_too_long_is_named(kernels, report, monkeypatch):
    roadmap = load()
    chosen = kernels.on_a_gpu(roadmap, ["triton-fused-softmax", "triton-matmul"])
    timed = Measurement("softmax", 1e-3, "s", 2e-3, 2.0, 1.9, 2.1, "torch", 0.6, 1.5, True)

    async def run(_checker, _machine, submission, only, told):
        assert only == {Level.FAST}
        told(timed)
        told(Measurement("softmax: registers per thread", 32, ""))
        if submission.exercise.id == "triton-matmul":
            await asyncio.sleep(60)
        checks = (CheckResult("test_fast", Level.FAST, Outcome.FAILED, "too slow\nby far"),)
        verdict = Verdict(submission.exercise.id, Outcome.FAILED, {}, checks)
        return kernels_run.Ran(submission, verdict, datetime.now(UTC), partial=True)

    monkeypatch.setattr(kernels, "run", run)
    monkeypatch.setattr(kernels, "open_because", lambda *_args: "")
    asyncio.run(kernels.measure(Machine(), roadmap, chosen, report, 1.0, 0.2))
    assert report.failed == {"triton-fused-softmax": "failed: too slow"}
    assert report.left_out == {"triton-matmul": "took more than 0.2 s"}
    assert [row.measurement for row in report.rows] == ["softmax", "softmax"]
