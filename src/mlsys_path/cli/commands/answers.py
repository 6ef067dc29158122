"""`hint` and `solution`: help, one step at a time."""

from __future__ import annotations

import click

from mlsys_path import language
from mlsys_path.cli.completing import exercise_ids
from mlsys_path.cli.remembering import remember_event
from mlsys_path.cli.terminal import style
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import read_files
from mlsys_path.language import _
from mlsys_path.progress import queries
from mlsys_path.roadmap.load import load


@click.command("hint", help=_("A hint: one more each time, from a nudge to nearly the answer."))
@click.argument("exercise_id", metavar="ID", shell_complete=exercise_ids)
@click.option("--all", "everything", is_flag=True, help=_("All hints at once."))
def hint_command(exercise_id: str, everything: bool) -> None:
    """Show the next hint and remember that it was seen; after the last one, say what is left."""
    roadmap = load()
    exercise = roadmap.exercise(exercise_id)
    total = len(exercise.hints)
    seen = min(queries.hints_seen(exercise.id, roadmap.renames), total)
    upto = total if everything else min(seen + 1, total)
    for number in range(1 if everything or seen == total else upto, upto + 1):
        head = _("Hint {number} of {total}").format(number=number, total=total)
        click.echo(f"{style(head, bold=True)}  {exercise.hints[number - 1][language.current()]}")
    if seen == total:
        click.echo(
            _("These were all. `mlsys-path solution {id} --reveal` shows the reference solution.").format(
                id=exercise.id
            )
        )
    for number in range(seen, upto):
        remember_event(exercise.id, "hint", str(number))


@click.command("solution", help=_("The reference solution: after you have passed, or with --reveal."))
@click.argument("exercise_id", metavar="ID", shell_complete=exercise_ids)
@click.option("--reveal", is_flag=True, help=_("Show it before you have passed; this is remembered."))
def solution_command(exercise_id: str, reveal: bool) -> None:
    """Print the files of the solution."""
    roadmap = load()
    exercise = roadmap.exercise(exercise_id)
    status = queries.statuses(renames=roadmap.renames).get(exercise.id)
    passed = status is not None and status.passed
    if not passed and not reveal:
        raise UserError(
            _(
                "{id} has not passed yet: `mlsys-path hint {id}` helps, "
                "`mlsys-path solution {id} --reveal` shows it anyway"
            ).format(id=exercise.id)
        )
    for name, data in read_files(roadmap.folder(exercise.id) / "solution").items():
        click.echo(style(f"── {name}", bold=True))
        click.echo(data.decode("utf-8", "replace").rstrip("\n"))
    if not passed:
        remember_event(exercise.id, "solution")
