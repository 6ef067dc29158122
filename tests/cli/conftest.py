"""A small roadmap with exercises that take no compiler, and a way to call the program on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlsys_path import language
from mlsys_path.cli.program import build

LESSON = (
    "# Adding {n}\n\n"
    + "\n".join(f"Line {i} of the lesson says something about adding." for i in range(40))
    + "\n"
)
LESSON_ZH = "# 加 {n}\n\n" + "\n".join(f"第 {i} 行：讲一点关于加法的内容。" for i in range(40)) + "\n"
SPEC = """\
id: {id}
title: {{en: Add {n}, zh: 加上 {n}}}
summary: {{en: "Adds {n} to a number.", zh: "给一个数加上 {n}。"}}
language: python
files: [{module}.py]
difficulty: 1
minutes: 5
requires: [{requires}]
reads: [a-book]
needs: {{python: [], tools: [{tools}], gpus: 0}}
limits: {{seconds: 20, memory_mb: 512, processes: 16}}
hints:
  - {{en: The first hint of {id}, zh: 第一条提示}}
  - {{en: The second hint of {id}, zh: 第二条提示}}
  - {{en: The third hint of {id}, zh: 第三条提示}}
checks:
  test_zero:
    title: {{en: Right for zero, zh: 对零正确}}
  test_any:
    title: {{en: Right for any number, zh: 对任意数都正确}}
    cause: {{en: "A constant is no sum.", zh: "常数不是和。"}}
wrong:
  identity: {{fails: test_zero}}
  constant: {{fails: test_any}}
"""
CHECKS = """\
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_equal


def test_zero(learner):
    assert_equal(learner.{module}(0), {n}, "the sum with 0")


@given(number=st.integers())
def test_any(learner, number):
    assert_equal(learner.{module}(number), number + {n}, "the sum")
"""
STAGE = """\
id: foundations
order: 1
title: {en: Foundations, zh: 基础}
summary: {en: The first things., zh: 最初的东西。}
topics:
  - id: adding
    title: {en: Adding, zh: 加法}
    summary: {en: Sums of two., zh: 两数之和。}
    reads: [{resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}]
    exercises: [add-one, add-two, add-nowhere]
"""
RESOURCES = """\
resources:
  - id: a-book
    title: {en: A book of sums, zh: 加法之书}
    kind: book
    urls: ["https://example.org/sums"]
    summary: {en: All about sums., zh: 关于加法的一切。}
"""
TRACK = """\
id: arithmetic
title: {en: The arithmetic track, zh: 算术之路}
summary: {en: Sums and nothing else., zh: 只有加法。}
steps: [{exercise: add-two}]
"""


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def add_exercise(root: Path, exercise_id: str, n: int, *, requires: str = "", tools: str = "") -> Path:
    """One complete exercise: a function that adds n."""
    module = exercise_id.replace("-", "_")
    folder = root / "exercises" / "foundations" / exercise_id
    fill = {"id": exercise_id, "n": n, "module": module, "requires": requires, "tools": tools}
    write(folder / "exercise.yaml", SPEC.format(**fill))
    write(folder / "README.md", LESSON.format(**fill))
    write(folder / "README.zh.md", LESSON_ZH.format(**fill))
    write(folder / "checks" / f"test_{module}.py", CHECKS.format(**fill))
    bodies = {
        "starter": f'raise NotImplementedError("write {module}(): return the number plus {n}")',
        "solution": f"return number + {n}",
        "wrong/identity": "return number",
        "wrong/constant": f"return {n}",
    }
    for name, body in bodies.items():
        write(folder / name / f"{module}.py", f"def {module}(number):\n    {body}\n")
    return folder


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three exercises: one that is open, one that builds on it, one that no machine can check."""
    root = tmp_path / "content"
    add_exercise(root, "add-one", 1)
    add_exercise(root, "add-two", 2, requires="add-one")
    add_exercise(root, "add-nowhere", 3, tools="no-such-program")
    write(root / "exercises" / "registry.txt", "# ids\nadd-one\nadd-two\nadd-nowhere\n")
    write(root / "roadmap" / "stages" / "01-foundations.yaml", STAGE)
    write(root / "roadmap" / "resources" / "books.yaml", RESOURCES)
    write(root / "roadmap" / "tracks" / "arithmetic.yaml", TRACK)
    monkeypatch.setenv("MLSYS_PATH_EXERCISES", str(root / "exercises"))
    monkeypatch.setenv("MLSYS_PATH_ROADMAP", str(root / "roadmap"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return root


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(content: Path) -> Invoke:
    """Call the program in this process: `invoke("list", "--json")`."""

    def call(*args: str) -> Result:
        language.use("en")
        return CliRunner().invoke(build(), list(args))

    return call


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder that holds all that the program writes."""
    return tmp_path / "home"


@pytest.fixture
def solve(content: Path, home: Path) -> Callable[..., Path]:
    """Put a variant's files into the workspace, as a learner would have written them: `solve("add-one")`."""

    def put(exercise_id: str, variant: str = "solution") -> Path:
        target = home / "workspace" / exercise_id
        shutil.copytree(
            content / "exercises" / "foundations" / exercise_id / variant, target, dirs_exist_ok=True
        )
        return target

    return put


@pytest.fixture
def spawn(content: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a process of its own, in a process group of its own; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: str, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlsys_path", *args],
            **{  # type: ignore[call-overload]
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                "env": {**os.environ, "PYTHONUNBUFFERED": "1"},
                "start_new_session": True,
                **options,
            },
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
