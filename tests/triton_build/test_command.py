"""The command: what it refuses in one line, what it would do, and what it does offline."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from conftest import needs_llvm
from little import LITTLE
from story import Run, Story, finish, git, start

from mlsys_path import language
from mlsys_path.cli.commands.build import build_group, command_for
from mlsys_path.cli.program import build as program
from mlsys_path.cli.show_build import Printer, clock, estimate
from mlsys_path.errors import UserError
from mlsys_path.triton_build.events import (
    BuildFinished,
    BuildStarted,
    Estimate,
    Note,
    Progress,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
    to_json,
)
from mlsys_path.triton_build.steps import NAMES


def call(*words: str) -> Result:
    """`build little …` in this process."""
    group = click.Group("build", commands=[command_for(LITTLE)])
    return CliRunner().invoke(group, ["little", *words])


def refused(*words: str) -> str:
    """The one line of what is refused."""
    error = call(*words).exception
    assert isinstance(error, UserError)
    assert "\n" not in str(error)
    return str(error)


def test_a_dry_run_makes_nothing(tmp_path: Path):
    folder = tmp_path / "build"
    done = call("--dir", str(folder), "--source", "/somewhere/else", "--llvm", "system", "--dry-run")
    assert done.exit_code == 0
    assert "git clone" in done.output
    for name in ("Look at this machine", "LLVM and MLIR", "Import it, and prove it"):
        assert name in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_as_json(tmp_path: Path):
    done = call("--dir", str(tmp_path / "x"), "--dry-run", "--json", "--jobs", "3", "--targets", "nvidia")
    document = json.loads(done.output)
    assert document["schema"] == 1
    assert [step["step"] for step in document["steps"]] == list(NAMES)
    assert document["settings"]["jobs"] == 3
    assert document["settings"]["targets"] == ["nvidia"]
    assert not any(step["done"] for step in document["steps"])


@needs_llvm
def test_a_dry_run_of_a_build_that_is_done(story: Story):
    done = call("--dir", story.folder, "--resume", "--dry-run", "--json")
    steps = {step["step"]: step for step in json.loads(done.output)["steps"]}
    # a machine is always looked at again
    assert [name for name, step in steps.items() if not step["done"]] == ["preflight"]
    assert steps["libtriton"]["title"]


@needs_llvm
def test_another_option_repeats_what_it_changes(story: Story):
    done = call("--dir", story.folder, "--resume", "--ref", "main", "--dry-run", "--json")
    steps = json.loads(done.output)["steps"]
    assert not any(step["done"] for step in steps)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resume"], "no build to go on with"),
        (["--from", "import"], "no build to go on with"),
        (["--targets", "tpu"], "'tpu' is none of nvidia, amd"),
        (["--targets", ","], "name at least one"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, words, said):
    assert said in refused("--dir", str(tmp_path / "x"), *words)


@needs_llvm
def test_a_folder_that_holds_a_build_is_not_begun_anew(story: Story):
    assert "--resume goes on" in refused("--dir", story.folder)


@needs_llvm
def test_from_needs_what_comes_before(built: Path):
    state = json.loads((built / "state.json").read_text())
    del state["done"]["llvm"]
    (built / "state.json").write_text(json.dumps(state))
    assert "llvm is not done yet" in refused("--dir", str(built), "--from", "import")


def failed(folder: Path, *words: str, **variables: str) -> dict:
    """The failure that a run ends with."""
    run = finish(start(folder, *words, **variables), Run(), folder)
    assert run.code == 1, run.error
    (event,) = run.of("step-failed")
    assert run.events[-1]["event"] == "build-finished"
    assert not run.events[-1]["done"]
    return event


@needs_llvm
def test_a_source_that_is_no_repository_is_refused(tmp_path: Path):
    (tmp_path / "plain").mkdir()
    event = failed(tmp_path / "build", "--source", str(tmp_path / "plain"), "--llvm", "system")
    assert (event["step"], event["failure"]) == ("source", "no-source")
    assert any("git clone" in cure for cure in event["cure"])


@needs_llvm
def test_a_ref_that_is_not_there_is_named(repository: Path, tmp_path: Path):
    event = failed(tmp_path / "build", "--source", str(repository), "--ref", "v99", "--llvm", "system")
    assert event["failure"] == "no-ref"
    assert "v99" in event["cause"]


@needs_llvm
def test_a_bare_mirror_offline_and_a_python_that_is_not_taken(repository: Path, tmp_path: Path):
    setup = repository / "setup.py"
    setup.write_text(setup.read_text().replace("MIN_PYTHON = (3, 10)", "MIN_PYTHON = (3, 98)"))
    git(repository, "commit", "-q", "-a", "-m", "newer")
    mirror = tmp_path / "mirror.git"
    git(tmp_path, "clone", "-q", "--mirror", str(repository), str(mirror))
    before = sorted((p, p.stat().st_mtime_ns) for p in mirror.rglob("*"))
    event = failed(
        tmp_path / "build", "--source", str(mirror), "--ref", "main", "--llvm", "system",
        TRITON_OFFLINE_BUILD="1", http_proxy="http://127.0.0.1:9", https_proxy="",
    )  # fmt: skip
    assert (event["step"], event["failure"]) == ("pybind11", "wrong-python")
    assert "3.98" in event["cause"]
    assert sorted((p, p.stat().st_mtime_ns) for p in mirror.rglob("*")) == before


@needs_llvm
def test_what_is_missing_comes_with_the_command_that_brings_it(repository: Path, tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "cmake", "cc", "c++", "gcc", "g++", "apt-get", "sh", "env", "uname"):
        if found := next((p for d in ("/usr/bin", "/bin") if (p := Path(d, name)).exists()), None):
            (programs / name).symlink_to(found)
    event = failed(tmp_path / "build", "--source", str(repository), "--llvm", "system", PATH=str(programs))
    assert (event["step"], event["failure"]) == ("preflight", "missing")
    assert "ninja" in event["cause"]
    assert any("ninja-build" in cure for cure in event["cure"])


@needs_llvm
def test_a_command_that_fails_is_recognised_and_its_lines_shown(repository: Path, tmp_path: Path):
    project = repository / "pyproject.toml"
    project.write_text(project.read_text().replace('"pybind11', '"a-package-that-is-nowhere", "pybind11'))
    git(repository, "commit", "-q", "-a", "-m", "asks for more")
    # pip without an index says what it says without a network
    event = failed(
        tmp_path / "build", "--source", str(repository), "--ref", "main", "--llvm", "system", PIP_NO_INDEX="1"
    )
    assert (event["step"], event["failure"]) == ("pybind11", "network")
    assert any("a-package-that-is-nowhere" in line for line in event["tail"])
    assert "a-package-that-is-nowhere" in Path(event["log"]).read_text()


def test_the_command_is_there_with_all_its_options():
    language.use("en")
    done = CliRunner().invoke(program(), ["build", "triton", "--help"])
    assert done.exit_code == 0
    for option in (
        "--ref",
        "--source",
        "--llvm",
        "--targets",
        "--jobs",
        "--dir",
        "--resume",
        "--from",
        "--dry-run",
    ):
        assert option in done.output
    assert list(build_group.commands) == ["triton"]


EVENTS = (
    BuildStarted("triton", "/at", NAMES, False),
    StepStarted("preflight", "Look", "Looks.", "Because.", Estimate(65, 10, 20, "learned"), "/log"),
    Note("preflight", "no ccache [/red]"),
    StepFinished("preflight", "Look", 2.5, "all there", {"jobs": 2}, 10, 0),
    StepSkipped("source", "Get", "commit abc"),
    Progress("llvm", 5, 10, "steps", "Building", 30.0),
    Progress("llvm", 10 << 20, 20 << 20, "bytes", "archive", None),
    StepFailed("llvm", "no-space", "the disk is full", ("free some",), "/log", ("error: \x1b[31m no space",)),
    BuildFinished(False, "/at", 3.0, ("preflight", "source")),
)


def test_events_are_printed_for_people(capsys):
    printer = Printer()
    for event in EVENTS:
        printer.show(event)
    printer.end()
    said = capsys.readouterr().out
    for words in ("1/7 Look", "about 1 min 5 s", "as before", "no ccache [/red]", "✓ all there", "the disk is full",
                  "→ free some", "log: /log", "2 of 7 steps are done"):  # fmt: skip
        assert words in said


def test_each_event_is_one_object():
    names = [to_json(event)["event"] for event in EVENTS]
    assert names[:3] == ["build-started", "step-started", "note"]
    for event in EVENTS:
        assert json.loads(json.dumps(to_json(event)))["schema"] == 1


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.25, "0.2 s"), (59.4, "59 s"), (648, "10 min 48 s"), (7300, "2 h 1 min")]
)
def test_times(seconds, said):
    assert clock(seconds) == said


def test_where_an_estimate_is_from_is_said():
    assert "measured on a small machine" in estimate(Estimate(60, None, None, "measured"))
    assert estimate(Estimate()) == ""
