"""What the doctor tells of a machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from mlsys_path.levels import Level
from mlsys_path.machine.doctor import report
from mlsys_path.machine.inspect import inspect
from mlsys_path.machine.requirements import open_because
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.model import Exercise, Needs


@dataclass(frozen=True)
class Road:
    exercises: dict[str, Exercise]


@pytest.fixture
def road(make_exercise):
    exercises = (
        make_exercise("python", id="plain"),
        make_exercise("python", id="with-torch", needs=Needs(python=("torch",))),
        make_exercise("c", id="malloc"),
        make_exercise("triton", Level.CORRECT, Level.COMPILES, Level.GPU, id="softmax"),
    )
    return Road({e.id: e for e in exercises})


def rows(machine, road):
    return {(row.language, row.level): row for row in report(machine, road).languages}


def test_a_row_for_each_language_and_level_that_an_exercise_asks_for(full, road):
    found = rows(full, road)
    assert list(found) == [
        ("python", "correct"), ("c", "correct"), ("triton", "correct"), ("triton", "compiles"), ("triton", "gpu"),
    ]  # fmt: skip
    assert {row.state for row in found.values()} == {"ready"}
    assert report(full, road).commands == ()


def test_a_bare_machine_gets_the_commands_once(bare, road):
    found = rows(bare, road)
    partly = found["python", "correct"]
    assert (partly.state, partly.ready, partly.exercises) == ("partly", 1, 2)
    assert partly.lacks == ("the Python module torch",)
    assert found["c", "correct"].state == "open"
    assert found["triton", "gpu"].because.startswith(
        "the Python module torch; the Python module triton; gcc; an NV"
    )
    assert report(bare, road).commands == (
        "sudo apt install bubblewrap gcc",
        "/home/lin/.venv/bin/python -m pip install 'mlsys-path[kernels]'",
    )


def test_the_sandbox_says_what_it_is_and_what_it_lacks(bare, full, road):
    weak = report(bare, road).sandbox
    assert (weak.kind, weak.state, weak.lacks) == ("landlock", "partly", "bubblewrap is not installed")
    assert "Landlock ABI 4" in weak.means
    assert weak.command == "sudo apt install bubblewrap"
    strong = report(full, road).sandbox
    assert (strong.kind, strong.state, strong.lacks, strong.command) == ("bubblewrap", "ready", "", "")


def test_a_kernel_setting_that_forbids_the_sandbox_has_its_command(full, road):
    sysctl = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    machine = replace(
        full, sandbox="landlock", sandbox_lacks="bubblewrap does not work here", sandbox_command=sysctl
    )
    found = report(machine, road)
    assert found.sandbox.command == sysctl
    assert found.commands == (sysctl,)


def test_it_is_json(bare, full, road):
    for machine in (bare, full):
        found = json.loads(json.dumps(report(machine, road, {"gcc": "12.2.0"}).to_json()))
        assert found["schema"] == 1
        assert found["machine"] == machine.describe()
        assert {row["state"] for row in found["languages"]} <= {"ready", "partly", "open"}
    gcc = next(tool for tool in found["tools"] if tool["name"] == "gcc")
    assert gcc == {"name": "gcc", "found": True, "version": "12.2.0", "path": "/usr/bin/gcc"}


def test_this_machine_and_the_real_roadmap():
    road = load()
    found = report(inspect(), road)
    asked = {(e.language, c.level) for e in road.exercises.values() for c in e.checks.values()}
    assert {(row.language, row.level) for row in found.languages} == asked
    json.dumps(found.to_json())


def test_git_is_a_row_and_an_exercise_that_needs_it_names_the_command(full, make_exercise, bare):
    assert [row.found for row in report(full, Road({})).tools if row.name == "git"] == [False]
    with_git = replace(bare, tools={"git": "/usr/bin/git"})
    assert [row.path for row in report(with_git, Road({})).tools if row.name == "git"] == ["/usr/bin/git"]
    exercise = make_exercise("python", needs=Needs(tools=("git",)))
    assert open_because(exercise, Level.CORRECT, bare) == "needs git: sudo apt install git"
    assert open_because(exercise, Level.CORRECT, with_git) == ""
