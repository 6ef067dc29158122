"""Ids are forever."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.exercises.registry import NAME, register, registered, registry_problems


def test_registering_appends_and_keeps_what_is_there(tmp_path: Path):
    assert registered(tmp_path) == []
    register(tmp_path, "first")
    register(tmp_path, "second")
    assert registered(tmp_path) == ["first", "second"]
    assert (tmp_path / NAME).read_text().startswith("#")


def test_an_id_is_registered_once(tmp_path: Path):
    register(tmp_path, "first")
    with pytest.raises(UserError, match="never reused"):
        register(tmp_path, "first")


def test_the_registry_and_the_folders_agree():
    assert registry_problems(["a", "b"], ["b", "a"]) == {}


def test_an_id_that_was_removed_renamed_or_never_registered():
    problems = registry_problems(["a", "new-name"], ["a", "old-name"])
    assert "no folder" in problems["old-name"]
    assert "not in registry.txt" in problems["new-name"]


def test_an_id_that_is_there_twice():
    assert "twice" in registry_problems(["a"], ["a", "a"])["a"]


def test_a_registry_that_cannot_be_read(tmp_path: Path):
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=NAME):
        registered(tmp_path)


def test_the_committed_registry_names_every_exercise():
    root = locations.exercises_dir()
    assert registry_problems([p.parent.name for p in root.glob("*/*/exercise.yaml")], registered(root)) == {}
