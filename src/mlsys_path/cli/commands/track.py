"""`track`: ways through the roadmap towards a goal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli import assigned, track_table
from mlsys_path.cli.commands.assigning import assign_command, new_command
from mlsys_path.cli.completing import track_ids
from mlsys_path.cli.lookup import find_track
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import Standing, said, standings
from mlsys_path.cli.terminal import pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.mentoring.received import load
from mlsys_path.progress import queries
from mlsys_path.roadmap import itinerary
from mlsys_path.roadmap.pages import length

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Track


@click.group(
    "track", help=_("Ways through the roadmap towards a goal. `next` leads along the one that you follow.")
)
def track_group() -> None:
    """Hold the commands."""


track_group.add_command(new_command)
track_group.add_command(assign_command)


def _entry(roadmap: Roadmap, track: Track, found: dict[str, Standing], followed: str) -> dict[str, Any]:
    items = itinerary.of_track(roadmap, track)
    exercises = [item.id for item in items if item.kind == "exercise"]
    return {
        "id": track.id,
        "title": track.title[language.current()],
        "summary": track.summary[language.current()],
        "goal": track.goal[language.current()] if track.goal else "",
        "hours": round(sum(item.hours for item in items if item.kind != "planned"), 1),
        "hours_per_week": track.hours_per_week,
        "exercises": exercises,
        "planned": [item.id for item in items if item.kind == "planned"],
        "passed": sum(found[name].status.passed for name in exercises),
        "known": sum(found[name].word == "known" for name in exercises),
        "followed": track.id == followed,
    }


@track_group.command("list", help=_("All tracks, how far you are, and which you follow."))
@json_option
def list_command(as_json: bool) -> None:
    """Print a line for each."""
    roadmap = load()
    found, followed = standings(roadmap), queries.followed_track(roadmap.renames)
    entries = [_entry(roadmap, track, found, followed) for track in roadmap.tracks.values()]
    if as_json:
        print_json({"tracks": entries})
        return
    width = max((len(e["id"]) for e in entries), default=0)
    for entry in entries:
        mark = _("  (followed)") if entry["followed"] else ""
        mark += _("  (+{n} by your word)").format(n=entry["known"]) if entry["known"] else ""
        count = f"{entry['passed']}/{len(entry['exercises'])}"
        hours = _("{n:.0f} h").format(n=entry["hours"])
        click.echo(f"{pad(entry['id'], width)}  {count:>5}  {hours:>6}  {entry['title']}{mark}")


@track_group.command(
    "show", help=_("What a track consists of, in its order: reading, exercises, what is planned.")
)
@click.argument("track_id", metavar="ID", shell_complete=track_ids)
@json_option
def show_command(track_id: str, as_json: bool) -> None:
    """Print the track."""
    roadmap = load()
    track = find_track(roadmap, track_id)
    word = said(roadmap)
    found = standings(roadmap, word)
    items = itinerary.of_track(roadmap, track)
    entry = _entry(roadmap, track, found, queries.followed_track(roadmap.renames))
    statuses = {name: standing.status for name, standing in found.items()}
    given = [
        each
        for each in assigned.standing(roadmap, statuses)
        if roadmap.renames.newest("tracks", each.assignment.track.id) == track.id
    ]
    if as_json:
        told = [assigned.data(each) for each in given]
        print_json(
            {"track": {**entry, "items": track_table.data(roadmap, items, found, word), "assigned": told}}
        )
        return
    click.echo(style(f"{entry['title']}  ({entry['passed']}/{len(entry['exercises'])})", bold=True))
    click.echo(entry["summary"])
    if entry["goal"]:
        click.echo(_("Goal: {text}").format(text=entry["goal"]))
    click.echo(length(items, track))
    assigned.show(roadmap, given, whole=True)
    text = _("`mlsys-path show {id}` is the whole of it, with notes and addresses.")
    click.echo(text.format(id=track.id))
    track_table.show(roadmap, items, found, word)


@track_group.command("follow", help=_("Follow a track: `next` leads along it. --none follows none."))
@click.argument("track_id", metavar="[ID]", required=False, shell_complete=track_ids)
@click.option("--none", "nothing", is_flag=True, help=_("Follow no track."))
def follow_command(track_id: str | None, nothing: bool) -> None:
    """Remember the choice."""
    from mlsys_path.progress.store import Store

    if nothing == (track_id is not None):
        raise UserError(_("give the id of a track, or --none (`mlsys-path track list` shows them)"))
    track = find_track(load(), track_id) if track_id else None
    with Store.open() as store:
        store.set_setting(queries.TRACK_SETTING, track.id if track else None)
    if track is None:
        click.echo(_("You follow no track."))
    else:
        click.echo(
            _("You follow “{title}”. `mlsys-path next` says where to begin.").format(
                title=track.title[language.current()]
            )
        )
