"""The learner's copy: nothing of theirs is ever lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlsys_path.errors import UserError
from mlsys_path.exercises import workspace
from mlsys_path.language import Text
from mlsys_path.roadmap.model import Check, Exercise

NAME = Text("name", "名字")


@pytest.fixture
def exercise() -> Exercise:
    return Exercise("adding", NAME, NAME, "python", ("adding.py",), 1, 5, {"test_it": Check(NAME)}, (NAME,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    starter = tmp_path / "adding" / "starter"
    (starter / "more").mkdir(parents=True)
    (starter / "adding.py").write_text("# write it here\n")
    (starter / "more" / "data.txt").write_text("1 2 3\n")
    return starter.parent


def test_start_copies_the_starter(exercise, folder):
    path, new = workspace.start(exercise, folder)
    assert new
    assert (path / "adding.py").read_text() == "# write it here\n"
    assert (path / "more" / "data.txt").read_text() == "1 2 3\n"


def test_start_never_touches_what_is_there_and_adds_what_is_missing(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")
    (path / "more" / "data.txt").unlink()
    again, new = workspace.start(exercise, folder)
    assert (again, new) == (path, False)
    assert (path / "adding.py").read_text() == "mine\n"
    assert (path / "more" / "data.txt").exists()


def test_start_where_nothing_can_be_written(exercise, folder):
    workspace.workspace_of("adding").parent.parent.mkdir(parents=True)
    workspace.workspace_of("adding").parent.write_text("a file where the workspace should be")
    with pytest.raises(UserError, match="cannot be written"):
        workspace.start(exercise, folder)


def test_reset_keeps_the_learners_files_beside(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")
    first = workspace.reset(exercise, folder)
    (path / "adding.py").write_text("mine again\n")
    second = workspace.reset(exercise, folder)
    assert (path / "adding.py").read_text() == "# write it here\n"
    assert (first / "adding.py").read_text() == "mine\n"
    assert (second / "adding.py").read_text() == "mine again\n"


def test_a_reset_can_be_undone(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")
    workspace.undo_reset(exercise, workspace.reset(exercise, folder))
    assert (path / "adding.py").read_text() == "mine\n"


def test_what_was_not_started(exercise, folder):
    for call in (lambda: workspace.reset(exercise, folder), lambda: workspace.learner_files(exercise)):
        with pytest.raises(UserError, match="not started"):
            call()


def test_a_file_that_the_learner_removed(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").unlink()
    with pytest.raises(UserError, match=r"adding\.py is missing"):
        workspace.learner_files(exercise)


def test_the_difference(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    assert workspace.diff(exercise, folder) == ""
    (path / "adding.py").write_text("mine")
    (path / "new.py").write_text("x = 1\n")
    text = workspace.diff(exercise, folder)
    assert "-# write it here\n+mine\n" in text
    assert "+++ new.py\n" in text


def test_links_and_hidden_files_are_not_the_learners_solution(exercise, folder, tmp_path):
    path, _new = workspace.start(exercise, folder)
    (path / ".secret").write_text("x")
    os.symlink("/etc/passwd", path / "link")
    assert set(workspace.learner_files(exercise)) == {"adding.py", "more/data.txt"}
