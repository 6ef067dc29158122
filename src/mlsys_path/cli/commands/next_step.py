"""`next`: what to do now, and why."""

from __future__ import annotations

import click

from mlsys_path import language
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import TRACK_SETTING, standings
from mlsys_path.cli.terminal import style
from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.language import _
from mlsys_path.machine.inspect import glance
from mlsys_path.machine.requirements import checkable
from mlsys_path.progress import queries
from mlsys_path.progress.suggest import suggest
from mlsys_path.roadmap.load import load

SHOWN = 4  # one to do, and a few for those who want another


@click.command("next", help=_("What to do now, and why: the best exercise first, then a few others."))
@json_option
def next_command(as_json: bool) -> None:
    """Print the suggestions."""
    roadmap = load()
    statuses = {name: standing.status for name, standing in standings(roadmap).items()}
    machine = glance()
    found = suggest(
        roadmap,
        statuses,
        queries.setting(TRACK_SETTING) or None,
        lambda name: checkable(roadmap.exercises[name], machine),
    )
    if as_json:
        print_json(
            {
                "suggestions": [
                    {
                        "id": s.exercise,
                        "title": roadmap.exercises[s.exercise].title[language.current()],
                        "reason_kind": s.reason_kind,
                        "reason": s.reason,
                    }
                    for s in found
                ]
            }
        )
        return
    if not found:
        click.echo(_("You have passed every exercise. `mlsys-path progress` shows the road behind you."))
        return
    first, *others = found[:SHOWN]
    exercise = roadmap.exercises[first.exercise]
    click.echo(style(f"{exercise.id}  {exercise.title[language.current()]}", bold=True))
    click.echo(f"  {exercise.summary[language.current()]}")
    click.echo(f"  {first.reason}")
    click.echo()
    click.echo(f"  mlsys-path show {exercise.id}")
    if not workspace_of(exercise.id).is_dir():
        click.echo(f"  mlsys-path start {exercise.id}")
    click.echo(f"  mlsys-path check {exercise.id}")
    if others:
        click.echo()
        click.echo(_("Or:"))
    for suggestion in others:
        title = roadmap.exercises[suggestion.exercise].title[language.current()]
        click.echo(f"  {suggestion.exercise}  {title}: {suggestion.reason}")
