"""The checkout: at what was asked for, by any name of it, and never over what a learner has written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import WorkMaker
from story import git

from mlsys_path.triton_build.steps import source
from mlsys_path.triton_build.work import StepRefused, Work


def run(work: Work) -> dict:
    return asyncio.run(source.STEP.run(work))


def refusal(work: Work) -> StepRefused:
    with pytest.raises(StepRefused) as refused:
        run(work)
    return refused.value


@pytest.fixture
def two(repository: Path) -> Path:
    """Two commits, of which the first is v1, and a third that is on no branch."""
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    return repository


@pytest.mark.parametrize("name", ["v1", "main", "short", "whole", ""])
def test_every_name_of_a_commit(two: Path, work: WorkMaker, name):
    first, second = git(two, "rev-parse", "v1^{commit}"), git(two, "rev-parse", "main")
    ref = {"short": first[:9], "whole": first}.get(name, name)
    step, _events = work("source", source=str(two), ref=ref)
    facts = run(step)
    assert facts["commit"] == (second if name in ("main", "") else first)
    assert facts["llvm_commit"].startswith("4a5b6c7d")
    assert facts["binding"] == "pybind11"
    assert source.STEP.holds(step, facts)
    assert git(two, "status", "--porcelain") == ""


def test_again_nothing_is_cloned(two: Path, work: WorkMaker):
    step, events = work("source", source=str(two), ref="v1")
    run(step)
    events.clear()
    run(step)
    commands = [e.command for e in events if hasattr(e, "command")]
    assert not any("clone" in words or "fetch" in words for words in commands)


def test_a_half_clone_is_done_anew(two: Path, work: WorkMaker):
    step, _events = work("source", source=str(two), ref="v1")
    left = step.layout.folder / "source.new" / "half"
    left.mkdir(parents=True)
    run(step)
    assert not left.exists()


def test_a_checkout_that_was_killed_is_finished(two: Path, work: WorkMaker):
    step, _events = work("source", source=str(two), ref="v1")
    run(step)
    (step.layout.tree / ".git/index").unlink()
    (step.layout.tree / "setup.py").unlink()
    facts = run(step)
    assert source.STEP.holds(step, facts)
    assert (step.layout.tree / "setup.py").exists()


def test_changes_of_the_learners_are_not_written_over(two: Path, work: WorkMaker):
    step, _events = work("source", source=str(two), ref="v1")
    run(step)
    changed = step.layout.tree / "lib/one.cpp"
    changed.write_text("mine\n")
    later, _events = work("source", source=str(two), ref="main")
    assert refusal(later).failure == "changed-tree"
    assert changed.read_text() == "mine\n"


def test_commits_of_the_learners_are_not_left_behind(two: Path, work: WorkMaker):
    step, _events = work("source", source=str(two), ref="v1")
    run(step)
    git(step.layout.tree, "commit", "-q", "--allow-empty", "-m", "mine")
    mine = git(step.layout.tree, "rev-parse", "HEAD")
    assert refusal(step).failure == "changed-tree"
    assert git(step.layout.tree, "rev-parse", "HEAD") == mine


def test_a_folder_that_is_not_ours_is_not_removed(two: Path, work: WorkMaker):
    step, _events = work("source", source=str(two))
    theirs = step.layout.tree / "important"
    theirs.mkdir(parents=True)
    assert refusal(step).failure == "changed-tree"
    assert theirs.exists()


def test_a_commit_without_a_pin_is_refused(two: Path, work: WorkMaker):
    (two / "cmake/llvm-hash.txt").unlink()
    git(two, "commit", "-q", "-a", "-m", "no pin")
    step, _events = work("source", source=str(two), ref="main")
    assert refusal(step).failure == "no-pin"


def test_there_must_be_something_to_clone(work: WorkMaker, tmp_path: Path):
    assert refusal(work("source")[0]).failure == "no-source"
    assert "no such folder" in refusal(work("source", source=str(tmp_path / "gone"))[0]).cause
