"""`author verify` and `author new` as commands; what they decide is tested beside `exercises.verification`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import get_args

import pytest
import yaml

from mlsys_path.machine.inspect import glance
from mlsys_path.machine.requirements import missing
from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.model import AdapterName
from mlsys_path.roadmap.sources import Source


def test_exercises_that_keep_their_promises(invoke):
    result = invoke("author", "verify")
    assert result.exit_code == 0, result.stdout
    assert "✓ add-one" in result.stdout
    assert "correct is open here: needs no-such-program" in result.stdout
    assert result.stdout.endswith("3 exercises verified, 0 problems\n")


def test_every_problem_is_listed(invoke, content: Path):
    exercises = content / "exercises" / "foundations"
    shutil.copy(exercises / "add-one" / "solution" / "add_one.py", exercises / "add-one" / "starter")
    shutil.copy(
        exercises / "add-two" / "wrong" / "identity" / "add_two.py",
        exercises / "add-two" / "wrong" / "constant",
    )
    (exercises / "add-two" / "README.zh.md").unlink()
    (content / "exercises" / "registry.txt").write_text("add-one\nadd-nowhere\nadd-gone\n")
    result = invoke("author", "verify", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    places = {(p["exercise"], p["where"]) for p in document["problems"]}
    assert places == {
        ("add-one", "starter"),
        ("add-two", "wrong/constant"),
        ("add-two", "README.zh.md"),
        ("add-two", "registry.txt"),
        ("add-gone", "registry.txt"),
    }
    runs = {
        r["name"]: r["verdict"]
        for e in document["exercises"]
        if e["exercise"] == "add-one"
        for r in e["runs"]
    }
    assert runs == {
        "solution": "passed",
        "starter": "passed",
        "wrong/identity": "failed",
        "wrong/constant": "failed",
    }


def test_one_exercise_of_a_roadmap_with_problems_elsewhere(invoke, content: Path):
    (content / "exercises" / "foundations" / "add-two" / "exercise.yaml").write_text("id: add-two\n")
    result = invoke("author", "verify", "add-one")
    assert result.exit_code == 0, result.stdout


def test_a_spec_that_cannot_be_read_is_told_with_its_place(invoke, content: Path):
    spec = content / "exercises" / "foundations" / "add-two" / "exercise.yaml"
    spec.write_text(spec.read_text().replace("difficulty: 1", "difficulty: 9"))
    result = invoke("author", "verify", "add-two")
    assert result.exit_code == 1
    assert f"{spec}:6:" in result.stdout


def test_all_problems_of_the_roadmap_and_not_the_first(invoke, content: Path):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace("[a-book]", "[a-bok]").replace("order: 1", "order: 0"))
    track = content / "roadmap" / "tracks" / "arithmetic.yaml"
    track.write_text(track.read_text().replace("add-two", "add-tow"))
    result = invoke("author", "verify", "--roadmap")
    assert result.exit_code == 1
    assert f"{stage}:2:" in result.stdout
    assert f"{track}:" in result.stdout
    assert "did you mean 'add-two'?" in result.stdout
    assert "0 exercises verified" in result.stdout


def test_the_exercises_of_a_stage(invoke):
    whole = json.loads(invoke("author", "verify", "--stage", "foundations", "--json").stdout)
    assert {e["exercise"] for e in whole["exercises"]} == {"add-one", "add-two", "add-nowhere"}
    result = invoke("author", "verify", "--stage", "foundation")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'foundations'?" in result.stderr


class TestLevel:
    @pytest.fixture(autouse=True)
    def levelled(self, content: Path):
        """add-two's second check is of a level that a Python exercise can be checked at here."""
        spec = content / "exercises" / "foundations" / "add-two" / "exercise.yaml"
        spec.write_text(spec.read_text().replace("  test_any:\n", "  test_any:\n    level: fast\n"))

    def runs(self, invoke, *args):
        document = json.loads(invoke("author", "verify", *args, "--json").stdout)
        assert document["problems"] == []
        return {
            e["exercise"]: ({r["name"]: r["failing_check"] for r in e["runs"]}, e["left_out"])
            for e in document["exercises"]
        }

    def test_of_a_level_only_what_it_proves(self, invoke):
        assert self.runs(invoke, "--level", "fast") == {
            "add-two": (
                {"solution": "", "starter": "test_zero", "wrong/constant": "test_any"},
                ["identity"],
            )
        }

    def test_weaker_levels_alone(self, invoke):
        found = self.runs(invoke, "add-two", "--level", "correct")
        assert found["add-two"][0].keys() == {"solution", "starter", "wrong/identity"}
        assert found["add-two"][1] == ["constant"]

    def test_what_is_left_out_is_said(self, invoke):
        result = invoke("author", "verify", "--level", "fast")
        assert "left out, as another level catches them: identity" in result.stdout
        assert "2 exercises have no checks of level fast" in result.stdout
        assert result.stdout.endswith("1 exercise verified, 0 problems\n")


def test_an_unknown_id(invoke):
    result = invoke("author", "verify", "add-oen")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'add-one'?" in result.stderr


def test_a_scaffold_of_every_language_runs(invoke, content: Path):
    """Of each language that this machine can check: the solution passes, the starter fails with a helpful word."""
    ids = []
    for language in get_args(AdapterName):
        result = invoke("author", "new", f"foundations/my-{language}", "--language", language)
        assert result.exit_code == 0, result.stderr
        assert Path(result.stdout.splitlines()[0]).is_dir()
        ids.append(f"my-{language}")
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    document = yaml.safe_load(stage.read_text())
    document["topics"][0]["exercises"] += ids
    stage.write_text(yaml.safe_dump(document))
    # what an author writes next; the rest of the promises is theirs to keep
    result = invoke("author", "verify", *ids, "--json")
    verified = json.loads(result.stdout)
    assert {p["where"] for p in verified["problems"]} == {"exercise.yaml", "README.md", "README.zh.md"}
    exercises = read_all([Source(content / "roadmap", content / "exercises")]).exercises
    for report in verified["exercises"]:
        spec = exercises[report["exercise"]]
        checkable = any(not missing(spec, check.level, glance()) for check in spec.checks.values())
        ends = {run["name"]: run["verdict"] for run in report["runs"]}
        assert ends == (
            {"solution": "passed", "starter": "failed"}
            if checkable
            else {"solution": "open", "starter": "open"}
        )


@pytest.mark.parametrize("args", [["foundations/add-one"], ["nowhere/thing"], ["thing"]])
def test_a_name_that_cannot_be_had(invoke, args):
    result = invoke("author", "new", *args, "--language", "python")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
