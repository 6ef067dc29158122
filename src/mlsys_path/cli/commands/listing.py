"""`list`: the exercises, by stage, and everything else that the roadmap holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli.completing import stage_ids, track_ids
from mlsys_path.cli.lookup import find, find_track
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import Standing, standings
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _, ngettext
from mlsys_path.progress.word import SHOWN
from mlsys_path.roadmap.load import load

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise


@click.command(
    "list",
    help=_(
        "List the exercises in the order of the path, and how you stand with them; or what else there is."
    ),
)
@click.option(
    "--kind",
    type=click.Choice(["exercise", "stage", "topic", "resource", "planned"]),
    default="exercise",
    help=_("List these instead of exercises."),
)
@click.option("--stage", metavar="ID", shell_complete=stage_ids, help=_("Only of this stage."))
@click.option("--track", metavar="ID", shell_complete=track_ids, help=_("Only of this track, in its order."))
@click.option("--status", type=click.Choice(["open", "passed", "blocked"]), help=_("Only with this status."))
@json_option
def list_command(kind: str, stage: str | None, track: str | None, status: str | None, as_json: bool) -> None:
    """Print the table, or the object."""
    roadmap = load()
    if kind != "exercise":
        _others(roadmap, kind, stage, track, status, as_json=as_json)
        return
    found = standings(roadmap)
    names = list(roadmap.track_exercises(find_track(roadmap, track).id) if track else roadmap.exercises)
    if stage:
        find(roadmap.stages, stage, _("stage"))
        names = [name for name in names if roadmap.stage_of(name) == stage]
    if status:
        names = [name for name in names if found[name].category == status]
    if as_json:
        print_json({"exercises": [entry(roadmap, roadmap.exercises[name], found[name]) for name in names]})
        return
    if not names:
        raise UserError(_("nothing matches: leave out --stage, --track or --status"))
    _print(roadmap, [(roadmap.exercises[name], found[name]) for name in names], by_stage=not track)


def _others(
    roadmap: Roadmap, kind: Any, stage: str | None, track: str | None, status: str | None, *, as_json: bool
) -> None:
    from mlsys_path.cli import records_table

    if status:
        raise UserError(_("--status is for exercises: leave it out with --kind {kind}").format(kind=kind))
    if stage:
        find(roadmap.stages, stage, _("stage"))
    ids = records_table.chosen(roadmap, kind, stage, find_track(roadmap, track) if track else None)
    if as_json:
        print_json(records_table.data(roadmap, kind, ids))
    elif ids:
        records_table.show(roadmap, kind, ids)
    else:
        raise UserError(_("nothing matches: leave out --stage, --track or --status"))


def entry(roadmap: Roadmap, exercise: Exercise, standing: Standing) -> dict[str, Any]:
    """One exercise in JSON."""
    status = standing.status
    return {
        "id": exercise.id,
        "title": exercise.title[language.current()],
        "stage": roadmap.stage_of(exercise.id),
        "topic": roadmap.topic_of(exercise.id),
        "language": exercise.language,
        "difficulty": exercise.difficulty,
        "minutes": exercise.minutes,
        "requires": list(exercise.requires),
        "status": standing.category,
        "state": standing.state,
        "word": standing.word,
        "missing": list(standing.missing),
        "best_level": status.best_level,
        "attempts": status.attempts,
        "hints": status.hints,
        "exercise_changed": status.exercise_changed,
        "passed_at": status.passed_at.isoformat() if status.passed_at else None,
    }


def _print(roadmap: Roadmap, rows: list[tuple[Exercise, Standing]], *, by_stage: bool) -> None:
    width = max(len(exercise.id) for exercise, _standing in rows)
    labels = {exercise.id: standing.label() for exercise, standing in rows}
    label_width = max(cells(click.unstyle(label)) for label in labels.values())
    stage = ""
    for exercise, standing in rows:
        own = roadmap.stages[roadmap.stage_of(exercise.id)]
        if by_stage and own.id != stage:
            click.echo(("\n" if stage else "") + style(own.title[language.current()], bold=True))
            stage = own.id
        label = labels[exercise.id]
        head = f"  {label}{' ' * (label_width - cells(click.unstyle(label)))}  {pad(exercise.id, width)}  "
        facts = f"{exercise.language:<11} {'*' * exercise.difficulty:<5}  "
        room = columns() - 6 - label_width - width - cells(facts)
        click.echo(
            (head + facts + cut(exercise.title[language.current()] + _note(standing), max(room, 10))).rstrip()
        )
    passed = sum(standing.status.passed for _exercise, standing in rows)
    known = sum(standing.word == "known" for _exercise, standing in rows)
    total = ngettext("{n} exercise, {passed} passed", "{n} exercises, {passed} passed", len(rows)).format(
        n=len(rows), passed=passed
    )
    click.echo()
    click.echo(total + (_(", {n} known by your word").format(n=known) if known else ""))


def _note(standing: Standing) -> str:
    if standing.status.exercise_changed:
        return "  " + _("(changed since you passed)")
    if standing.word and standing.state not in ("new", "blocked", "started"):
        return f"  ({_(SHOWN['known'])})"
    return "  " + _("(after {ids})").format(ids=", ".join(standing.missing)) if standing.missing else ""
