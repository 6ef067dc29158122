"""`next`: what to do now, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli import assigned, planning
from mlsys_path.cli.layout import KINDS, say, wrapped
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import said, standings
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.exercises.workspace import folder_of
from mlsys_path.language import _, duration
from mlsys_path.mentoring.received import load
from mlsys_path.progress import queries
from mlsys_path.progress.outlook import outlook
from mlsys_path.roadmap.readings import address

if TYPE_CHECKING:
    from mlsys_path.progress.suggest import Suggestion
    from mlsys_path.progress.today import Today
    from mlsys_path.roadmap.load import Roadmap

SHOWN = 4  # one to do, and a few for those who want another


@click.command(
    "next", help=_("What to do now, and why: the best exercise first, today's share, then a few others.")
)
@json_option
def next_command(as_json: bool) -> None:
    """Print the suggestions, and what to do today."""
    roadmap = load()
    word = said(roadmap)
    statuses = {name: standing.status for name, standing in standings(roadmap, word).items()}
    track = queries.followed_track(roadmap.renames)
    assignments = assigned.standing(roadmap, statuses)
    found = outlook(
        roadmap,
        statuses,
        word,
        track,
        planning.remembered_pace(roadmap, track),
        planning.today(),
        planning.trouble(roadmap),
    )
    if as_json:
        print_json(
            {
                "suggestions": [_entry(roadmap, suggestion) for suggestion in found.suggestions],
                "today": _today_entry(roadmap, found.today) if found.today else None,
                "assigned": [assigned.data(each) for each in assignments],
            }
        )
        return
    assigned.show(roadmap, assignments)
    if found.suggestions:
        _print_first(roadmap, found.suggestions[0])
    else:
        click.echo(_nothing_left(bool(word.own)))
    if found.today:
        _print_today(found.today)
    elif found.suggestions:
        click.echo()
        click.echo(_("`mlsys-path plan --hours 8` plans your weeks, and then `next` plans your day."))
    _print_others(roadmap, found.suggestions[1:SHOWN])


def _entry(roadmap: Roadmap, suggestion: Suggestion) -> dict[str, Any]:
    return {
        "id": suggestion.exercise,
        "title": roadmap.exercises[suggestion.exercise].title[language.current()],
        "reason_kind": suggestion.reason_kind,
        "reason": suggestion.reason,
        "read_first": suggestion.read_first or None,
    }


def _today_entry(roadmap: Roadmap, today: Today) -> dict[str, Any]:
    return {
        "minutes": today.minutes,
        "minutes_per_week": today.pace,
        "done_today": today.done_today,
        "done_this_week": today.done_this_week,
        "items": [
            {
                "kind": e.kind,
                "id": e.id,
                "reading": e.name or None,
                "url": address(roadmap, roadmap.readings[e.name].reading) if e.name else None,
                "title": e.title,
                "minutes": e.minutes,
                "why": e.why,
            }
            for e in today.items
        ],
    }


def _nothing_left(by_word: bool) -> str:
    if by_word:
        return _("Nothing is left that you have neither passed nor said to know.")
    return _("You have passed every exercise. `mlsys-path progress` shows the road behind you.")


def _print_first(roadmap: Roadmap, first: Suggestion) -> None:
    exercise = roadmap.exercises[first.exercise]
    if first.read_first:
        say(first.read_first)
        click.echo(_("Then:"))
    click.echo(style(f"{exercise.id}  {exercise.title[language.current()]}", bold=True))
    for sentence in (exercise.summary[language.current()], first.because):
        for line in wrapped(sentence, columns() - 2):
            click.echo(f"  {line}")
    click.echo()
    click.echo(f"  mlsys-path show {exercise.id}")
    if not folder_of(exercise.id, roadmap.renames).is_dir():
        click.echo(f"  mlsys-path start {exercise.id}")
    click.echo(f"  mlsys-path check {exercise.id}")


def _print_today(today: Today) -> None:
    click.echo()
    if not today.minutes:
        week_done = today.done_this_week >= today.pace
        click.echo(
            _("This week's {hours} are done, by estimate.").format(hours=duration(today.pace))
            if week_done
            else _("Today's share is done, by estimate: {done}.").format(done=duration(today.done_today))
        )
        return
    head = _("Today: {minutes} of {pace} a week").format(
        minutes=duration(today.minutes), pace=duration(today.pace)
    )
    if today.done_this_week:
        head += _("; {done} of this week are done, by estimate").format(done=duration(today.done_this_week))
    click.echo(style(head, bold=True))
    times = [duration(entry.minutes) for entry in today.items]
    time_width = max(map(cells, times), default=0)
    kind_width = max(cells(_(kind)) for kind in KINDS.values())
    id_width = max((len(entry.id) for entry in today.items), default=0)
    for entry, time in zip(today.items, times, strict=True):
        left = (
            f"  {pad(time, time_width)}  {pad(_(KINDS[entry.kind]), kind_width)}  {pad(entry.id, id_width)}  "
        )
        click.echo(left + cut(entry.title, max(columns() - cells(left), 10)))
        indent = " " * (4 + time_width)
        for line in wrapped(entry.why, columns() - len(indent)):
            click.echo(style(indent + line, dim=True))


def _print_others(roadmap: Roadmap, others: tuple[Suggestion, ...]) -> None:
    if others:
        click.echo()
        click.echo(_("Or:"))
    for suggestion in others:
        title = roadmap.exercises[suggestion.exercise].title[language.current()]
        text = _("{title}: {reason}").format(title=title, reason=suggestion.because)
        first, *more = wrapped(f"{suggestion.exercise}  {text}", columns() - 4)
        click.echo(f"  {first}")
        for line in more:
            click.echo(f"    {line}")
