"""`show`: a lesson, or a stage, a topic, a track or a resource of the roadmap."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from mlsys_path import language
from mlsys_path.cli.completing import any_ids
from mlsys_path.cli.terminal import on_terminal
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import lesson
from mlsys_path.exercises.workspace import workspace_of
from mlsys_path.language import Language, _
from mlsys_path.roadmap.load import load

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap


@click.command(
    "show", help=_("Read an exercise's lesson, or see a stage, topic, track or resource by its id.")
)
@click.argument("record_id", metavar="ID", shell_complete=any_ids)
@click.option("--lang", type=click.Choice(language.LANGUAGES), help=_("Read it in this language."))
def show_command(record_id: str, lang: Language | None) -> None:
    """Print what the id names, as Markdown rendered for a terminal, or as it is."""
    language.use(lang or language.current())
    roadmap = load()
    kinds: tuple[tuple[object, Callable[[Roadmap, str], str]], ...] = (
        (roadmap.exercises, _exercise),
        (roadmap.topics, _topic),
        (roadmap.stages, _stage),
        (roadmap.tracks, _track),
        (roadmap.resources, _resource),
    )
    for records, markdown in kinds:
        if record_id in records:  # type: ignore[operator]
            _print(markdown(roadmap, record_id))
            return
    every = [*roadmap.exercises, *roadmap.topics, *roadmap.stages, *roadmap.tracks, *roadmap.resources]
    near = get_close_matches(record_id, every, n=1)
    hint = _("did you mean {id}?").format(id=near[0]) if near else _("`mlsys-path list` shows the exercises")
    raise UserError(_("nothing in the roadmap is called {id!r}: {hint}").format(id=record_id, hint=hint))


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
    lines = [
        lesson(roadmap.folder(exercise_id), language.current()).rstrip("\n"),
        "",
        "---",
        "",
        " · ".join(facts),
        "",
    ]
    if exercise.requires:
        lines += [_("Builds on: {ids}").format(ids=", ".join(exercise.requires)), ""]
    if exercise.reads:
        lines += [_("Reading:"), "", *(_resource_line(roadmap, name) for name in exercise.reads), ""]
    if workspace_of(exercise_id).is_dir():
        lines.append(_("Your files: {path}").format(path=workspace_of(exercise_id)))
    else:
        lines.append(_("Begin with `mlsys-path start {id}`.").format(id=exercise_id))
    return "\n".join(lines)


def _topic(roadmap: Roadmap, topic_id: str) -> str:
    topic = roadmap.topics[topic_id]
    lines = [*_head(topic.title, topic.summary), *(_exercise_line(roadmap, name) for name in topic.exercises)]
    if topic.resources:
        lines += ["", _("Reading:"), "", *(_resource_line(roadmap, name) for name in topic.resources)]
    return "\n".join(lines)


def _stage(roadmap: Roadmap, stage_id: str) -> str:
    stage = roadmap.stages[stage_id]
    lines = _head(stage.title, stage.summary)
    for topic in stage.topics:
        lines += [
            f"## {topic.title[language.current()]}",
            "",
            f"`{topic.id}`: {topic.summary[language.current()]}",
            "",
        ]
        lines += [*(_exercise_line(roadmap, name) for name in topic.exercises), ""]
    return "\n".join(lines)


def _track(roadmap: Roadmap, track_id: str) -> str:
    track = roadmap.tracks[track_id]
    return "\n".join(
        [*_head(track.title, track.summary), *(_exercise_line(roadmap, n) for n in track.exercises)]
    )


def _resource(roadmap: Roadmap, resource_id: str) -> str:
    resource = roadmap.resources[resource_id]
    return "\n".join([*_head(resource.title, resource.summary), *(f"- <{url}>" for url in resource.urls)])


def _head(title: language.Text, summary: language.Text) -> list[str]:
    return [f"# {title[language.current()]}", "", summary[language.current()], ""]


def _exercise_line(roadmap: Roadmap, name: str) -> str:
    return f"- `{name}`: {roadmap.exercises[name].title[language.current()]}"


def _resource_line(roadmap: Roadmap, name: str) -> str:
    resource = roadmap.resources[name]
    return f"- `{name}`: {resource.title[language.current()]} <{resource.urls[0]}>"
