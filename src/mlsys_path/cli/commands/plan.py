"""`plan`: what is left to do, week by week, and whether it fits before a date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli import planning
from mlsys_path.cli.completing import track_ids
from mlsys_path.cli.layout import hours
from mlsys_path.cli.lookup import find_track
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.remembering import remember_setting
from mlsys_path.cli.show_plan import print_plan, task_title
from mlsys_path.cli.standing import said, standings
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.mentoring.received import load
from mlsys_path.progress import queries
from mlsys_path.progress.outlook import minutes_of
from mlsys_path.progress.plan import LEAST, MOST, Plan, plan
from mlsys_path.progress.tasks import items_of, left
from mlsys_path.roadmap.readings import address

if TYPE_CHECKING:
    from mlsys_path.progress.tasks import Task
    from mlsys_path.roadmap.load import Roadmap

DEFAULT = 8 * 60  # minutes a week on the whole path, where nothing was said
TOO_FAR = 2200  # a year; the calendar has an end, and a slow plan must not meet it


@click.command(
    "plan",
    help=_("What is left to do, week by week: in order, at so many hours a week, and whether it fits."),
)
@click.option(
    "--track",
    metavar="ID",
    shell_complete=track_ids,
    help=_("Of this track; else of the one that you follow, else of the whole path."),
)
@click.option("--hours", "hours_", type=float, metavar="H", help=_("Hours a week; remembered."))
@click.option("--until", metavar="DATE", help=_("Say whether it fits: 2026-12-31."))
@click.option("--from", "begins", metavar="DATE", help=_("The day on which it begins; else today."))
@json_option
def plan_command(
    track: str | None, hours_: float | None, until: str | None, begins: str | None, as_json: bool
) -> None:
    """Print the weeks, what is in none of them, and whether it fits."""
    roadmap = load()
    track_id = find_track(roadmap, track).id if track else queries.followed_track(roadmap.renames)
    track_id = track_id if track_id in roadmap.tracks else ""
    first = _day(begins, planning.today(), _("today"))
    last = _day(until, first, _("the day on which it begins")) if until else None
    pace = _pace(roadmap, track_id, hours_)
    if hours_ is not None:
        remember_setting(queries.HOURS_SETTING, f"{hours_:g}")
    word = said(roadmap)
    passed = {name for name, standing in standings(roadmap, word).items() if standing.status.passed}
    rest = left(roadmap, items_of(roadmap, track_id), passed, word, planning.trouble(roadmap))
    made = plan(rest, pace, first, last)
    if as_json:
        print_json(_document(roadmap, track_id, made))
    else:
        print_plan(roadmap, track_id, made)


def _pace(roadmap: Roadmap, track_id: str, asked: float | None) -> int:
    if asked is None:
        return planning.remembered_pace(roadmap, track_id) or DEFAULT
    pace = minutes_of(asked)
    if pace is None:
        raise UserError(
            _("{n:g} hours a week cannot be planned with: give {least:g} to {most:g}").format(
                n=asked, least=LEAST / 60, most=MOST / 60
            )
        )
    return pace


def _day(text: str | None, earliest: date, what: str) -> date:
    """The date of an option, else the earliest that it may be. Raises UserError."""
    if text is None:
        return earliest
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UserError(
            _("{text!r} is no date: write it as {example}").format(text=text, example="2026-12-31")
        ) from None
    if day.year >= TOO_FAR:
        raise UserError(_("{day} is too far away to plan for").format(day=day))
    if day < earliest:
        raise UserError(
            _("{day} is past: it comes before {what}, {earliest}").format(
                day=day, what=what, earliest=earliest
            )
        )
    return day


def _document(roadmap: Roadmap, track_id: str, made: Plan) -> dict[str, Any]:
    rest = made.left
    return {
        "track": track_id or None,
        "hours_per_week": hours(made.pace),
        "from": made.begins.isoformat(),
        "until": made.until.isoformat() if made.until else None,
        "hours": hours(rest.minutes),
        "ends": made.ends.isoformat(),
        "weeks": [
            {
                "week": week.number,
                "from": week.begins.isoformat(),
                "to": week.ends.isoformat(),
                "hours": hours(week.minutes),
                "items": [
                    {
                        **_task(roadmap, part.task),
                        "hours": hours(part.minutes),
                        "continued": part.continued,
                        "continues": part.continues,
                    }
                    for part in week.parts
                ],
            }
            for week in made.weeks
        ],
        "uncheckable": [{**_task(roadmap, apart.task), "reason": apart.reason} for apart in rest.uncheckable],
        "planned": list(rest.planned),
        "fit": _fit(roadmap, made) if made.until else None,
    }


def _fit(roadmap: Roadmap, made: Plan) -> dict[str, Any]:
    if made.fits:
        return {"fits": True, "spare_hours": hours(made.spare)}
    return {
        "fits": False,
        "too_many_hours": hours(-made.spare),
        "hours_per_week_needed": None if made.pace_needed is None else hours(made.pace_needed),
        "ends": made.ends.isoformat(),
        "left_out": [
            {**_task(roadmap, missing.task), "hours": hours(missing.minutes)} for missing in made.left_out
        ],
    }


def _task(roadmap: Roadmap, task: Task) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "id": task.id,
        "title": task_title(roadmap, task),
        "parts": task.parts[language.current()] if task.parts else None,
        "reading": task.name or None,
        "url": address(roadmap, roadmap.readings[task.name].reading) if task.name else None,
        "topic": task.topic or None,
        "hours_in_all": hours(task.minutes),
        "needed_for": task.needed_for or None,
    }
