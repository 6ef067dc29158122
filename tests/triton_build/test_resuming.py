"""Killed in every step, by a signal that nothing can catch, and resumed each time, until it is proved."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import needs_llvm
from story import Story, git

from mlsys_path.triton_build.steps import NAMES

pytestmark = needs_llvm


@pytest.mark.parametrize("step", NAMES)
def test_a_kill_in_a_step_leaves_nothing_alive(story: Story, step):
    run = story.runs[step]
    assert run.code == -9
    assert run.events[-1]["step"] == step
    assert run.left == []


def test_what_was_done_before_a_kill_is_skipped(story: Story):
    done = {name: {e["step"] for e in run.of("step-skipped")} for name, run in story.runs.items()}
    assert done["pybind11"] >= {"source"}
    assert done["libtriton"] == {"source", "llvm", "pybind11"}
    assert done["import"] == {"source", "llvm", "pybind11"}
    assert done["run"] == {"source", "llvm", "pybind11", "libtriton"}
    assert done["done"] == {"source", "llvm", "pybind11", "libtriton", "import"}


def test_it_ends_with_every_step_done(story: Story):
    last = story.runs["done"]
    assert (last.code, last.error) == (0, "")
    end = last.events[-1]
    assert (end["event"], end["done"], end["steps_done"]) == ("build-finished", True, list(NAMES))


def test_ctrl_c_ends_all_that_was_started_and_says_how_to_go_on(story: Story):
    run = story.runs["ctrl-c"]
    assert run.code == 130
    assert run.left == []
    assert "--resume" in run.error
    assert len(run.error.splitlines()) == 1


def test_compiled_objects_survive_a_kill(story: Story):
    before, after = story.seen["objects"], story.seen["objects after"]
    assert before
    assert {name: after[name] for name in before} == before


def test_a_second_build_in_the_folder_is_refused(story: Story):
    code, error = story.seen["second"]
    assert code == 2
    assert "another build" in error
    assert len(error.splitlines()) == 1


def test_a_marker_that_a_kill_left_in_the_source_is_taken_out(story: Story):
    assert story.seen["marked"]
    tree = story.path / "source"
    assert git(tree, "status", "--porcelain") == ""
    assert "mlsys_path_marker" not in (tree / "python/src/main.cc").read_text()
    assert not (story.path / "marker.json").exists()


def test_the_source_was_not_touched(story: Story):
    assert git(Path(story.source), "status", "--porcelain", "--ignored") == ""
    assert not (Path(story.source) / "build").exists()


def test_nothing_outside_the_folder_was_touched(story: Story):
    beside = {path.name for path in story.path.parent.iterdir()}
    assert beside <= {"build", "little", "gate.reached", "home"}
    assert not (story.path.parent / "home").exists()


def test_progress_is_ninjas_own(story: Story):
    progress = story.runs["import"].of("progress", "libtriton")
    assert progress
    assert all(0 < e["done"] <= e["total"] and e["unit"] == "steps" for e in progress)
    assert progress[-1]["done"] == progress[-1]["total"]
    # what was compiled before the kill is not counted again
    assert progress[-1]["total"] < 10


def test_every_event_has_the_schema(story: Story):
    for run in story.runs.values():
        assert {e["schema"] for e in run.events} <= {1}
        for event in run.of("step-started"):
            assert {"title", "what", "why", "estimate", "log"} <= set(event)
        for event in run.of("step-finished"):
            assert event["proof"]
            assert event["facts"]


def test_each_step_has_its_log(story: Story):
    logs = story.path / "logs"
    assert {path.stem for path in logs.iterdir()} >= {"source", "llvm", "libtriton", "import", "run"}
    assert "[" in (logs / "libtriton.log").read_text()


def test_the_proof(story: Story):
    facts = story.runs["run"].of("step-finished", "import")[-1]["facts"]
    assert facts["commit"] == git(Path(story.source), "rev-parse", "v1^{commit}")
    assert facts["marker"] in (story.path / facts["library"]).read_bytes().decode("latin-1")
    assert len(facts["marker"]) == 32


def test_the_distributions_llvm_is_linked_once(story: Story):
    library = story.path / "source/python/little/_C/liblittle.so"
    needed = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    assert "libLLVM" in needed
    symbols = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    )
    # a component that Triton names by its static archive comes from the shared library
    assert "LLVMContextCreate" in symbols.stdout


def test_a_header_was_precompiled_and_used(story: Story):
    made = [p for p in (story.path / "pch").glob("*/state") if p.read_text() == "made"]
    assert len(made) == 1
    assert "llvm/ADT/Twine.h" in json.loads((story.path / "pch/launcher.json").read_text())["headers"]


def test_the_library_is_a_release_build(story: Story):
    (cache,) = (story.path / "source/build").glob("cmake*/CMakeCache.txt")
    assert "CMAKE_BUILD_TYPE:UNINITIALIZED=Release" in cache.read_text() or "=Release" in cache.read_text()


def test_the_artefacts_are_kept(story: Story):
    assert "little.op" in (story.path / "artefacts/module.mlir").read_text()
    assert "ModuleID" in (story.path / "artefacts/module.ll").read_text()


def test_without_a_network_nothing_may_be_fetched_and_all_is_given_by_absolute_paths(story: Story):
    script = (story.path / "environment.sh").read_text()
    told = dict(re.findall(r"^export (\w+)=(.*)$", script, re.MULTILINE))
    assert told["TRITON_OFFLINE_BUILD"] == "1"
    for name in ("LLVM_SYSPATH", "LLVM_INCLUDE_DIRS", "LLVM_LIBRARY_DIR"):
        assert Path(told[name]).is_absolute()
        assert Path(told[name]).exists()
    for name in ("TMPDIR", "TRITON_HOME", "PIP_CACHE_DIR", "CCACHE_DIR", "XDG_CACHE_HOME"):
        assert Path(told[name]).is_relative_to(story.path)
    assert "-DCMAKE_BUILD_TYPE=Release" in told["TRITON_APPEND_CMAKE_ARGS"]
    assert int(told["MAX_JOBS"]) >= 1


def test_the_script_brings_a_shell_to_where_ninja_has_nothing_to_do(story: Story):
    script = story.path / "environment.sh"
    words = script.read_text().splitlines()[0].removeprefix("# source this, then: ")
    done = subprocess.run(
        ["sh", "-c", f". {script} && {words} -n"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "no work to do" in done.stdout


def test_only_steps_that_ran_from_nothing_to_the_end_are_learned_from(story: Story):
    lines = [json.loads(line) for line in (story.path / "history.jsonl").read_text().splitlines()]
    # those that were killed in their midst; pybind11 was killed before it had begun
    killed = {"source", "llvm", "libtriton", "import", "run"}
    assert not killed & {line["step"] for line in lines}
