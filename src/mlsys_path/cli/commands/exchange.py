"""`export` and `import`: a learner's progress as one file."""

from __future__ import annotations

from pathlib import Path

import click

from mlsys_path.language import _, listed, ngettext

_PATH = click.Path(dir_okay=True, path_type=Path)


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
    "import", help=_("Merge progress from an exported file: what you have stays, what is new is added.")
)
@click.argument("file", type=_PATH)
def import_command(file: Path) -> None:
    """Merge the file and say what it brought."""
    from mlsys_path.progress.exchange import import_

    merged = import_(file)
    added = (
        ngettext("{n} attempt", "{n} attempts", merged.attempts).format(n=merged.attempts),
        ngettext("{n} event", "{n} events", merged.events).format(n=merged.events),
        ngettext("{n} setting", "{n} settings", merged.settings).format(n=merged.settings),
        ngettext("{n} word of yours", "{n} words of yours", merged.claims).format(n=merged.claims),
    )
    known = ngettext("{n} record", "{n} records", merged.known).format(n=merged.known)
    click.echo(_("added: {added}; known already: {known}").format(added=listed(added), known=known))
