"""What mentors assigned, for a learner: a line each, or as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from mlsys_path.cli import planning
from mlsys_path.cli.layout import say
from mlsys_path.cli.terminal import style
from mlsys_path.language import _, current, listed, ngettext, sentences
from mlsys_path.mentoring import received

if TYPE_CHECKING:
    from mlsys_path.mentoring.received import Assigned
    from mlsys_path.progress.records import Status
    from mlsys_path.roadmap.load import Roadmap


def standing(roadmap: Roadmap, statuses: Mapping[str, Status]) -> list[Assigned]:
    """How the learner stands with everything that is assigned. Raises UserError when the database cannot be read."""
    day = planning.today()
    return [received.assigned(roadmap, each, statuses, day) for each in received.current()]


def data(each: Assigned) -> dict[str, Any]:
    """One assignment in JSON."""
    it = each.assignment
    return {
        "id": it.id,
        "mentor": it.mentor,
        "learner": it.learner,
        "assigned_at": it.assigned_at,
        "track": it.track.id,
        "title": it.track.title[current()],
        "due": it.due or None,
        "due_of": it.due_of,
        "next_due": each.due.isoformat() if each.due else None,
        "overdue": list(each.overdue),
        "level": str(it.level) if it.level else None,
        "note": it.note,
        "done": list(each.done),
        "below_level": list(each.below),
        "undone": list(each.undone),
        "waived": list(each.waived),
    }


def show(roadmap: Roadmap, assignments: Sequence[Assigned], *, whole: bool = False) -> None:
    """Print each; `whole` also says what is short: of `next` one line is enough."""
    shown = [each for each in assignments if whole or each.undone or each.below]
    for each in shown:
        say(style(line(each), bold=True))
        if whole:
            for text in _details(roadmap, each):
                say(text)
    if shown and not whole:
        click.echo()


def line(each: Assigned) -> str:
    """Whose assignment, how much of it is done, and when the next of it is due."""
    it = each.assignment
    done = _("{mentor} has assigned you “{track}”: {done} of {of} done.").format(
        mentor=it.mentor, track=it.track.title[current()], done=len(each.done), of=each.of
    )
    late = ngettext("{n} is overdue.", "{n} are overdue.", len(each.overdue)).format(n=len(each.overdue))
    ahead = bool(each.due and not each.overdue)
    return sentences([done, late if each.overdue else "", _due(each.due) if ahead else ""])


def _due(day: date | None) -> str:
    if day is None:
        return ""
    days = (day - planning.today()).days
    when = ngettext("in {n} day", "in {n} days", days).format(n=days) if days else _("today")
    return _("Due on {day}, {when}.").format(day=day, when=when)


def _details(roadmap: Roadmap, each: Assigned) -> list[str]:
    it = each.assignment
    said = [_("Assigned on {day} to {learner}.").format(day=it.assigned_at[:10], learner=it.learner)]
    if it.due:
        said.append(_("All of it is due on {day}.").format(day=it.due))
    said += [_("{id} is due on {day}.").format(id=id_, day=day) for id_, day in it.due_of.items()]
    if it.level:
        text = _("A pass should reach the level {level}, where an exercise has it.")
        said.append(text.format(level=it.level))
    if each.below:
        said.append(_("Passed, and not at that level: {ids}.").format(ids=listed(each.below)))
    if it.waive:
        said.append(_("Waived: {ids}.").format(ids=listed(it.waive)))
    if each.overdue:
        said.append(_("Overdue: {ids}.").format(ids=listed(each.overdue)))
    return [*said, *([_("Note: {text}").format(text=it.note)] if it.note else [])]
