"""`start`, `diff` and `reset`: the learner's own copy of an exercise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlsys_path.cli.completing import exercise_ids
from mlsys_path.cli.remembering import remember_event
from mlsys_path.cli.terminal import style
from mlsys_path.exercises import workspace
from mlsys_path.language import _
from mlsys_path.roadmap.load import load

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _find(exercise_id: str) -> tuple[Roadmap, Exercise]:
    """The exercise of an id, with the learner's files of it under its present one."""
    roadmap = load()
    exercise = roadmap.exercise(exercise_id)
    workspace.adopt(exercise.id, roadmap.renames)
    return roadmap, exercise


@click.command(
    "start",
    help=_(
        "Copy an exercise's starter into your workspace and print where. Files of yours are never touched."
    ),
)
@click.argument("exercise_id", metavar="ID", shell_complete=exercise_ids)
def start_command(exercise_id: str) -> None:
    """Copy, remember, and say which file to open."""
    roadmap, exercise = _find(exercise_id)
    path, new = workspace.start(exercise, roadmap.folder(exercise.id))
    if new:
        remember_event(exercise.id, "started")
    click.echo(path)
    click.echo(
        _("Next: edit {files} there, then `mlsys-path check {id}`; --watch checks at every save.").format(
            files=", ".join(exercise.files), id=exercise.id
        ),
        err=True,
    )


@click.command("diff", help=_("What you changed since the starter, as a unified diff."))
@click.argument("exercise_id", metavar="ID", shell_complete=exercise_ids)
def diff_command(exercise_id: str) -> None:
    """Print the difference; nothing when there is none."""
    roadmap, exercise = _find(exercise_id)
    for line in workspace.diff(exercise, roadmap.folder(exercise.id)).splitlines():
        heading = line.startswith(("+++", "---"))
        colour = None if heading else _COLOURS.get(line[:1])
        click.echo(style(line, fg=colour, bold=heading) if colour or heading else line)


@click.command("reset", help=_("Put the starter back. Your files move to a backup, whose path is printed."))
@click.argument("exercise_id", metavar="ID", shell_complete=exercise_ids)
@click.option(
    "--undo",
    is_flag=True,
    help=_("Bring back what the last reset put away; nothing of what is there is lost."),
)
def reset_command(exercise_id: str, *, undo: bool) -> None:
    """Move the learner's files away, copy the starter, remember it; or the way back."""
    roadmap, exercise = _find(exercise_id)
    if undo:
        _backup, kept = workspace.bring_back(exercise, roadmap.folder(exercise.id))
        text = (
            _("{id}: your files are back; what you wrote since is in {kept}")
            if kept
            else _("{id}: your files are back")
        )
        click.echo(text.format(id=exercise.id, kept=kept))
        return
    backup = workspace.reset(exercise, roadmap.folder(exercise.id))
    remember_event(exercise.id, "reset")
    click.echo(
        _("{id}: the starter is back; your files are in {backup}").format(id=exercise.id, backup=backup)
    )
