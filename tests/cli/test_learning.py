"""The commands around checking: list, next, show, start, hint, solution, diff, reset, progress, track, doctor."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlsys_path.checking.timing.ceilings import Ceilings
from mlsys_path.checking.timing.ceilings import store as store_ceilings
from mlsys_path.cli.commands import doctor
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.records import Machine
from mlsys_path.progress import queries
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store


@pytest.fixture
def attempt():
    """Store an attempt as `check` would, without making a run: `attempt("add-one", Outcome.PASSED)`."""
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    count = iter(range(100))

    def record(exercise: str, verdict: Outcome, exercise_hash: str = "hash") -> None:
        with Store.open() as store:
            store.record(
                Attempt.new(
                    exercise=exercise,
                    started_at=began + timedelta(minutes=next(count)),
                    seconds=1.0,
                    verdict=verdict,
                    levels={Level.CORRECT: verdict},
                    files_hash="files",
                    exercise_hash=exercise_hash,
                )
            )

    return record


def shown(invoke, *args: str) -> dict:
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document.pop("schema") == 1
    return document


class TestList:
    def test_a_newcomer(self, invoke):
        result = invoke("list")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert lines[0] == "Foundations"
        assert "· new" in lines[1]
        assert "add-one" in lines[1]
        assert "- blocked" in lines[2]
        assert "(after add-one)" in lines[2]
        assert lines[-1] == "3 exercises, 0 passed"

    def test_states(self, invoke, attempt):
        attempt("add-one", Outcome.PASSED)
        attempt("add-two", Outcome.FAILED)
        states = {e["id"]: (e["status"], e["state"]) for e in shown(invoke, "list")["exercises"]}
        assert states == {
            "add-one": ("passed", "passed"),
            "add-two": ("open", "failed"),
            "add-nowhere": ("open", "new"),
        }

    def test_a_pass_stays_a_pass_and_says_that_the_exercise_changed(self, invoke, attempt):
        attempt("add-one", Outcome.PASSED, exercise_hash="of an earlier text")
        [one] = shown(invoke, "list", "--status", "passed")["exercises"]
        assert one["exercise_changed"]
        assert "changed since you passed" in invoke("list").stdout

    @pytest.mark.parametrize(
        ("args", "ids"),
        [
            (["--status", "blocked"], ["add-two"]),
            (["--status", "open"], ["add-one", "add-nowhere"]),
            (["--status", "passed"], []),
            (["--track", "arithmetic"], ["add-two"]),
            (["--stage", "foundations"], ["add-one", "add-two", "add-nowhere"]),
            (["--track", "arithmetic", "--status", "open"], []),
        ],
    )
    def test_filters(self, invoke, args, ids):
        assert [e["id"] for e in shown(invoke, "list", *args)["exercises"]] == ids

    def test_nothing_matches(self, invoke):
        result = invoke("list", "--status", "passed")
        assert result.exit_code == 2
        assert "nothing matches" in result.stderr

    def test_chinese_titles_stay_within_the_terminal(self, invoke, monkeypatch, content: Path):
        from rich.cells import cell_len

        spec = content / "exercises" / "foundations" / "add-one" / "exercise.yaml"
        spec.write_text(spec.read_text().replace("zh: 加上 1}", "zh: " + "很长的标题" * 20 + "}"))
        monkeypatch.setenv("COLUMNS", "80")
        lines = invoke("--lang", "zh", "list").stdout.splitlines()
        assert max(map(cell_len, lines)) <= 80
        assert any("很长的标题" in line and line.endswith("…") for line in lines)


class TestNext:
    def test_a_newcomer_begins_at_the_beginning(self, invoke):
        result = invoke("next")
        assert result.exit_code == 0
        assert "\nThen:\nadd-one  Add 1\n" in result.stdout
        assert "mlsys-path start add-one" in result.stdout

    def test_what_failed_last_comes_first_and_what_cannot_be_checked_last(self, invoke, attempt):
        attempt("add-one", Outcome.PASSED)
        attempt("add-two", Outcome.FAILED)
        found = shown(invoke, "next")["suggestions"]
        assert [(s["id"], s["reason_kind"]) for s in found] == [
            ("add-two", "failed"),
            ("add-nowhere", "uncheckable"),
        ]

    def test_the_followed_track_leads(self, invoke):
        assert invoke("track", "follow", "arithmetic").exit_code == 0
        [first, *_others] = shown(invoke, "next")["suggestions"]
        assert (first["id"], first["reason_kind"]) == ("add-one", "track")

    def test_everything_passed(self, invoke, attempt):
        for exercise in ("add-one", "add-two", "add-nowhere"):
            attempt(exercise, Outcome.PASSED)
        assert "every exercise" in invoke("next").stdout
        assert shown(invoke, "next")["suggestions"] == []


class TestShow:
    def test_a_lesson(self, invoke):
        result = invoke("show", "add-one")
        assert result.exit_code == 0
        assert result.stdout.startswith("# Adding 1\n")
        assert "`mlsys-path start add-one`" in result.stdout

    def test_in_chinese(self, invoke):
        assert invoke("show", "add-one", "--lang", "zh").stdout.startswith("# 加 1\n")
        assert invoke("--lang", "zh", "show", "add-one").stdout.startswith("# 加 1\n")

    def test_where_the_learners_files_are(self, invoke, home: Path):
        invoke("start", "add-one")
        assert str(home / "workspace" / "add-one") in invoke("show", "add-one").stdout

    @pytest.mark.parametrize(
        ("record", "words"),
        [
            ("foundations", ["# Foundations", "`adding`: **Adding**", "Sums of two."]),
            ("adding", ["# Adding", "`add-two`: Add 2", "A book of sums"]),
            ("arithmetic", ["# The arithmetic track", "`add-two`"]),
            ("a-book", ["# A book of sums", "https://example.org/sums"]),
        ],
    )
    def test_other_records(self, invoke, record, words):
        result = invoke("show", record)
        assert result.exit_code == 0
        assert all(word in result.stdout for word in words), result.stdout


class TestWorkspace:
    def test_start_prints_the_folder_and_nothing_else_on_stdout(self, invoke, home: Path):
        result = invoke("start", "add-one")
        assert result.stdout == f"{home / 'workspace' / 'add-one'}\n"
        assert "add_one.py" in result.stderr
        assert queries.statuses()["add-one"].state == "started"

    def test_a_second_start_is_no_second_event(self, invoke, home: Path):
        invoke("start", "add-one")
        invoke("start", "add-one")
        with sqlite3.connect(home / "progress.db") as database:
            assert database.execute("SELECT count(*) FROM events").fetchone() == (1,)

    def test_diff_and_reset(self, invoke, solve, home: Path):
        assert invoke("diff", "add-one").exit_code == 2
        invoke("start", "add-one")
        assert invoke("diff", "add-one").stdout == ""
        solve("add-one")
        assert "+    return number + 1\n" in invoke("diff", "add-one").stdout
        result = invoke("reset", "add-one")
        assert result.exit_code == 0
        backup = Path(result.stdout.strip().rpartition(" ")[2])
        assert "return number + 1" in (backup / "add_one.py").read_text()
        assert invoke("diff", "add-one").stdout == ""
        result = invoke("reset", "add-one", "--undo")
        assert result.stdout == "add-one: your files are back\n"
        assert "+    return number + 1\n" in invoke("diff", "add-one").stdout
        assert "there is no reset to undo" in invoke("reset", "add-one", "--undo").stderr

    def test_a_read_only_database_does_not_keep_the_starter_away(self, invoke, home: Path):
        home.mkdir()
        (home / "progress.db").write_bytes(b"this is no database" * 100)
        result = invoke("start", "add-one")
        assert result.exit_code == 0
        assert (home / "workspace" / "add-one" / "add_one.py").exists()
        assert "progress.db" in result.stderr


class TestHelp:
    def test_one_more_hint_each_time(self, invoke):
        for number, word in enumerate(("first", "second", "third"), start=1):
            result = invoke("hint", "add-one")
            assert result.stdout == f"Hint {number} of 3  The {word} hint of add-one\n"
        after = invoke("hint", "add-one").stdout
        assert all(f"Hint {number} of 3" in after for number in (1, 2, 3))
        assert "--reveal" in after
        assert queries.hints_seen("add-one") == 3

    def test_all_hints(self, invoke):
        result = invoke("hint", "add-one", "--all")
        assert result.stdout.count("Hint ") == 3
        assert queries.hints_seen("add-one") == 3

    def test_hints_in_chinese(self, invoke):
        assert "第一条提示" in invoke("--lang", "zh", "hint", "add-one").stdout

    def test_the_solution_is_for_those_who_have_passed(self, invoke, attempt):
        result = invoke("solution", "add-one")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--reveal" in result.stderr
        attempt("add-one", Outcome.PASSED)
        result = invoke("solution", "add-one")
        assert "return number + 1" in result.stdout
        assert not queries.statuses()["add-one"].solution_seen

    def test_or_for_those_who_ask_for_it_and_this_is_remembered(self, invoke):
        assert "return number + 1" in invoke("solution", "add-one", "--reveal").stdout
        assert queries.statuses()["add-one"].solution_seen


class TestProgress:
    def test_a_newcomer(self, invoke):
        result = invoke("progress")
        assert result.exit_code == 0
        assert "0 exercises passed · 0 attempts" in result.stdout
        assert "0/3" in result.stdout

    def test_what_was_done(self, invoke, attempt):
        attempt("add-one", Outcome.FAILED)
        attempt("add-one", Outcome.PASSED)
        document = shown(invoke, "progress")
        assert (document["passes"], document["attempts"]) == (1, 2)
        assert document["stages"] == [
            {"id": "foundations", "title": "Foundations", "exercises": 3, "passed": 1}
        ]
        assert [a["verdict"] for a in document["recent"]] == ["passed", "failed"]
        assert [e["id"] for e in document["exercises"]] == ["add-one"]
        assert "1/3" in invoke("progress").stdout

    def test_attempts_of_exercises_that_this_roadmap_does_not_have(self, invoke, attempt):
        attempt("of-another-roadmap", Outcome.PASSED)
        assert invoke("progress").exit_code == 0
        assert invoke("list").exit_code == 0
        assert invoke("next").exit_code == 0

    def test_a_database_that_cannot_be_read_is_one_line(self, invoke, home: Path):
        home.mkdir()
        (home / "progress.db").write_bytes(b"this is no database" * 100)
        for command in ("progress", "next", "list"):
            result = invoke(command)
            assert (result.exit_code, result.stdout) == (2, "")
            assert result.stderr.count("\n") == 1


class TestTrack:
    def test_list_show_and_follow(self, invoke, attempt):
        attempt("add-two", Outcome.PASSED)
        [track] = shown(invoke, "track", "list")["tracks"]
        assert (track["id"], track["passed"], track["followed"]) == ("arithmetic", 1, False)
        assert "The arithmetic track" in invoke("track", "follow", "arithmetic").stdout
        assert shown(invoke, "track", "show", "arithmetic")["track"]["followed"]
        assert "(followed)" in invoke("track", "list").stdout
        assert invoke("track", "follow", "--none").exit_code == 0
        assert not shown(invoke, "track", "show", "arithmetic")["track"]["followed"]

    @pytest.mark.parametrize("args", [[], ["arithmetic", "--none"], ["arithmatic"]])
    def test_bad_input(self, invoke, args):
        result = invoke("track", "follow", *args)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1


def test_export_and_import(invoke, attempt, home: Path, tmp_path: Path):
    attempt("add-one", Outcome.PASSED)
    invoke("track", "follow", "arithmetic")
    result = invoke("export", str(tmp_path / "mine.gz"))
    assert result.exit_code == 0
    assert "2 records" in result.stdout
    (home / "progress.db").unlink()
    result = invoke("import", str(tmp_path / "mine.gz"))
    assert (
        "added: 1 attempt, 0 events, 1 setting, 0 words of yours; known already: 0 records" in result.stdout
    )
    assert queries.statuses()["add-one"].passed
    assert "added: 0 attempts" in invoke("import", str(tmp_path / "mine.gz")).stdout
    assert invoke("import", str(tmp_path / "nothing.gz")).exit_code == 2


def test_doctor(invoke):
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "sandbox" in result.stdout
    assert "no-such-program" in result.stdout
    document = shown(invoke, "doctor")
    [row] = document["languages"]
    assert (row["language"], row["level"], row["exercises"], row["ready"]) == ("python", "correct", 3, 2)


CEILINGS = Ceilings("NVIDIA H200", "a driver", 3.9e12, 4.1e12, 2e-6, {"float32": 5e13}, "2026-01-31")


class TestDoctorOfCeilings:
    def test_those_that_are_kept_are_shown(self, invoke):
        store_ceilings(CEILINGS)
        told = (
            "NVIDIA H200, measured on 2026-01-31:\n"
            "  memory: copy 3.9 TB/s, read 4.1 TB/s; an empty launch: 2 µs\n"
            "  matrix products: float32 50 TFLOP/s\n"
        )
        assert told in invoke("doctor").stdout
        assert shown(invoke, "doctor")["ceilings"] == [asdict(CEILINGS)]

    def test_without_a_gpu_nothing_is_measured(self, invoke, monkeypatch):
        monkeypatch.setattr(doctor, "inspect", lambda: Machine(modules={"torch"}))
        result = invoke("doctor", "--measure")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("nothing was measured: needs an NVIDIA GPU")
        assert result.stderr.count("\n") == 1

    def test_with_one_they_are_measured_again(self, invoke, monkeypatch):
        monkeypatch.setattr(doctor, "_cannot_measure", lambda _machine: "")
        monkeypatch.setattr(doctor, "_measured", lambda: CEILINGS)
        assert invoke("doctor", "--measure").stdout.startswith("NVIDIA H200, measured on 2026-01-31:\n")
        assert shown(invoke, "doctor", "--measure")["ceilings"] == [asdict(CEILINGS)]

    def test_a_gpu_that_does_not_answer_is_one_line(self, invoke, monkeypatch):
        def lost(*_args, **_options):
            raise RuntimeError("CUDA error: the device is lost\nmore")

        monkeypatch.setattr(doctor, "_cannot_measure", lambda _machine: "")
        monkeypatch.setattr("mlsys_path.checking.worker.stopwatch.clock_of", lost)
        result = invoke("doctor", "--measure")
        assert result.exit_code == 2
        assert "the GPU could not be measured: CUDA error: the device is lost\n" in result.stderr
