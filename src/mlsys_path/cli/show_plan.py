"""A plan as text: weeks, what is in none of them, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from mlsys_path.cli.layout import KINDS, say, wrapped
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.language import _, current, duration, listed, ngettext, sentences

if TYPE_CHECKING:
    from mlsys_path.progress.plan import Part, Plan
    from mlsys_path.progress.tasks import Apart, Task
    from mlsys_path.roadmap.load import Roadmap

LONGEST_ID = 30  # columns; titles need some too
LEAST_TITLE = 10  # columns
SHOWN = 12  # of what is left out at the end


def task_title(roadmap: Roadmap, task: Task) -> str:
    """The title of what is to be read or solved."""
    if task.kind == "read":
        return roadmap.resources[task.id].title[current()]
    return roadmap.exercises[task.id].title[current()]


def print_plan(roadmap: Roadmap, track_id: str, made: Plan) -> None:
    """All of it."""
    title = roadmap.tracks[track_id].title[current()] if track_id else _("The whole path")
    click.echo(style(title, bold=True))
    say(_summary(made))
    table = _Table(roadmap, made)
    for week in made.weeks:
        click.echo()
        head = _("Week {n}  {begins} – {ends}  {hours}").format(
            n=week.number, begins=week.begins, ends=week.ends, hours=duration(week.minutes)
        )
        click.echo(style(head, bold=True))
        for part in week.parts:
            click.echo(table.row(part.task, part.minutes, _notes(part)))
    if made.until and not made.fits:
        click.echo()
        click.echo(style(_("Left out at the end"), bold=True))
        out = made.left_out
        for missing in out[:SHOWN]:
            notes = _needed(missing.task)
            if missing.minutes < missing.task.minutes:
                notes.append(_("the rest of it"))
            click.echo(table.row(missing.task, missing.minutes, notes))
        if len(out) > SHOWN:
            click.echo("  " + _("… and {n} more, which --json lists").format(n=len(out) - SHOWN))
    _print_apart(roadmap, made.left.uncheckable)
    if n := len(made.left.planned):
        click.echo()
        say(
            ngettext(
                "{n} exercise more is planned and not built yet: it is in no week.",
                "{n} exercises more are planned and not built yet: they are in no week.",
                n,
            ).format(n=n)
        )


def _summary(made: Plan) -> str:
    if not made.left.tasks:
        return _("Nothing is left to do here.")
    fill = {
        "left": duration(made.left.minutes),
        "pace": duration(made.pace),
        "ends": made.ends,
        "until": made.until,
        "spare": duration(abs(made.spare)),
    }
    if made.until is None:
        return _("{left} left; at {pace} a week it is done on {ends}.").format(**fill)
    if made.fits:
        text = _("{left} left; at {pace} a week it fits until {until}, with {spare} to spare.")
        return text.format(**fill)
    text = _(
        "{left} left; at {pace} a week it does not fit until {until}: {spare} too many. "
        "At this pace it is done on {ends}."
    )
    more = (
        _("It would take more hours than a week has.")
        if made.pace_needed is None
        else _("It fits at {needed} a week.").format(needed=duration(made.pace_needed))
    )
    return sentences((text.format(**fill), more))


def _needed(task: Task) -> list[str]:
    return [_("needed for {id}").format(id=task.needed_for)] if task.needed_for else []


def _notes(part: Part) -> list[str]:
    notes = _needed(part.task)
    if part.continued:
        notes.append(_("continued"))
    if part.continues:
        notes.append(_("continues"))
    return notes


class _Table:
    """Rows with the same columns in every week."""

    def __init__(self, roadmap: Roadmap, made: Plan) -> None:
        self._roadmap = roadmap
        self._kind = max(cells(_(kind)) for kind in KINDS.values())
        self._id = min(max((len(task.id) for task in made.left.tasks), default=0), LONGEST_ID)
        times = [part.minutes for week in made.weeks for part in week.parts]
        times += [missing.minutes for missing in made.left_out]
        self._time = max((cells(duration(minutes)) for minutes in times), default=0)

    def row(self, task: Task, minutes: int, notes: Iterable[str]) -> str:
        time = pad(duration(minutes), self._time)
        left = f"  {time}  {pad(_(KINDS[task.kind]), self._kind)}  {pad(cut(task.id, self._id), self._id)}  "
        note = listed(notes)
        note = _("  ({note})").format(note=note) if note else ""
        room = columns() - cells(left) - cells(note)
        if room < LEAST_TITLE:
            # the note goes below
            room, note = columns() - cells(left), "\n" + " " * (4 + self._time) + note.lstrip()
        # of something to read the id says what it is; what of it is this week's
        title = task.parts[current()] if task.parts else task_title(self._roadmap, task)
        return (left + cut(title, max(room, LEAST_TITLE)) + note).rstrip()


def _print_apart(roadmap: Roadmap, uncheckable: Sequence[Apart]) -> None:
    if not uncheckable:
        return
    click.echo()
    click.echo(style(_("In no week, as this machine cannot check them"), bold=True))
    width = min(max(len(apart.task.id) for apart in uncheckable), LONGEST_ID)
    for apart in uncheckable:
        left = f"  {pad(cut(apart.task.id, width), width)}  "
        click.echo(left + cut(task_title(roadmap, apart.task), max(columns() - cells(left), 10)))
        for line in wrapped(apart.reason, columns() - 6):
            click.echo(style("      " + line, dim=True))
