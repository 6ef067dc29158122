"""`author new`: what it makes is complete but for what only its author can write."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from mlsys_path.errors import UserError
from mlsys_path.exercises.registry import registered
from mlsys_path.exercises.scaffold import scaffold
from mlsys_path.exercises.verification import folder_problems
from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.model import AdapterName
from mlsys_path.roadmap.sources import Source

STAGES = ("os", "cuda")

# what is the author's to write: lessons, texts and wrong solutions
AUTHORS = {"exercise.yaml", "README.md", "README.zh.md"}


@pytest.mark.parametrize("language", get_args(AdapterName))
def test_only_the_authors_part_is_missing(tmp_path: Path, language):
    folder = scaffold(tmp_path, "os/my-own-thing", language, STAGES)
    assert folder == tmp_path / "os" / "my-own-thing"
    content = read_all([Source(tmp_path / "roadmap", tmp_path)])
    assert [
        str(p) for p in content.problems if "exercise.yaml" in p.file.name and "no topic" not in p.message
    ] == []
    exercise = content.exercises["my-own-thing"]
    assert exercise.language == language
    problems = folder_problems(exercise, folder)
    assert {p.where for p in problems} == AUTHORS
    assert "@" not in "".join(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("language", get_args(AdapterName))
def test_its_checks_are_those_that_the_spec_declares(tmp_path: Path, language):
    folder = scaffold(tmp_path, "os/my-own-thing", language, STAGES)
    exercise = read_all([Source(tmp_path / "roadmap", tmp_path)]).exercises["my-own-thing"]
    [checks] = (folder / "checks").glob("test_*.py")
    functions = [
        node.name for node in ast.parse(checks.read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    assert functions == list(exercise.checks)


def test_the_id_is_registered(tmp_path: Path):
    scaffold(tmp_path, "os/my-own-thing", "python", STAGES)
    assert registered(tmp_path) == ["my-own-thing"]


@pytest.mark.parametrize(
    "name", ["my-own-thing", "nowhere/thing", "os/", "os/Thing", "os/a/b", "os/..", "os/-a", "/os/a"]
)
def test_a_name_that_is_none(tmp_path: Path, name):
    with pytest.raises(UserError, match="STAGE/ID"):
        scaffold(tmp_path, name, "python", STAGES)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken(tmp_path: Path):
    scaffold(tmp_path, "os/thing", "python", STAGES)
    with pytest.raises(UserError, match="never reused"):
        scaffold(tmp_path, "cuda/thing", "c", STAGES)


def test_a_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "os").write_text("a file where the stage's folder should be")
    with pytest.raises(UserError, match="cannot be written"):
        scaffold(tmp_path, "os/thing", "python", STAGES)
    assert registered(tmp_path) == []
