"""The learner's copy: nothing of theirs is ever lost."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from mlsys_path.errors import UserError
from mlsys_path.exercises import workspace
from mlsys_path.language import Text
from mlsys_path.roadmap.model import Check, Exercise, Renames

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


def test_a_reset_that_fails_leaves_the_learners_files_where_they_were(exercise, folder, monkeypatch):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")

    def full(_exercise, _folder):
        path.mkdir()
        raise UserError("No space left on device")

    monkeypatch.setattr(workspace, "start", full)
    with pytest.raises(UserError, match="No space left"):
        workspace.reset(exercise, folder)
    assert (path / "adding.py").read_text() == "mine\n"


def test_a_reset_can_be_undone(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")
    workspace.undo_reset(exercise, workspace.reset(exercise, folder))
    assert (path / "adding.py").read_text() == "mine\n"


def test_the_last_reset_is_found_and_undone_without_losing_what_was_written_since(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    with pytest.raises(UserError, match="there is no reset to undo"):
        workspace.bring_back(exercise, folder)
    (path / "adding.py").write_text("first\n")
    workspace.reset(exercise, folder)
    (path / "adding.py").write_text("second\n")
    backup = workspace.reset(exercise, folder)
    assert workspace.last_backup("adding") == backup
    assert abs((datetime.now().astimezone() - workspace.reset_at(backup)).total_seconds()) < 60
    (path / "adding.py").write_text("third\n")
    found, kept = workspace.bring_back(exercise, folder)
    assert found == backup and (path / "adding.py").read_text() == "second\n"
    assert kept is not None and (kept / "adding.py").read_text() == "third\n"


def test_an_undo_of_an_untouched_starter_keeps_no_copy_of_it(exercise, folder):
    path, _new = workspace.start(exercise, folder)
    (path / "adding.py").write_text("mine\n")
    workspace.reset(exercise, folder)
    assert workspace.bring_back(exercise, folder)[1] is None
    assert (path / "adding.py").read_text() == "mine\n"
    assert workspace.last_backup("adding") is None


def test_backups_of_an_exercise_whose_name_begins_alike_are_not_taken(exercise, folder):
    backups = workspace.workspace_of("adding").parent / ".backups"
    (backups / "adding-more-20260101-000000").mkdir(parents=True)
    assert workspace.last_backup("adding") is None
    for name in ("adding-20260101-000000-2", "adding-20260101-000000-10", "adding-20250101-000000"):
        (backups / name).mkdir()
    assert workspace.last_backup("adding") == backups / "adding-20260101-000000-10"


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


RENAMES = Renames(exercises={"oldest": "sums", "sums": "adding", "plus": "adding"})


def mine(name: str, text: str = "mine\n") -> Path:
    """A folder of an id, with what the learner wrote."""
    file = workspace.workspace_of(name) / "adding.py"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", ["sums", "oldest", "plus"])
def test_a_folder_of_an_earlier_id_is_used_and_moves_once(exercise, folder, name):
    mine(name)
    assert workspace.folder_of("adding", RENAMES) == workspace.workspace_of(name)
    workspace.adopt("adding", RENAMES)
    workspace.adopt("adding", RENAMES)
    path, new = workspace.start(exercise, folder)
    assert (path, new) == (workspace.workspace_of("adding"), False)
    assert (path / "adding.py").read_text() == "mine\n"
    assert not workspace.workspace_of(name).exists()


def test_when_there_are_both_both_stay(exercise):
    mine("sums", "the old\n")
    mine("adding", "the new\n")
    workspace.adopt("adding", RENAMES)
    assert workspace.learner_files(exercise) == {"adding.py": b"the new\n"}
    assert (workspace.workspace_of("sums") / "adding.py").read_text() == "the old\n"


def test_of_several_earlier_folders_the_nearest_moves_and_the_others_stay(exercise):
    for name in ("oldest", "sums"):
        mine(name, name)
    workspace.adopt("adding", RENAMES)
    assert workspace.learner_files(exercise) == {"adding.py": b"sums"}
    assert workspace.workspace_of("oldest").is_dir()


def test_nothing_is_moved_over_a_file_or_a_link_that_leads_nowhere(exercise):
    mine("sums")
    workspace.workspace_of("adding").symlink_to("gone")
    workspace.adopt("adding", RENAMES)
    assert workspace.workspace_of("sums").is_dir()


def test_a_folder_that_cannot_be_moved_is_no_reason_to_begin_anew(monkeypatch):
    mine("sums")

    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match=r"sums: cannot be moved: Permission denied"):
        workspace.adopt("adding", RENAMES)
    assert workspace.workspace_of("sums").is_dir()


def test_another_process_that_was_quicker_is_no_error(monkeypatch):
    mine("sums")
    rename = Path.rename

    def beaten(path: Path, target: Path) -> Path:
        rename(path, target)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "rename", beaten)
    workspace.adopt("adding", RENAMES)
    assert workspace.workspace_of("adding").is_dir()
