"""Reading and hashing an exercise's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsys_path.errors import UserError
from mlsys_path.exercises import folder as folders
from mlsys_path.exercises.folder import exercise_hash, hash_files, lesson, read_files


def test_hashes_differ_with_name_content_and_place():
    hashes = {
        hash_files(files)
        for files in (
            {},
            {"a": b""},
            {"b": b""},
            {"a": b"b"},
            {"a": b"", "b": b""},
            {"ab": b""},
            {"a:0": b""},
        )
    }
    assert len(hashes) == 7
    assert hash_files({"a": b"1", "b": b"2"}) == hash_files({"b": b"2", "a": b"1"})


def test_an_exercises_hash_is_of_what_decides_a_verdict(tmp_path: Path):
    for name in ("exercise.yaml", "README.md", "checks/test_it.py", "harness/drive.py", "solution/it.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    before = exercise_hash(tmp_path)
    for name in ("README.md", "solution/it.py"):
        (tmp_path / name).write_text("two")
        assert exercise_hash(tmp_path) == before
    for name in ("exercise.yaml", "checks/test_it.py", "harness/drive.py"):
        (tmp_path / name).write_text("two")
        assert exercise_hash(tmp_path) != before
        before = exercise_hash(tmp_path)


def test_caches_are_left_out(tmp_path: Path):
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "it.pyc").write_bytes(b"x")
    (tmp_path / "it.py").write_text("x")
    assert set(read_files(tmp_path)) == {"it.py"}


def test_too_much_is_refused_before_it_is_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_BYTES", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(UserError, match="keep only what the exercise needs"):
        read_files(tmp_path)


def test_too_many_are_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_FILES", 2)
    for n in range(3):
        (tmp_path / f"{n}.py").write_text("")
    with pytest.raises(UserError, match="keep only what the exercise needs"):
        read_files(tmp_path)


def test_a_lesson_in_either_language(tmp_path: Path):
    (tmp_path / "README.md").write_text("# Lesson", encoding="utf-8")
    (tmp_path / "README.zh.md").write_text("# 课文", encoding="utf-8")
    assert (lesson(tmp_path, "en"), lesson(tmp_path, "zh")) == ("# Lesson", "# 课文")
    (tmp_path / "README.md").unlink()
    with pytest.raises(UserError, match="README"):
        lesson(tmp_path, "en")
