"""`track new` and `track assign`: a mentor's own track, and a track or exercises given to a learner as a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlsys_path.cli.completing import any_ids, exercise_ids
from mlsys_path.errors import UserError
from mlsys_path.language import Text, _
from mlsys_path.levels import LEVELS, Level

if TYPE_CHECKING:
    from mlsys_path.mentoring.assignment import Assignment
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Track

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "new",
    help=_(
        "Begin a track of your own. NAMEs are its stages, topics and exercises, in order. It becomes a single file, "
        "or with --pack a part of a content pack."
    ),
)
@click.argument("track_id", metavar="ID")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=any_ids)
@click.option("--title", default="", metavar="TEXT", help=_("Its title (else the id)."))
@click.option("--summary", default="", metavar="TEXT", help=_("A sentence: for whom, and to what end."))
@click.option("--goal", default="", metavar="TEXT", help=_("What one can do at its end."))
@click.option(
    "--hours",
    type=click.FloatRange(0.5, 100),
    default=8.0,
    metavar="H",
    help=_("Hours a week, 8 without it."),
)
@click.option("-o", "--output", type=_FILE, metavar="FILE", help=_("The file to write (else ID.yaml)."))
@click.option(
    "--pack",
    "pack_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help=_("Make it in this content pack, which is begun where there is none."),
)
def new_command(
    track_id: str,
    names: tuple[str, ...],
    title: str,
    summary: str,
    goal: str,
    hours: float,
    output: Path | None,
    pack_folder: Path | None,
) -> None:
    """Write the track and say what comes next."""
    from mlsys_path.mentoring import tracks
    from mlsys_path.roadmap.load import load
    from mlsys_path.roadmap.schema import DIRECTORY

    roadmap = load()
    if output and pack_folder:
        raise click.UsageError(_("give --output or --pack, not both"))
    if track_id in roadmap.tracks:
        raise UserError(_("there is a track {id!r} already: give yours another id").format(id=track_id))
    steps = tracks.steps_of(roadmap, names)
    schema = (DIRECTORY / "track.schema.json").as_uri()
    text = tracks.new_text(
        track_id, {"title": title or track_id, "summary": summary, "goal": goal}, hours, steps, schema
    )
    target = pack_folder / "roadmap" / "tracks" / f"{track_id}.yaml" if pack_folder else output
    target = target or Path(f"{track_id}.yaml")
    if pack_folder and not (pack_folder / "pack.yaml").exists():
        pack_id = re.sub(r"[^a-z0-9]+", "-", pack_folder.resolve().name.lower()).strip("-") or "my-pack"
        write_new(pack_folder / "pack.yaml", f"id: {pack_id}\ntitle: {{en: {pack_id}, zh: {pack_id}}}\n")
    write_new(target, text)
    tracks.read_file(roadmap, target, finished=False)
    click.echo(target)
    if pack_folder:
        text = _("Next: `mlsys-path pack add {folder}`, once its texts are written.").format(
            folder=pack_folder
        )
    else:
        text = _("Next: `mlsys-path track assign {file} --to NAME`, once its texts are written.").format(
            file=target
        )
    click.echo(text)


@click.command(
    "assign",
    help=_(
        "Give a learner a track, your own in a file, or exercises. Writes a file that they `mlsys-path import`; "
        "no server is needed."
    ),
)
@click.argument("names", metavar="TRACK|FILE|EXERCISE...", nargs=-1, required=True, shell_complete=any_ids)
@click.option("--to", "learner", required=True, metavar="NAME", help=_("The learner's name."))
@click.option("--as", "mentor", metavar="NAME", help=_("Your own name; remembered."))
@click.option(
    "--due",
    "dues",
    multiple=True,
    metavar="[ID=]DATE",
    help=_("The day by which it is due, as 2026-12-31; with ID= that exercise (may be repeated)."),
)
@click.option(
    "--level",
    type=click.Choice([*map(str, LEVELS)]),
    help=_("The level that passes should reach, where they can."),
)
@click.option("--note", default="", metavar="TEXT", help=_("A word to the learner."))
@click.option(
    "--waive",
    multiple=True,
    metavar="ID",
    shell_complete=exercise_ids,
    help=_("An exercise that need not be done, and counts as met (may be repeated)."),
)
@click.option("-o", "--output", type=_FILE, metavar="FILE", help=_("The file (else NAME.assignment.yaml)."))
@click.option(
    "--change", type=_FILE, metavar="FILE", help=_("Change the assignment of this file, and write it anew.")
)
def assign_command(
    names: tuple[str, ...],
    learner: str,
    mentor: str | None,
    dues: tuple[str, ...],
    level: str | None,
    note: str,
    waive: tuple[str, ...],
    output: Path | None,
    change: Path | None,
) -> None:
    """Write the assignment, validated as the learner's import will."""
    from mlsys_path.cli.naming import own_name
    from mlsys_path.mentoring import assignment_file
    from mlsys_path.mentoring.assignment import FORMAT, Assignment
    from mlsys_path.mentoring.schema import FILE
    from mlsys_path.progress.records import new_id, now
    from mlsys_path.roadmap.load import load

    roadmap = load()
    before = assignment_file.load(roadmap, change) if change else None
    id_ = before.id if before else new_id()
    mentor = own_name(mentor)
    due, due_of = _days(dues)
    made = Assignment(
        format=FORMAT,
        version=1,
        id=id_,
        mentor=mentor,
        learner=learner,
        assigned_at=now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        track=_track(roadmap, names, mentor, learner, id_),
        due=due,
        due_of=due_of,
        level=Level(level) if level else None,
        note=note,
        waive=waive,
    )
    target = change or output or Path(f"{slug(learner)}.assignment.yaml")
    text = assignment_file.write(made, FILE.as_uri())
    # what the learner's program would refuse is refused here
    made = assignment_file.loads(roadmap, text.encode(), target)
    write_new(target, text, again=change is not None)
    _keep(made)
    click.echo(target)
    click.echo(
        _("{learner} takes it in with `mlsys-path import {file}`.").format(learner=learner, file=target.name)
    )


def _keep(made: Assignment) -> None:
    """Remember what was assigned, for the mentor's own views."""
    from mlsys_path.mentoring.history import remember_assignment

    remember_assignment(made, made.assigned_at)


def _track(roadmap: Roadmap, names: tuple[str, ...], mentor: str, learner: str, id_: str) -> Track:
    from mlsys_path.cli.lookup import find_track
    from mlsys_path.mentoring import tracks
    from mlsys_path.roadmap.model import Step, Track
    from mlsys_path.roadmap.names import kinds_of

    if len(names) == 1:
        if names[0].endswith((".yaml", ".yml")):
            return tracks.read_file(roadmap, Path(names[0]))
        if not any(kind in ("exercise", "planned") for kind, _id in kinds_of(roadmap, names[0])):
            return find_track(roadmap, names[0])
    title = Text(f"Exercises from {mentor}", f"{mentor} 布置的练习")
    summary = Text(f"What {mentor} assigned to {learner}.", f"{mentor} 布置给 {learner} 的练习。")
    steps = tuple(Step(exercise=roadmap.exercise(name).id) for name in dict.fromkeys(names))
    # the end of a ULID is its random part
    return Track(f"assigned-{id_[-10:].lower()}", title, summary, steps)


def _days(dues: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    due, due_of = "", {}
    for text in dues:
        name, equals, day = text.rpartition("=")
        if equals:
            due_of[name] = day
        else:
            due = day
    return due, due_of


def slug(name: str) -> str:
    """A name as the beginning of a file's name."""
    return re.sub(r"[^\w-]+", "-", name).strip("-").lower() or "learner"


def write_new(path: Path, text: str, *, again: bool = False) -> None:
    """Write a file whole or not at all; raises UserError when it is there already, or cannot be written."""
    if path.exists() and not again:
        raise UserError(_("{path} is there already: name another file").format(path=path))
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UserError(_("{path}: cannot be written: {why}").format(path=path, why=error.strerror)) from None
