"""`export` and `import`: a learner's progress as one file, and whatever comes from a mentor or a learner."""

from __future__ import annotations

from pathlib import Path

import click

from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError
from mlsys_path.language import _, current, listed, ngettext

_PATH = click.Path(dir_okay=True, path_type=Path)
SOMETHING_REFUSED = 2


@click.command(
    "export", help=_("Write all your progress to one file; a name that ends in .gz is compressed.")
)
@click.argument("file", type=_PATH)
def export_command(file: Path) -> None:
    """Write the file and say how much is in it."""
    from mlsys_path.progress.exchange import export

    count = export(file)
    click.echo(
        ngettext("{n} record written to {path}", "{n} records written to {path}", count).format(
            n=count, path=file
        )
    )


@click.command(
    "import",
    help=_(
        "Take in a file, all files of a folder, or what lies at a web address: exported progress (what you have "
        "stays, what is new is added), or an assignment of a mentor. A second time changes nothing."
    ),
)
@click.argument("source", metavar="FILE|FOLDER|URL")
@click.pass_context
def import_command(ctx: click.Context, source: str) -> None:
    """Take in each file by itself and say what it brought; one that is refused is one line."""
    from mlsys_path.mentoring import incoming

    with incoming.files(source) as found:
        if len(found) == 1:
            click.echo(_take_in(found[0]))
            return
        refused = 0
        for path in found:
            try:
                click.echo(f"{path.name}: {_take_in(path)}")
            except UserError as error:
                refused += 1
                stderr_line(str(error))
    ctx.exit(SOMETHING_REFUSED if refused else 0)


def _take_in(path: Path) -> str:
    """Import one file; what it brought, in a line."""
    from mlsys_path.mentoring import incoming

    match incoming.kind_of(path):
        case "assignment":
            return _assignment(path)
        case _other:
            return _progress(path)


def _progress(path: Path) -> str:
    from mlsys_path.progress.exchange import import_

    merged = import_(path)
    added = (
        ngettext("{n} attempt", "{n} attempts", merged.attempts).format(n=merged.attempts),
        ngettext("{n} event", "{n} events", merged.events).format(n=merged.events),
        ngettext("{n} setting", "{n} settings", merged.settings).format(n=merged.settings),
        ngettext("{n} word of yours", "{n} words of yours", merged.claims).format(n=merged.claims),
    )
    known = ngettext("{n} record", "{n} records", merged.known).format(n=merged.known)
    return _("added: {added}; known already: {known}").format(added=listed(added), known=known)


def _assignment(path: Path) -> str:
    from mlsys_path.mentoring import received
    from mlsys_path.mentoring.assignment_file import load
    from mlsys_path.progress.queries import TRACK_SETTING
    from mlsys_path.roadmap.load import load as load_roadmap

    assignment = load(load_roadmap(), path)
    title = assignment.track.title[current()]
    if not received.remember(assignment, TRACK_SETTING):
        return _("“{track}” of {mentor} is known already; nothing was changed.").format(
            track=title, mentor=assignment.mentor
        )
    text = _(
        "{mentor} has assigned “{track}” to {learner}: you follow it now, and `mlsys-path next` leads along it."
    )
    return text.format(mentor=assignment.mentor, track=title, learner=assignment.learner)
