"""`list`: the exercises, by stage, and everything else that the roadmap holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli import track_table
from mlsys_path.cli.completing import stage_ids, track_ids
from mlsys_path.cli.lookup import find, find_track
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import Standing, note, said, standings
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _, listed, ngettext
from mlsys_path.mentoring.received import load
from mlsys_path.roadmap import itinerary

if TYPE_CHECKING:
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise, Track


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
    word = said(roadmap)
    found = standings(roadmap, word)
    if stage:
        find(roadmap.stages, stage, _("stage"))
    items = _of_track(roadmap, find_track(roadmap, track), stage, status, found) if track else []
    names = [item.id for item in items if item.kind == "exercise"] if track else list(roadmap.exercises)
    if stage:
        names = [name for name in names if roadmap.stage_of(name) == stage]
    if status:
        names = [name for name in names if found[name].category == status]
    if as_json:
        document: dict[str, Any] = {
            "exercises": [entry(roadmap, roadmap.exercises[name], found[name]) for name in names]
        }
        if track:
            document["items"] = track_table.data(roadmap, items, found, word)
        print_json(document)
        return
    if not (items or names):
        raise UserError(_("nothing matches: leave out --stage, --track or --status"))
    rows = [(roadmap.exercises[name], found[name]) for name in names]
    if track:
        track_table.show(roadmap, items, found, word)
    else:
        _print(roadmap, rows)
    _print_totals(rows, items)


def _of_track(
    roadmap: Roadmap, track: Track, stage: str | None, status: str | None, found: Mapping[str, Standing]
) -> list[Item]:
    """What a track consists of; of one stage, or exercises of one status, where these are asked for."""
    items = itinerary.of_track(roadmap, track)
    if stage:
        items = [item for item in items if roadmap.topic_stage.get(item.topic) == stage]
    if status:
        items = [item for item in items if item.kind == "exercise" and found[item.id].category == status]
    return items


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


def _print(roadmap: Roadmap, rows: list[tuple[Exercise, Standing]]) -> None:
    width = max(len(exercise.id) for exercise, _standing in rows)
    labels = {exercise.id: standing.label() for exercise, standing in rows}
    label_width = max(cells(click.unstyle(label)) for label in labels.values())
    stage = ""
    for exercise, standing in rows:
        own = roadmap.stages[roadmap.stage_of(exercise.id)]
        if own.id != stage:
            click.echo(("\n" if stage else "") + style(own.title[language.current()], bold=True))
            stage = own.id
        label = labels[exercise.id]
        head = f"  {label}{' ' * (label_width - cells(click.unstyle(label)))}  {pad(exercise.id, width)}  "
        facts = f"{exercise.language:<11} {'*' * exercise.difficulty:<5}  "
        room = columns() - 6 - label_width - width - cells(facts)
        click.echo(
            (head + facts + cut(exercise.title[language.current()] + note(standing), max(room, 10))).rstrip()
        )


def _print_totals(rows: Sequence[tuple[Exercise, Standing]], items: Sequence[Item]) -> None:
    passed = sum(standing.status.passed for _exercise, standing in rows)
    known = sum(standing.word == "known" for _exercise, standing in rows)
    total = ngettext("{n} exercise, {passed} passed", "{n} exercises, {passed} passed", len(rows)).format(
        n=len(rows), passed=passed
    )
    parts = [total]
    if known:
        parts.append(_("{n} known by your word").format(n=known))
    if planned := sum(item.kind == "planned" for item in items):
        parts.append(_("{n} planned").format(n=planned))
    if reads := sum(item.kind == "read" for item in items):
        parts.append(ngettext("{n} reading", "{n} readings", reads).format(n=reads))
    click.echo()
    click.echo(listed(parts))
