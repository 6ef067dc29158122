"""The learner's own copies of starters: started, reset with a way back, compared."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import missing_files, read_files
from mlsys_path.language import _
from mlsys_path.roadmap.model import Exercise
from mlsys_path.roadmap.renaming import earlier

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Renames


_STAMP = re.compile(r"-(\d{8}-\d{6})(?:-(\d+))?")
_TIME = "%Y%m%d-%H%M%S"


def workspace_of(exercise_id: str) -> Path:
    """Where the learner's files of an exercise lie."""
    return locations.workspace_dir() / exercise_id


def folder_of(exercise_id: str, renames: Renames) -> Path:
    """Where the learner's files of an exercise lie now: under an earlier id, when nothing was done since it had it."""
    target = workspace_of(exercise_id)
    if os.path.lexists(target):
        return target
    before = (workspace_of(name) for name in earlier(renames, "exercises", exercise_id))
    return next((folder for folder in before if folder.is_dir()), target)


def adopt(exercise_id: str, renames: Renames) -> None:
    """Give a folder that is called by an earlier id its present name; when there are both, both stay.

    Raises UserError when it cannot be moved: a starter must not take the place of what was written.
    """
    found, target = folder_of(exercise_id, renames), workspace_of(exercise_id)
    if found == target:
        return
    try:
        found.rename(target)
    except OSError as error:
        # another process may have been quicker
        if not target.is_dir():
            raise UserError(
                _("{path}: cannot be moved: {why}").format(path=found, why=error.strerror)
            ) from None


def start(exercise: Exercise, folder: Path) -> tuple[Path, bool]:
    """Copy the starter into the workspace; returns its path and whether it is new.

    Files that are there already are never touched; missing ones are added.
    """
    target = workspace_of(exercise.id)
    starter = read_files(folder / "starter")
    new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, data in starter.items():
            if not (target / name).exists():
                _write(target / name, data)
    except OSError as error:
        raise UserError(
            _("{path}: cannot be written: {why}").format(path=error.filename or target, why=error.strerror)
        ) from None
    return target, new


def learner_files(exercise: Exercise) -> dict[str, bytes]:
    """The learner's files of an exercise; raises UserError when it was not started or a file is missing."""
    target = workspace_of(exercise.id)
    if not target.is_dir():
        raise UserError(
            _("{id} is not started: run `mlsys-path start {id}`, then edit the files it prints").format(
                id=exercise.id
            )
        )
    files = read_files(target)
    if missing := missing_files(exercise, files):
        raise UserError(
            _("{path} is missing: `mlsys-path start {id}` puts the starter's copy there").format(
                path=target / missing[0], id=exercise.id
            )
        )
    return files


def reset(exercise: Exercise, folder: Path) -> Path:
    """Put the starter back; the learner's files move to a backup beside, whose path is returned.

    Raises UserError when it was not started.
    """
    target = workspace_of(exercise.id)
    if not target.is_dir():
        raise UserError(_("{id} is not started: there is nothing to reset").format(id=exercise.id))
    stamp = time.strftime(_TIME)
    backups = locations.workspace_dir() / ".backups"
    backup = backups / f"{exercise.id}-{stamp}"
    number = 1
    while backup.exists():
        number += 1
        backup = backups / f"{exercise.id}-{stamp}-{number}"
    try:
        backups.mkdir(parents=True, exist_ok=True)
        target.rename(backup)
    except OSError as error:
        raise UserError(_("{path}: cannot be moved: {why}").format(path=target, why=error.strerror)) from None
    try:
        start(exercise, folder)
    except UserError:
        # a full disk: the files are back where they were, and the reset has not happened
        undo_reset(exercise, backup)
        raise
    return backup


def last_backup(exercise_id: str) -> Path | None:
    """Where the last reset put the learner's files, while they are there."""
    backups = locations.workspace_dir() / ".backups"
    stamped = re.compile(re.escape(exercise_id) + _STAMP.pattern)
    try:
        found = [(match, path) for path in backups.iterdir() if (match := stamped.fullmatch(path.name))]
    except OSError:
        return None
    newest = max(found, key=lambda each: (each[0][1], int(each[0][2] or 1)), default=None)
    return newest[1] if newest and newest[1].is_dir() else None


def reset_at(backup: Path) -> datetime:
    """When a backup was made."""
    match = _STAMP.search(backup.name)
    return (
        datetime.strptime(match[1], _TIME).astimezone() if match else datetime.fromtimestamp(0).astimezone()
    )


def bring_back(exercise: Exercise, folder: Path) -> tuple[Path, Path | None]:
    """Undo the last reset; what was written since goes into a backup of its own, whose path is returned too.

    Raises UserError when there was no reset.
    """
    backup = last_backup(exercise.id)
    if backup is None:
        raise UserError(_("{id}: there is no reset to undo").format(id=exercise.id))
    kept = None
    if workspace_of(exercise.id).is_dir() and read_files(workspace_of(exercise.id)) != read_files(
        folder / "starter"
    ):
        kept = reset(exercise, folder)
    undo_reset(exercise, backup)
    return backup, kept


def undo_reset(exercise: Exercise, backup: Path) -> None:
    """Bring the files of a backup back, in the place of what is there."""
    target = workspace_of(exercise.id)
    if not backup.is_dir():
        raise UserError(_("{path}: no such backup").format(path=backup))
    if target.exists():
        shutil.rmtree(target)
    backup.rename(target)


def diff(exercise: Exercise, folder: Path) -> str:
    """A unified diff from the starter to the learner's files; "" when they are the same."""
    return "".join(changes(exercise, folder).values())


def changes(exercise: Exercise, folder: Path) -> dict[str, str]:
    """The files that differ from the starter's, each with its unified diff."""
    mine = learner_files(exercise)
    starter = read_files(folder / "starter")
    parts: dict[str, str] = {}
    for name in sorted({*mine, *starter}):
        before = starter.get(name, b"").decode("utf-8", "replace").splitlines(keepends=True)
        after = mine.get(name, b"").decode("utf-8", "replace").splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, f"starter/{name}", name)
        if text := "".join(line if line.endswith("\n") else line + "\n" for line in lines):
            parts[name] = text
    return parts


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
