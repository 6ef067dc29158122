"""`mentor timeline`: a learner's attempts one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from mlsys_path.cli import mentor_data, mentor_tables
from mlsys_path.cli.completing import exercise_ids
from mlsys_path.cli.mentor_tables import csv_option
from mlsys_path.cli.mentor_world import everything
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import indent, style
from mlsys_path.errors import UserError
from mlsys_path.language import _, labelled, listed

if TYPE_CHECKING:
    from mlsys_path.mentoring.timeline import Entry
    from mlsys_path.roadmap.load import Roadmap


@click.command(
    "timeline", help=_("A learner's attempts: what failed, what was changed before each, what was looked at.")
)
@click.argument("learner", metavar="LEARNER")
@click.argument("exercise", metavar="[EXERCISE]", required=False, shell_complete=exercise_ids)
@click.option("--starter", is_flag=True, help=_("Compare with the starter instead of the attempt before."))
@json_option
@csv_option
def timeline_command(learner: str, exercise: str | None, starter: bool, as_json: bool, as_csv: bool) -> None:
    """Print each attempt, the oldest first."""
    from mlsys_path.mentoring import history
    from mlsys_path.mentoring.timeline import timeline

    roadmap, found = everything()
    each = history.find(found, learner)
    name = roadmap.exercise(exercise).id if exercise else None
    entries = timeline(each, name, _kept(), _starters(roadmap))
    if as_json:
        print_json({"learner": each.name, "attempts": [mentor_data.entry(entry) for entry in entries]})
    elif as_csv:
        flat = (
            "id",
            "exercise",
            "at",
            "seconds_since_before",
            "verdict",
            "failing_check",
            "message",
            "looked_at",
        )
        rows = [mentor_data.entry(entry) for entry in entries]
        mentor_tables.print_csv([{key: row[key] for key in flat} for row in rows])
    elif not entries:
        click.echo(_("{name} has tried nothing of it.").format(name=each.name))
    else:
        for entry in entries:
            _print_entry(entry, starter)


def _kept() -> Callable[[str], dict[str, bytes] | None]:
    import functools

    from mlsys_path.mentoring import history

    return functools.lru_cache(maxsize=64)(history.files)


def _starters(roadmap: Roadmap) -> Callable[[str], dict[str, bytes]]:
    import functools

    from mlsys_path.exercises.folder import read_files

    @functools.lru_cache(maxsize=64)
    def starter(exercise: str) -> dict[str, bytes]:
        try:
            return read_files(roadmap.folder(exercise) / "starter")
        except (KeyError, UserError):
            return {}  # of an exercise that is not here

    return starter


def _print_entry(entry: Entry, starter: bool) -> None:
    it = entry.attempt
    glyph, word, colour = mentor_tables.STATES[it.verdict.value]
    head = f"{mentor_tables.moment(it.started_at)}  {it.exercise}  "
    click.echo(
        head
        + style(f"{glyph} {_(word)}", fg=colour)
        + f"  {mentor_tables.one_line(it.failing_check)}".rstrip()
    )
    said = [
        mentor_tables.one_line(it.message),
        _("{time} after the attempt before").format(time=mentor_tables.span(entry.since_before))
        if entry.since_before is not None
        else "",
        _("looked at: {what}").format(what=listed(entry.looked_at)) if entry.looked_at else "",
        *(f"! {flag}" for flag in entry.flags),
    ]
    if found := entry.verification:
        reason = listed(filter(None, (*map(str, found.proved), found.failing_check, found.message)))
        said.append(labelled(_(mentor_tables.FINDINGS[found.finding]), mentor_tables.one_line(reason)))
    from mlsys_path.mentoring.texts import cleaned

    for text in filter(None, said):
        click.echo(indent(text, 4))
    diff = entry.from_starter if starter else entry.diff
    if diff is None:
        click.echo(indent(_("its files did not come"), 4))
    elif diff:
        click.echo(indent(cleaned(diff), 4))
