"""`pack`: content of others beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlsys_path import language
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.errors import UserError
from mlsys_path.language import _, ngettext
from mlsys_path.roadmap import sources


@click.group("pack", help=_("Content packs: stages, topics, exercises and tracks of others beside ours."))
def pack_group() -> None:
    """Hold the three commands."""


@pack_group.command("add", help=_("Use the content pack in a folder, when it and ours go together."))
@click.argument("folder", type=click.Path(path_type=Path))
def add_command(folder: Path) -> None:
    """Try the pack together with all others before it is remembered."""
    from mlsys_path.roadmap.content import read_all

    source = sources.pack(folder.expanduser().absolute())
    if source in sources.sources():
        raise UserError(_("{folder} is in use already").format(folder=folder))
    content = read_all([*sources.sources(), source])
    if content.problems:
        more = len(content.problems) - 1
        text = _("{problem} ({n} more)") if more else "{problem}"
        raise UserError(text.format(problem=content.problems[0], n=more))
    sources.remember([*sources.added(), str(source.root)])
    (record,) = [p for p in content.packs.values() if content.file_of("pack", p.id) == source.pack]
    count = sum(path.is_relative_to(source.root) for path in content.folders.values())
    exercises = ngettext("{n} exercise", "{n} exercises", count).format(n=count)
    click.echo(
        _("“{title}” is in use: {exercises}.").format(
            title=record.title[language.current()], exercises=exercises
        )
    )


@pack_group.command("remove", help=_("Use a content pack no more; its folder and your progress stay."))
@click.argument("folder", type=click.Path(path_type=Path))
def remove_command(folder: Path) -> None:
    """Forget the folder, whether it is still there or not."""
    wanted, folders = str(folder.expanduser().absolute()), sources.added()
    if wanted not in folders:
        listed = ", ".join(folders) or _("there are none")
        raise UserError(
            _("{folder} was not added by `pack add`: {listed}").format(folder=folder, listed=listed)
        )
    sources.remember([name for name in folders if name != wanted])
    click.echo(_("{folder} is used no more. Your progress stays.").format(folder=wanted))


@pack_group.command("list", help=_("The content packs in use, and what each brings."))
@json_option
def list_command(as_json: bool) -> None:
    """Print a line for each."""
    from mlsys_path.roadmap.content import read_all

    everything = sources.sources()
    content = read_all(everything)
    entries: list[dict[str, Any]] = []
    for source in everything:
        if source.pack is None:
            continue
        record = next(
            (p for p in content.packs.values() if content.file_of("pack", p.id) == source.pack), None
        )
        entries.append(
            {
                "id": record.id if record else None,
                "title": record.title[language.current()] if record else None,
                "folder": str(source.root),
                "exercises": sum(p.is_relative_to(source.exercises) for p in content.folders.values()),
                "problems": sum(problem.file.is_relative_to(source.root) for problem in content.problems),
            }
        )
    if as_json:
        print_json({"packs": entries})
        return
    if not entries:
        click.echo(_("No content pack is in use. `mlsys-path pack add FOLDER` uses one."))
    for entry in entries:
        exercises = ngettext("{n} exercise", "{n} exercises", entry["exercises"]).format(n=entry["exercises"])
        problems = ngettext("{n} problem", "{n} problems", entry["problems"]).format(n=entry["problems"])
        click.echo(f"{entry['folder']}  {entry['title'] or '?'}  {exercises}, {problems}")
