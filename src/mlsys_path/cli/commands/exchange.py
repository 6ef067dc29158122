"""`export` and `import`: a learner's progress as one file, and whatever comes from a mentor or a learner."""

from __future__ import annotations

from pathlib import Path

import click

from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError
from mlsys_path.language import _, current, labelled, listed, ngettext

_PATH = click.Path(dir_okay=True, path_type=Path)
SOMETHING_REFUSED = 2


@click.command(
    "export",
    help=_(
        "Write all your progress to one file; a name that ends in .gz is compressed. With --for it is a signed bundle "
        "for a mentor, with the files that you submitted."
    ),
)
@click.argument("file", type=_PATH, required=False)
@click.option("--for", "mentor", metavar="MENTOR", help=_("The mentor whom it is for."))
@click.option(
    "-o",
    "--output",
    type=_PATH,
    metavar="FILE",
    help=_("The file (of a bundle else NAME-for-MENTOR.bundle)."),
)
@click.option("--as", "name", metavar="NAME", help=_("Your own name; remembered."))
def export_command(file: Path | None, mentor: str | None, output: Path | None, name: str | None) -> None:
    """Write the file and say how much is in it."""
    from mlsys_path.progress.exchange import export

    if mentor is not None:
        _bundle(mentor, output or file, name)
        return
    file = output or file
    if file is None:
        raise click.UsageError(_("name the file, or the mentor whom it is for with --for"))
    count = export(file)
    click.echo(
        ngettext("{n} record written to {path}", "{n} records written to {path}", count).format(
            n=count, path=file
        )
    )


def _bundle(mentor: str, file: Path | None, name: str | None) -> None:
    from mlsys_path.cli.commands.assigning import slug
    from mlsys_path.cli.naming import own_name
    from mlsys_path.mentoring import identity, received
    from mlsys_path.mentoring.bundle_out import export
    from mlsys_path.mentoring.texts import folded, name_flaw

    if flaw := name_flaw(mentor):
        raise UserError(_("{name!r} is no name: {flaw}").format(name=mentor[:80], flaw=flaw))
    # a mentor knows a learner by the name in what they assigned
    given = [each.learner for each in received.current() if folded(each.mentor) == folded(mentor)]
    name = own_name(name, given[-1] if given else "")
    file = file or Path(f"{slug(name)}-for-{slug(mentor)}.bundle")
    written = export(file, name, mentor)
    click.echo(file)
    attempts = ngettext("{n} attempt", "{n} attempts", written.attempts).format(n=written.attempts)
    text = _(
        "{attempts} of {name}, signed with the key {key}; {mentor} takes it in with `mlsys-path import {file}`."
    )
    key = identity.fingerprint(identity.public_text(identity.own_key()))
    click.echo(text.format(attempts=attempts, name=name, key=key, mentor=mentor, file=file.name))
    if written.without_files:
        n = written.without_files
        text = ngettext(
            "The files of {n} attempt are not kept.", "The files of {n} attempts are not kept.", n
        )
        click.echo(text.format(n=n))
    if written.left_out:
        n = written.left_out
        text = ngettext("{n} attempt, the oldest, is left out.", "{n} attempts, the oldest, are left out.", n)
        click.echo(text.format(n=n))


@click.command(
    "import",
    help=_(
        "Take in a file, all files of a folder, or what lies at a web address: exported progress (what you have "
        "stays, what is new is added), an assignment of a mentor, or a learner's bundle. A second time changes nothing."
    ),
)
@click.argument("source", metavar="FILE|FOLDER|URL")
@click.option(
    "--accept-key",
    is_flag=True,
    help=_("Take a bundle that is signed with another key than the learner's before."),
)
@click.pass_context
def import_command(ctx: click.Context, source: str, accept_key: bool) -> None:
    """Take in each file by itself and say what it brought; one that is refused is one line."""
    from mlsys_path.mentoring import incoming

    with incoming.files(source) as found:
        if len(found) == 1:
            click.echo(_take_in(found[0], accept_key))
            return
        refused = 0
        for path in found:
            try:
                click.echo(f"{path.name}: {_take_in(path, accept_key)}")
            except UserError as error:
                refused += 1
                stderr_line(str(error))
    ctx.exit(SOMETHING_REFUSED if refused else 0)


def _take_in(path: Path, accept_key: bool) -> str:
    """Import one file; what it brought, in a line."""
    from mlsys_path.mentoring import incoming

    match incoming.kind_of(path):
        case "assignment":
            return _assignment(path)
        case "bundle":
            return _learner(path, accept_key)
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


def _learner(path: Path, accept_key: bool) -> str:
    from mlsys_path.mentoring.bundle_in import import_

    brought = import_(path, accept_key=accept_key)
    if not brought.added and not brought.known:
        return _("this bundle of {name} is known already; nothing was changed").format(name=brought.learner)
    n = brought.added.get("attempt", 0)
    new = _("{name}: {attempts} added").format(
        name=brought.learner, attempts=ngettext("{n} attempt", "{n} attempts", n).format(n=n)
    )
    if brought.called != brought.learner:
        text = _("{name} is called {other} in it").format(name=brought.learner, other=brought.called)
        new = listed((new, text))
    lines = [new]
    for attempt, detail in brought.flags:
        lines.append(f"! {labelled(attempt, detail) if attempt else detail}")
    return "\n".join(lines)
