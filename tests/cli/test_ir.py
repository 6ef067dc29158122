"""`ir`: the kernels of a learner's files as the compiler sees them, compiled once and kept until the files change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlsys_path import locations
from mlsys_path.checking import artefacts
from mlsys_path.checking.events import Compiled
from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.roadmap.load import load

pytest.importorskip("triton")

KERNELS = """\
import torch, triton
import triton.language as tl
@triton.jit
def scale_kernel(x, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)
def add_one(x):
    scale_kernel[(triton.cdiv(x.numel(), 256),)](x, x.numel(), BLOCK=256)
    return x
"""
CHECKS = """\
import torch
def test_any(learner, measure):
    measure.resources(*learner.compile("add_one", torch.randn(99)))
def test_other(learner):
    learner.compile("add_one", torch.randn(99), target="cuda:80")
"""


@pytest.fixture
def solved(content: Path) -> Path:
    """An exercise whose checks compile kernels, and a folder that solves it."""
    folder = content / "exercises/foundations/add-one"
    spec = (folder / "exercise.yaml").read_text()
    spec = spec.replace("language: python", "language: triton").replace(
        "seconds: 20, memory_mb: 512", "seconds: 120, memory_mb: 4096"
    )
    checks = spec.index("checks:")
    (folder / "exercise.yaml").write_text(
        spec[:checks]
        + "checks:\n  test_any: {level: compiles, title: {en: A, zh: 甲}}\n  test_other: {level: compiles, title: {en: B, zh: 乙}}\n"
        + spec[spec.index("wrong:"):].replace("test_zero", "test_any")
    )  # fmt: skip
    (folder / "checks/test_add_one.py").write_text(CHECKS)
    files = content / "mine" / "add-one"
    files.mkdir(parents=True)
    (files / "add_one.py").write_text(KERNELS)
    return files


def test_kernels_are_compiled_as_the_checks_do_and_then_kept(invoke, solved, monkeypatch):
    table = invoke("ir", str(solved))
    assert table.exit_code == 0, table.output
    lines = table.output.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["scale_kernel", "sm_90"], ["scale_kernel", "sm_80"]]
    assert "0 B spilled" in lines[0]

    def refuse(*_args, **_kwargs):
        raise AssertionError("nothing needs to be compiled again")

    monkeypatch.setattr(Checker, "check", refuse)
    ttgir = invoke("ir", str(solved), "--stage", "ttgir", "--target", "sm_80")
    assert ttgir.exit_code == 0, ttgir.output
    assert 'ttg.target = "cuda:80"' in ttgir.output
    assert not ttgir.output.startswith("// scale_kernel")
    both = invoke("ir", str(solved), "--stage", "llir").output
    assert both.count("; scale_kernel, sm_") == 2
    document = json.loads(invoke("ir", str(solved), "--json", "--target", "90").output)
    (kernel,) = document["kernels"]
    assert (document["schema"], document["exercise"], kernel["name"], kernel["target"]) == (
        1,
        "add-one",
        "scale_kernel",
        "sm_90",
    )
    assert list(kernel["ir"]) == ["ttir", "ttgir", "llir", "ptx"]
    assert kernel["registers"] > 0
    wrong = invoke("ir", str(solved), "--kernel", "add_kernel")
    assert wrong.exit_code == 2
    assert "compiled are: scale_kernel (sm_90), scale_kernel (sm_80)" in wrong.output
    (solved / "add_one.py").write_text(KERNELS + "# changed\n")
    assert invoke("ir", str(solved)).exit_code != 0, "other files are compiled afresh"


def test_code_that_launches_nothing_is_said_so(invoke, solved):
    (solved / "add_one.py").write_text("def add_one(x):\n    return x\n")
    done = invoke("ir", str(solved))
    assert done.exit_code == 1
    assert "launches no Triton kernel" in done.output


def test_an_exercise_without_kernels_has_no_ir(invoke, content):
    done = invoke("ir", "add-two")
    assert done.exit_code == 2


def test_what_is_kept_is_bounded_and_damage_is_no_harm(content, solved, monkeypatch):
    roadmap = load()
    submission = Submission(roadmap.exercise("add-one"), roadmap.folder("add-one"), {"add_one.py": b"x"})
    assert artefacts.kept(submission) == ()
    kernels = [Compiled(f"k{i}", "sm_90", 4, 3, 20, 0, 0, 1, (("ttir", "a" * 1000),)) for i in range(5)]
    monkeypatch.setattr(artefacts, "MAX_CHARACTERS", 3500)
    artefacts.keep(submission, kernels)
    assert artefacts.kept(submission) == tuple(kernels[:3])
    artefacts.keep(submission, kernels[:1])
    assert artefacts.kept(submission) == tuple(kernels[:1])
    other = Submission(submission.exercise, submission.folder, {"add_one.py": b"y"})
    assert artefacts.kept(other) == ()
    (path,) = (locations.cache_dir() / "ir").iterdir()
    for damaged in (b"", path.read_bytes()[:50], b"no gzip"):
        path.write_bytes(damaged)
        assert artefacts.kept(submission) == ()
