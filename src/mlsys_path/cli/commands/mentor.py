"""`mentor`: what a mentor sees of their learners, from the bundles that were imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlsys_path.cli import mentor_data, mentor_tables
from mlsys_path.cli.commands.mentor_timeline import timeline_command
from mlsys_path.cli.commands.mentor_verify import verify_command
from mlsys_path.cli.completing import stage_ids, track_ids
from mlsys_path.cli.layout import say
from mlsys_path.cli.lookup import find, find_track
from mlsys_path.cli.mentor_tables import csv_option
from mlsys_path.cli.mentor_world import everything, now
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import indent, style
from mlsys_path.language import N_, _, listed, ngettext

if TYPE_CHECKING:
    from mlsys_path.mentoring.against_dates import Course
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.roadmap.load import Roadmap

FORECASTS = {
    "done": N_("done"),
    "on-time": N_("in time"),
    "late": N_("late"),
    "overdue": N_("overdue"),
    "unknown": N_("no pace yet"),
    "no-date": N_("no date"),
}


@click.group("mentor", help=_("For mentors: who stands where, who is stuck, and proof by running it again."))
def mentor_group() -> None:
    """Hold the commands."""


mentor_group.add_command(timeline_command)
mentor_group.add_command(verify_command)


def _courses(roadmap: Roadmap, learner: Learner) -> tuple[Course, ...]:
    from mlsys_path.mentoring.against_dates import courses

    return courses(roadmap, learner, now(), now().date())


@mentor_group.command("learners", help=_("Everybody who sent a bundle or was assigned something."))
@json_option
@csv_option
def learners_command(as_json: bool, as_csv: bool) -> None:
    """Print a line for each."""
    _roadmap, found = everything()
    entries = [mentor_data.learner(each) for each in found]
    if as_json:
        print_json({"learners": entries})
    elif as_csv:
        mentor_tables.print_csv([{**entry, "flags": len(entry["flags"])} for entry in entries])
    elif not found:
        click.echo(
            _(
                "Nobody yet. `mlsys-path track assign` gives somebody a track, `mlsys-path import` takes in a bundle."
            )
        )
    else:
        head = [_("learner"), _("passed"), _("attempts"), _("last bundle"), _("last attempt"), _("key"), ""]
        rows = [
            [
                each.name,
                str(entry["passed"]),
                str(entry["attempts"]),
                mentor_tables.moment(each.exported_at),
                mentor_tables.moment(each.last_at),
                entry["keys"][-1] if entry["keys"] else "-",
                listed(flag.detail for flag in each.flags[-2:]),
            ]
            for each, entry in zip(found, entries, strict=True)
        ]
        mentor_tables.table(head, rows)


@mentor_group.command(
    "matrix", help=_("Learners × exercises of a track or stage: state, level, and days since.")
)
@click.option("--track", metavar="ID", shell_complete=track_ids, help=_("The exercises of this track."))
@click.option("--stage", metavar="ID", shell_complete=stage_ids, help=_("The exercises of this stage."))
@json_option
@csv_option
def matrix_command(track: str | None, stage: str | None, as_json: bool, as_csv: bool) -> None:
    """Print the matrix; without a track or stage of all that is assigned or was tried."""
    from mlsys_path.mentoring.matrix import row

    roadmap, found = everything()
    names = _exercises(roadmap, found, track, stage)
    shown = {each.name: row(roadmap, each, names, now()) for each in found}
    flat = [mentor_data.cell(name, cell) for name, cells in shown.items() for cell in cells]
    if as_json:
        print_json({"exercises": names, "learners": list(shown), "cells": flat})
    elif as_csv:
        mentor_tables.print_csv(flat)
    elif not flat:
        click.echo(_("There is nothing to show yet."))
    else:
        mentor_tables.blocks(list(shown), names, shown)
        say(style(mentor_tables.legend(), dim=True))


def _exercises(
    roadmap: Roadmap, found: tuple[Learner, ...], track: str | None, stage: str | None
) -> list[str]:
    if track and stage:
        raise click.UsageError(_("give --track or --stage, not both"))
    if track:
        return list(roadmap.track_exercises(find_track(roadmap, track).id))
    if stage:
        stage = find(roadmap.stages, stage, _("stage")).id
        return [name for name in roadmap.exercises if roadmap.stage_of(name) == stage]
    newest = roadmap.renames.newest
    tracks = {newest("tracks", it.track.id) for each in found for it in each.assignments}
    assigned = {name for id_ in tracks & roadmap.tracks.keys() for name in roadmap.track_exercises(id_)}
    tried = {attempt.exercise for each in found for attempt in each.attempts}
    return [name for name in roadmap.exercises if name in assigned | tried]


@mentor_group.command("inbox", help=_("Who is stuck, longest first, and why."))
@json_option
@csv_option
def inbox_command(as_json: bool, as_csv: bool) -> None:
    """Print the inbox."""
    from mlsys_path.mentoring.stuck import inbox

    roadmap, found = everything()
    undone = [(each, sum(it.undone for it in _courses(roadmap, each))) for each in found]
    waiting = inbox(undone, now())
    entries = [mentor_data.stuck(each) for each in waiting]
    if as_json:
        print_json({"inbox": entries})
    elif as_csv:
        mentor_tables.print_csv(entries)
    elif not waiting:
        click.echo(_("Nobody is stuck."))
    for each in () if as_json or as_csv else waiting:
        days = ngettext("{n:.1f} day", "{n:.1f} days", round(each.days)).format(n=each.days)
        click.echo(style(f"{each.learner}  {days}  {each.exercise or '-'}", bold=True))
        for text in (each.why, mentor_tables.one_line(each.message)):
            click.echo(indent(text, 2), nl=bool(text))
        if each.exercise:
            click.echo(f"  mlsys-path mentor timeline {_quoted(each.learner)} {each.exercise}")


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


@mentor_group.command(
    "progress", help=_("What was assigned against its dates, and when it will be done at this pace.")
)
@click.argument("learner", metavar="[LEARNER]", required=False)
@json_option
@csv_option
def progress_command(learner: str | None, as_json: bool, as_csv: bool) -> None:
    """Print a line for each assignment."""
    from mlsys_path.mentoring import history

    roadmap, found = everything()
    chosen = [history.find(found, learner)] if learner else list(found)
    courses = [course for each in chosen for course in _courses(roadmap, each)]
    entries = [mentor_data.course(each) for each in courses]
    if as_json:
        print_json({"assignments": entries})
    elif as_csv:
        mentor_tables.print_csv(entries)
    elif not entries:
        click.echo(_("Nothing is assigned. `mlsys-path track assign` does that."))
    else:
        head = [_("learner"), _("track"), _("done"), _("due"), _("forecast"), ""]
        mentor_tables.table(
            head, [_course_row(each, entry) for each, entry in zip(courses, entries, strict=True)]
        )


def _course_row(each: Course, entry: dict[str, Any]) -> list[str]:
    late = each.forecast.days_late
    notes = [
        _("ends {day} at {n:g} h a week").format(day=entry["ends"], n=entry["hours_per_week"])
        if each.forecast.ends and each.undone
        else "",
        ngettext("{n} day late", "{n} days late", late).format(n=late) if late and late > 0 else "",
        ngettext("{n} overdue", "{n} overdue", len(each.overdue)).format(n=len(each.overdue))
        if each.overdue
        else "",
        "" if each.received else _("not imported yet, as far as their bundle says"),
    ]
    return [
        each.learner,
        each.assignment.track.id,
        f"{each.done}/{len(each.cells)}",
        entry["due"] or "-",
        _(FORECASTS[each.forecast.verdict]),
        listed(notes),
    ]
