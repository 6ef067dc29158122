"""What `author verify` decides: from files alone, and from how runs ended. No run is made here."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from mlsys_path.exercises.verification import (
    UNFINISHED,
    Run,
    folder_problems,
    half,
    solution_problem,
    starter_problem,
    verify,
    wrong_problem,
)
from mlsys_path.language import Text
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Check, Exercise, Limits, Wrong

PASSED = Run(Outcome.PASSED)
HELPFUL = Run(Outcome.FAILED, "test_first", "NotImplementedError: write add(): return the sum")


def text(en: str = "some words") -> Text:
    return Text(en, "一些文字")


@pytest.fixture
def exercise() -> Exercise:
    return Exercise(
        id="adding",
        title=text(),
        summary=text(),
        language="python",
        files=("adding.py",),
        difficulty=1,
        minutes=5,
        checks={
            "test_first": Check(text()),
            "test_second": Check(text(), cause=text()),
            "test_gpu": Check(text(), Level.GPU),
        },
        hints=(text(), text(), text()),
        limits=Limits(seconds=20, memory_mb=1000),
        wrong={"one": Wrong("test_first"), "two": Wrong("test_second")},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "adding"
    files = {
        "README.md": "# Adding\n" + "a line\n" * 40,
        "README.zh.md": "# 加法\n" + "一行\n" * 40,
        "checks/test_adding.py": "def test_first(learner): ...\n",
        **{
            f"{part}/adding.py": f"PART = {part!r}\n"
            for part in ("starter", "solution", "wrong/one", "wrong/two")
        },
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def told(exercise: Exercise, folder: Path) -> list[str]:
    return [f"{p.where}: {p.message}" for p in folder_problems(exercise, folder)]


class TestFiles:
    def test_a_complete_folder_has_no_problem(self, exercise, folder):
        assert told(exercise, folder) == []

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"hints": (text(), text())}, "2 hints: write at least 3"),
            ({"wrong": {"one": Wrong("test_first")}}, "1 wrong solutions: write at least 2"),
            ({"title": Text("Adding", "Adding")}, "title: the Chinese text holds no Chinese"),
            ({"summary": Text(" ", "一些文字")}, "summary: the English text is empty"),
            (
                {"hints": (text(), text(), Text("a hint", "hint"))},
                "hints[3]: the Chinese text holds no Chinese",
            ),
            ({"files": ("adding.py", "more.py")}, "starter/more.py: is in `files` and missing here"),
            ({"files": ("adding.py", "more.py")}, "solution/more.py: is in `files` and missing here"),
            (
                {
                    "wrong": {
                        "one": Wrong("test_first"),
                        "two": Wrong("test_second"),
                        "three": Wrong("test_first"),
                    }
                },
                "wrong/three: is in exercise.yaml and has no folder",
            ),
            ({"checks": {"test_first": Check(text(), cause=Text("why", "why"))}}, "checks.test_first.cause"),
        ],
    )
    def test_a_spec_that_lacks_something(self, exercise, folder, change, words):
        found = told(dataclasses.replace(exercise, **change), folder)
        assert any(words in line for line in found), found

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("README.md", None, "README.md: the lesson is missing"),
            ("README.zh.md", None, "README.zh.md: the lesson is missing"),
            ("README.md", "# Adding\n", "README.md: 1 lines: a lesson needs at least 30"),
            ("README.md", "Adding\n" * 40, "README.md: begin with a title"),
            ("README.zh.md", "# Adding\n" + "words\n" * 40, "README.zh.md: holds no Chinese"),
            ("checks/test_adding.py", None, "checks: there is no test_*.py"),
            ("wrong/three/adding.py", "x", "wrong/three: has no entry under `wrong`"),
            ("wrong/one/adding.py", None, "wrong/one: is empty"),
            (
                "starter/adding.py",
                f"# {UNFINISHED} this\n",
                f"starter/adding.py: {UNFINISHED} is still in it",
            ),
        ],
    )
    def test_a_folder_that_lacks_something(self, exercise, folder, name, content, words):
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        found = told(exercise, folder)
        assert any(line.startswith(words) for line in found), found

    def test_every_problem_is_told_and_not_the_first(self, exercise, folder):
        (folder / "README.md").unlink()
        (folder / "README.zh.md").unlink()
        assert len(told(dataclasses.replace(exercise, hints=(text(),)), folder)) == 3


class TestRuns:
    @pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.OPEN])
    def test_a_solution_that_passes_what_can_be_checked(self, outcome):
        assert solution_problem(Run(outcome)) == ""

    @pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR])
    def test_a_solution_that_does_not(self, outcome):
        assert "test_first" in solution_problem(Run(outcome, "test_first", "wrong"))

    def test_a_starter_must_fail_with_a_word_that_helps(self):
        assert starter_problem(HELPFUL) == ""
        assert starter_problem(Run(Outcome.FAILED, "test_first", "请先实现 add")) == ""
        assert "must fail" in starter_problem(PASSED)
        assert "must fail" in starter_problem(Run(Outcome.ERROR, message="broken"))
        for words in ("", "NotImplementedError", "1 != 2"):
            assert "does not say what to do" in starter_problem(Run(Outcome.FAILED, "test_first", words))

    def test_a_wrong_solution_fails_first_where_its_entry_says(self, exercise):
        assert wrong_problem(exercise, "two", Run(Outcome.FAILED, "test_second", "m")) == ""
        assert "fails first at test_first" in wrong_problem(
            exercise, "two", Run(Outcome.FAILED, "test_first", "m")
        )
        assert "passes, and must fail" in wrong_problem(exercise, "two", PASSED)
        assert "ended as error" in wrong_problem(exercise, "two", Run(Outcome.ERROR, "test_second", "m"))

    def test_a_wrong_solution_whose_check_does_not_exist(self, exercise):
        changed = dataclasses.replace(exercise, wrong={"one": Wrong("test_nothing")})
        assert "names no check" in wrong_problem(changed, "one", Run(Outcome.FAILED, "test_first", "m"))

    def test_a_wrong_solution_whose_level_is_open_here_proves_nothing(self, exercise):
        changed = dataclasses.replace(exercise, wrong={"slow": Wrong("test_gpu")})
        here = Run(Outcome.PASSED, open_because={Level.GPU: "needs a GPU"})
        assert wrong_problem(changed, "slow", here) == ""
        elsewhere = Run(Outcome.FAILED, "test_first", "m", {Level.GPU: "not run"})
        assert "fails first at test_first" in wrong_problem(changed, "slow", elsewhere)


class TestVerify:
    """The whole of it, with runs that end as the test says."""

    def report(self, exercise, folder, ends, **options):
        made = []
        asked = self.asked = {}

        async def run(spec, files, last):
            part = next(
                p
                for p in ("starter", "solution", "wrong/one", "wrong/two")
                if repr(p) in files["adding.py"].decode()
            )
            made.append((part, spec.limits))
            asked[part] = last
            end = ends[part]
            return end(spec) if callable(end) else end

        return asyncio.run(verify(exercise, folder, run, **options)), made

    @pytest.fixture
    def ends(self):
        return {
            "solution": PASSED,
            "starter": HELPFUL,
            "wrong/one": Run(Outcome.FAILED, "test_first", "m"),
            "wrong/two": Run(Outcome.FAILED, "test_second", "m"),
        }

    def test_all_promises_kept(self, exercise, folder, ends):
        report, made = self.report(exercise, folder, ends)
        assert report.problems == ()
        assert [v.name for v in report.variants] == ["solution", "starter", "wrong/one", "wrong/two"]
        assert len(made) == 4

    def test_the_solution_runs_within_half_of_its_limits(self, exercise, folder, ends):
        _report, made = self.report(exercise, folder, ends)
        assert dict(made)["solution"] == Limits(seconds=10, memory_mb=500)
        assert dict(made)["starter"] == exercise.limits

    def test_a_wrong_solution_runs_up_to_the_level_that_catches_it(self, exercise, folder, ends):
        self.report(exercise, folder, ends)
        assert self.asked["solution"] is None
        assert self.asked["wrong/one"] is exercise.checks["test_first"].level

    def test_nothing_beyond_the_level_that_is_asked_for_is_run(self, exercise, folder, ends):
        self.report(exercise, folder, ends, level=Level.CORRECT)
        assert set(self.asked.values()) == {Level.CORRECT}

    def test_a_solution_that_needs_more_than_half(self, exercise, folder, ends):
        def end(spec):
            return (
                PASSED if spec.limits == exercise.limits else Run(Outcome.FAILED, "test_first", "out of time")
            )

        report, _made = self.report(exercise, folder, {**ends, "solution": end})
        [problem] = report.problems
        assert "more than half of its limits (out of time)" in problem.message

    def test_a_solution_that_fails_is_not_told_to_raise_its_limits(self, exercise, folder, ends):
        report, _made = self.report(
            exercise, folder, {**ends, "solution": Run(Outcome.FAILED, "test_first", "wrong")}
        )
        [problem] = report.problems
        assert problem.where == "solution"
        assert "must pass" in problem.message

    def test_every_broken_promise_is_told(self, exercise, folder, ends):
        report, _made = self.report(exercise, folder, dict.fromkeys(ends, PASSED))
        assert [p.where for p in report.problems] == ["starter", "wrong/one", "wrong/two"]

    def test_runs_are_repeated_until_one_breaks_its_promise(self, exercise, folder, ends):
        count = iter(range(10))

        def flaky(_spec):
            return ends["wrong/two"] if next(count) < 2 else PASSED

        report, made = self.report(exercise, folder, {**ends, "wrong/two": flaky}, repeat=5)
        assert [p.where for p in report.problems] == ["wrong/two"]
        assert [part for part, _limits in made].count("wrong/two") == 3
        assert [part for part, _limits in made].count("wrong/one") == 5

    def test_wrong_solutions_get_the_files_that_they_do_not_change(self, exercise, folder, ends):
        (folder / "solution" / "more.py").write_text("MORE = 1\n")
        seen = {}

        async def run(_spec, files, _last):
            seen[files["adding.py"]] = set(files)
            return PASSED

        asyncio.run(verify(exercise, folder, run))
        assert seen[(folder / "wrong/one/adding.py").read_bytes()] == {"adding.py", "more.py"}

    def test_what_is_open_is_reported(self, exercise, folder, ends):
        here = Run(Outcome.PASSED, open_because={Level.GPU: "needs a GPU"})
        report, _made = self.report(exercise, folder, {**ends, "solution": here})
        assert report.problems == ()
        assert report.open_because == {Level.GPU: "needs a GPU"}

    def test_a_folder_without_a_solution_is_no_crash(self, exercise, folder, ends):
        (folder / "solution" / "adding.py").unlink()
        (folder / "solution").rmdir()
        report, made = self.report(exercise, folder, ends)
        assert made == []
        assert any("no such folder" in p.message for p in report.problems)


def test_half_never_goes_below_what_a_spec_may_ask_for():
    assert half(Limits(seconds=1, memory_mb=64)) == Limits(seconds=1, memory_mb=64)
