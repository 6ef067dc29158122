"""`show`: a lesson, or a stage, a topic, a track or a resource of the roadmap."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from mlsys_path import language
from mlsys_path.cli.completing import any_ids
from mlsys_path.cli.standing import learners_word, said
from mlsys_path.cli.terminal import on_terminal
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import lesson
from mlsys_path.exercises.workspace import folder_of
from mlsys_path.language import _, labelled, listed
from mlsys_path.mentoring.received import load
from mlsys_path.progress.word import SHOWN
from mlsys_path.roadmap import pages
from mlsys_path.roadmap.names import EVERY, Kind, identify, kinds_of
from mlsys_path.roadmap.page_lines import Word

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

PAGES: dict[Kind, Callable[[Roadmap, str, Word], str]] = {
    "topic": pages.topic,
    "stage": pages.stage,
    "track": pages.track,
    "resource": pages.resource,
    "planned": pages.planned,
    "reading": pages.reading,
}


@click.command(
    "show", help=_("Read an exercise's lesson, or see a stage, topic, track or resource by its id.")
)
@click.argument("record_id", metavar="ID", shell_complete=any_ids)
@click.option(
    "--kind",
    type=click.Choice(EVERY),
    help=_("What it is, where an exercise, a topic and a resource have the same id."),
)
def show_command(record_id: str, kind: Kind | None) -> None:
    """Print what the id names, as Markdown rendered for a terminal, or as it is."""
    roadmap = load()
    kind, found = identify(roadmap, record_id, kind)
    _print(
        _exercise(roadmap, found)
        if kind == "exercise"
        else PAGES[kind](roadmap, found, learners_word(roadmap))
    )
    others = [other for other, _id in kinds_of(roadmap, record_id) if other != kind]
    if others and on_terminal():
        text = _("`{id}` is also the id of this: `mlsys-path show {id} --kind {other}`")
        click.echo(text.format(id=record_id, other=others[0]), err=True)


def _print(markdown: str) -> None:
    if not on_terminal():
        click.echo(markdown.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))


def _exercise(roadmap: Roadmap, exercise_id: str) -> str:
    exercise = roadmap.exercises[exercise_id]
    facts = [
        f"`{exercise.id}`",
        exercise.language,
        _("difficulty {n} of 5").format(n=exercise.difficulty),
        _("about {n} minutes").format(n=exercise.minutes),
    ]
    # whatever is wrong with the database, a lesson can be read
    with contextlib.suppress(UserError):
        facts += [_(SHOWN["known"])] if exercise_id in said(roadmap).own else []
    lines = [
        lesson(roadmap.folder(exercise_id), language.current()).rstrip("\n"),
        "",
        "---",
        "",
        " · ".join(facts),
        "",
    ]
    if exercise.requires:
        lines += [_("Builds on: {ids}").format(ids=listed(exercise.requires)), ""]
    if exercise.reads:
        lines += [_("Reading:"), "", *(_resource_line(roadmap, resource) for resource in exercise.reads), ""]
    folder = folder_of(exercise_id, roadmap.renames)
    if folder.is_dir():
        lines.append(_("Your files: {path}").format(path=folder))
    else:
        lines.append(_("Begin with `mlsys-path start {id}`.").format(id=exercise_id))
    return "\n".join(lines)


def _resource_line(roadmap: Roadmap, resource_id: str) -> str:
    resource = roadmap.resources[resource_id]
    title = labelled(f"`{resource_id}`", resource.title[language.current()])
    return f"- {title} <{resource.urls[0]}>"
