"""`check`: what it prints, what it remembers, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import psutil
import pytest

from mlsys_path.checking.events import Measurement, Verdict
from mlsys_path.checking.timing.roofline import place
from mlsys_path.cli import check_report
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries

CLI_DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def test_a_pass(invoke, solve):
    solve("add-one")
    result = invoke("check", "add-one")
    assert result.exit_code == 0, result.stderr
    assert "✓ passed  Right for zero" in result.stdout
    assert "✓ passed  Right for any number" in result.stdout
    assert re.search(
        r"✓ add-one: passed, level correct  \(2 of 2 checks passed, \d+\.\d\d s, \w+\)", result.stdout
    )
    assert queries.statuses()["add-one"].passed


def test_a_failure_teaches(invoke, solve):
    solve("add-one", "wrong/constant")
    result = invoke("check", "add-one")
    assert result.exit_code == 1
    assert "✓ passed  Right for zero" in result.stdout
    assert "✗ failed  Right for any number" in result.stdout
    assert re.search(r"got +1\n", result.stdout)
    assert re.search(r"expected +-?\d+\n", result.stdout)
    assert "add_one(" in result.stdout
    assert "Likely cause: A constant is no sum." in result.stdout
    assert "`mlsys-path hint add-one`" in result.stdout
    status = queries.statuses()["add-one"]
    assert (status.passed, status.attempts, status.last_failed) == (False, 1, True)


def test_the_language_of_titles_and_causes(invoke, solve):
    solve("add-one", "wrong/constant")
    result = invoke("--lang", "zh", "check", "add-one")
    assert "对任意数都正确" in result.stdout
    assert "常数不是和。" in result.stdout


def test_the_learners_own_lines_are_shown(invoke, solve):
    folder = solve("add-one")
    (folder / "add_one.py").write_text(
        "def helper():\n    return {}['missing']\n\n\ndef add_one(n):\n    return helper()\n"
    )
    result = invoke("check", "add-one")
    assert result.exit_code == 1
    assert "KeyError" in result.stdout
    assert "add_one.py:2 in helper" in result.stdout
    assert "add_one.py:6 in add_one" in result.stdout


def test_what_the_learner_prints_is_shown_as_it_is_and_bounded(invoke, solve):
    folder = solve("add-one")
    (folder / "add_one.py").write_text(
        "def add_one(n):\n"
        "    for i in range(1000):\n"
        "        print(f'[bold]line {i}[/x] \\x1b[31m')\n"
        "    return 0\n"
    )
    result = invoke("check", "add-one")
    assert result.exit_code == 1
    assert "[bold]line 999[/x] \\x1b[31m" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stdout.count("[bold]line") == 20


def test_nothing_can_be_checked_here(invoke, solve):
    solve("add-nowhere")
    result = invoke("check", "add-nowhere")
    assert result.exit_code == 3
    assert "no-such-program" in result.stdout
    assert "`mlsys-path doctor`" in result.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["add-one"], "mlsys-path start add-one"),
        (["add-oen"], "did you mean 'add-one'?"),
        (["./nowhere"], "no such folder"),
        ([], "say what to check"),
        (["--all"], "nothing is started yet"),
        (["--all", "add-one"], "leave out the names"),
        (["--watch", "--json", "add-one"], "--watch"),
        (["--exercise", "add-one", "a", "b"], "one folder"),
    ],
)
def test_bad_input(invoke, args, words):
    result = invoke("check", *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


class TestPaths:
    """Files anywhere can be checked."""

    def elsewhere(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        (folder / "add_one.py").write_text("def add_one(n):\n    return n + 1\n")
        return folder

    def test_a_folder_named_after_the_exercise(self, invoke, tmp_path: Path):
        result = invoke("check", str(self.elsewhere(tmp_path / "mine" / "add-one")))
        assert result.exit_code == 0, result.stderr

    def test_any_folder_with_the_exercise_named(self, invoke, tmp_path: Path):
        folder = self.elsewhere(tmp_path / "mine")
        assert invoke("check", str(folder)).exit_code == 2
        result = invoke("check", str(folder), "--exercise", "add-one")
        assert result.exit_code == 0, result.stderr

    def test_the_folder_that_one_is_in(self, invoke, solve, monkeypatch):
        folder = solve("add-one", "wrong/identity")
        (folder / "notes").mkdir()
        monkeypatch.chdir(folder / "notes")
        assert invoke("check").exit_code == 1

    def test_a_missing_file_is_named(self, invoke, tmp_path: Path):
        folder = self.elsewhere(tmp_path / "add-one")
        (folder / "add_one.py").rename(folder / "other.py")
        result = invoke("check", str(folder))
        assert result.exit_code == 2
        assert "add_one.py is missing" in result.stderr


class TestMany:
    def test_all_checks_what_was_started_and_says_which_failed(self, invoke, solve):
        solve("add-one")
        solve("add-two", "wrong/identity")
        result = invoke("check", "--all")
        assert result.exit_code == 1
        assert "✓ add-one: passed" in result.stdout
        assert "✗ add-two: failed" in result.stdout
        assert "Right for zero: " in result.stdout
        assert {name: s.passed for name, s in queries.statuses().items()} == {
            "add-one": True,
            "add-two": False,
        }

    def test_open_beside_passed_is_no_failure(self, invoke, solve):
        solve("add-one")
        solve("add-nowhere")
        assert invoke("check", "add-one", "add-nowhere").exit_code == 0


class TestJson:
    def results(self, result) -> list[dict]:
        return self.valid(json.loads(result.stdout))

    def valid(self, document: dict) -> list[dict]:
        schema = json.loads(re.search(r"```json schema=check\n(.*?)```", CLI_DOCS.read_text(), re.DOTALL)[1])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(document, schema)
        return document["results"]

    def test_a_pass_and_a_failure_in_the_order_that_was_asked_for(self, invoke, solve):
        solve("add-two", "wrong/constant")
        solve("add-one")
        result = invoke("check", "add-two", "add-one", "--json")
        assert result.exit_code == 1
        failed, passed = self.results(result)
        assert (failed["exercise"], failed["verdict"]) == ("add-two", "failed")
        assert (passed["exercise"], passed["verdict"]) == ("add-one", "passed")
        assert [c["outcome"] for c in failed["checks"]] == ["passed", "failed"]
        assert failed["checks"][1]["counterexample"]["got"] == "2"
        assert failed["levels"] == {"correct": "failed"}
        assert passed["machine"]
        assert passed["sandbox"] in ("bubblewrap", "landlock", "rlimits")

    def test_what_was_timed_has_its_stars_and_its_place_under_the_roof(self):
        roof = place(1e-3, moved=2e9, flops=1e9, bandwidth=4e12, peak=6e13, dtype="float32", device="H200")
        timed = Measurement("dot", 2e-3, "s", 8e-3, 4.0, 3.5, 4.2, "torch", 2.0, 5.0, False, roof)
        checked = Verdict("add-one", Outcome.PASSED, {}, (), (timed,), sandbox="bubblewrap")
        text = json.dumps(check_report.document([checked]))
        [told] = self.valid(json.loads(text))[0]["measurements"]
        assert (told["bar"], told["star_bar"], told["star"]) == (2.0, 5.0, False)
        assert told["roofline"]["bound"] == "memory"
        assert told["roofline"]["fraction"] == pytest.approx(0.5)

    def test_open(self, invoke, solve):
        solve("add-nowhere")
        result = invoke("check", "add-nowhere", "--json")
        assert result.exit_code == 3
        [verdict] = self.results(result)
        assert verdict["verdict"] == "open"
        assert verdict["levels"] == {"correct": "open"}

    def test_an_error_leaves_stdout_empty(self, invoke):
        result = invoke("check", "add-one", "--json")
        assert (result.exit_code, result.stdout) == (2, "")


def test_junit(invoke, solve, tmp_path: Path):
    solve("add-one", "wrong/constant")
    report = tmp_path / "report.xml"
    assert invoke("check", "add-one", "--junit", str(report)).exit_code == 1
    root = ET.parse(report).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    [suite] = root
    assert [(c.get("name"), c.find("failure") is not None) for c in suite] == [
        ("test_zero", False),
        ("test_any", True),
    ]


def test_a_junit_file_that_cannot_be_written(invoke, solve, tmp_path: Path):
    solve("add-one")
    result = invoke("check", "add-one", "--junit", str(tmp_path / "nowhere" / "report.xml"))
    assert result.exit_code == 2
    assert "✓ add-one: passed" in result.stdout
    assert "report.xml" in result.stderr


class TestLevels:
    @pytest.fixture
    def two_levels(self, content: Path) -> None:
        spec = content / "exercises" / "foundations" / "add-one" / "exercise.yaml"
        spec.write_text(spec.read_text().replace("  test_any:\n", "  test_any:\n    level: compiles\n"))

    def test_a_pass_of_some_levels_is_no_pass_of_the_exercise(self, two_levels, invoke, solve):
        solve("add-one", "wrong/constant")
        result = invoke("check", "add-one", "--level", "correct")
        assert result.exit_code == 0, result.stdout
        assert "compiles is open: not asked for" in result.stdout
        status = queries.statuses()["add-one"]
        assert not status.passed
        assert status.best_level is Level.CORRECT
        assert queries.attempts("add-one")[0].verdict is Outcome.OPEN

    def test_highest_is_the_strongest_that_can_be_checked(self, two_levels, invoke, solve):
        solve("add-one", "wrong/constant")
        result = invoke("check", "add-one", "--level", "highest")
        assert result.exit_code == 1
        assert "correct is open: not asked for" in result.stdout

    def test_all_levels_one_by_one_are_all_levels(self, two_levels, invoke, solve):
        solve("add-one")
        assert invoke("check", "add-one", "--level", "correct", "--level", "compiles").exit_code == 0
        assert queries.statuses()["add-one"].passed


def test_a_database_that_cannot_be_used_is_one_line_and_the_verdict_stands(invoke, solve, home: Path):
    solve("add-one")
    (home / "progress.db").write_bytes(b"this is no database" * 100)
    result = invoke("check", "add-one")
    assert result.exit_code == 0
    assert "✓ add-one: passed" in result.stdout
    assert result.stderr.count("\n") == 1
    assert "progress.db" in result.stderr
    assert (home / "progress.db").read_bytes() == b"this is no database" * 100


def test_broken_checks_are_an_error_and_exit_1(invoke, solve, content: Path):
    (content / "exercises" / "foundations" / "add-one" / "checks" / "test_add_one.py").write_text(
        "import nothing_like_it\n"
    )
    solve("add-one")
    result = invoke("check", "add-one")
    assert result.exit_code == 1
    assert "! add-one: error" in result.stdout
    assert "checks" in result.stdout
    assert not queries.statuses()["add-one"].passed


def test_ctrl_c_ends_a_check_cleanly_and_stores_nothing(spawn, solve, home: Path):
    folder = solve("add-one")
    (folder / "add_one.py").write_text("def add_one(n):\n    while True:\n        pass\n")
    process = spawn("check", "add-one")
    # the title comes with the first event, the first check is under way or about to be
    assert "add-one" in process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert not (home / "progress.db").exists()


def test_nothing_is_written_outside_the_home(solve, content: Path, tmp_path: Path):
    solve("add-one")
    before = sorted(str(p) for p in content.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "mlsys_path", "check", "add-one"],
        env={**os.environ, "HOME": str(tmp_path / "user"), "XDG_DATA_HOME": str(tmp_path / "xdg")},
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert not (tmp_path / "user").exists()
    assert not (tmp_path / "xdg").exists()
    assert sorted(str(p) for p in content.rglob("*")) == before
