"""What `check` is asked to check: ids, folders, everything started, or the folder it is run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import missing_files, read_files
from mlsys_path.exercises.workspace import adopt, folder_of, learner_files, workspace_of
from mlsys_path.language import _
from mlsys_path.roadmap.model import Exercise

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class Target:
    """One exercise to check: its own folder, and where the learner's files of it lie."""

    exercise: Exercise
    folder: Path
    files_dir: Path
    argument: str  # what to type to check it again

    def files(self) -> dict[str, bytes]:
        """The learner's files as they are on disk; raises UserError when one is missing."""
        if self.files_dir == workspace_of(self.exercise.id):
            return learner_files(self.exercise)
        files = read_files(self.files_dir)
        if missing := missing_files(self.exercise, files):
            raise UserError(
                _("{path} is missing: {id} is solved in {files}").format(
                    path=self.files_dir / missing[0],
                    id=self.exercise.id,
                    files=", ".join(self.exercise.files),
                )
            )
        return files


def targets(
    roadmap: Roadmap, arguments: Sequence[str], exercise_id: str | None, *, everything: bool
) -> list[Target]:
    """What the arguments of `check` mean.

    An argument is an exercise's id, or the path of a folder with the files of the exercise that it is named
    after, or of `exercise_id`. Raises UserError for anything else.
    """
    if everything:
        if arguments or exercise_id:
            raise UserError(_("--all checks everything that you have started: leave out the names"))
        found = [
            _in_workspace(roadmap, name)
            for name in roadmap.exercises
            if folder_of(name, roadmap.renames).is_dir()
        ]
        if not found:
            raise UserError(_("nothing is started yet: `mlsys-path next` says where to begin"))
        return found
    if exercise_id is not None:
        if len(arguments) > 1:
            raise UserError(_("--exercise goes with one folder"))
        folder = Path(arguments[0] if arguments else ".").absolute()
        return [_in_folder(roadmap, exercise_id, folder)]
    if not arguments:
        return [_here(roadmap)]
    return list({t.files_dir: t for t in (_named(roadmap, argument) for argument in arguments)}.values())


def _in_workspace(roadmap: Roadmap, exercise_id: str) -> Target:
    exercise = roadmap.exercise(exercise_id)
    adopt(exercise.id, roadmap.renames)
    return Target(exercise, roadmap.folder(exercise.id), workspace_of(exercise.id), exercise.id)


def _in_folder(roadmap: Roadmap, exercise_id: str, folder: Path) -> Target:
    if not folder.is_dir():
        raise UserError(_("{path}: no such folder").format(path=folder))
    exercise = roadmap.exercise(exercise_id)
    named = _present(roadmap, folder.name) == exercise.id
    argument = str(folder) if named else f"{folder} --exercise {exercise.id}"
    return Target(exercise, roadmap.folder(exercise.id), folder, argument)


def _present(roadmap: Roadmap, name: str) -> str:
    """The present id of an exercise, when `name` is one or was one."""
    return roadmap.renames.newest("exercises", name)


def _named(roadmap: Roadmap, argument: str) -> Target:
    if _present(roadmap, argument) in roadmap.exercises:
        return _in_workspace(roadmap, argument)
    path = Path(argument).absolute()
    if not path.exists() and "/" not in argument:
        return _in_workspace(roadmap, argument)  # raises, with the nearest id
    if path.is_file():
        path = path.parent
    if _present(roadmap, path.name) not in roadmap.exercises and path.is_dir():
        raise UserError(
            _("{path}: the folder is not named after an exercise: say which it is with --exercise ID").format(
                path=argument
            )
        )
    return _in_folder(roadmap, path.name, path)


def _here(roadmap: Roadmap) -> Target:
    """The exercise in whose folder the command is run."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        exercise = roadmap.exercises.get(_present(roadmap, folder.name))
        if exercise is not None and all((folder / name).is_file() for name in exercise.files):
            return _in_folder(roadmap, folder.name, folder)
    raise UserError(
        _("say what to check: an exercise's id, a folder, or --all (`mlsys-path list` shows the ids)")
    )
