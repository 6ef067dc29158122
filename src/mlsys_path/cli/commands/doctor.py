"""`doctor`: what this machine can check, and the commands that add what is missing."""

from __future__ import annotations

import json

import click

from mlsys_path.cli.output import json_option
from mlsys_path.cli.terminal import cells, pad, style
from mlsys_path.language import N_, _
from mlsys_path.machine.doctor import LanguageRow, Report, report
from mlsys_path.machine.inspect import inspect, versions
from mlsys_path.roadmap.load import load

_STATES = {
    "ready": ("✓", N_("ready"), "green"),
    "partly": ("◐", N_("partly"), "yellow"),
    "open": ("○", N_("open"), "yellow"),
}


@click.command("doctor", help=_("What this machine can check, and the command that adds what is missing."))
@json_option
def doctor_command(as_json: bool) -> None:
    """Look at the machine and print what was found."""
    machine = inspect()
    found = report(machine, load(), versions(machine))
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        _print(found)


def _label(state: str) -> str:
    glyph, word, colour = _STATES[state]
    width = max(cells(_(text)) for _glyph, text, _colour in _STATES.values())
    return style(f"{glyph} {pad(_(word), width)}", fg=colour)


def _print(found: Report) -> None:
    click.echo(style(found.machine, bold=True))
    click.echo(
        _("Python {python}, {gb} GB of disk free").format(python=found.python, gb=found.disk_free_mb >> 10)
    )
    for gpu in found.gpus:
        click.echo(
            f"{gpu.name}, {gpu.memory_mb >> 10} GB, sm_{gpu.capability.replace('.', '')}, {gpu.driver}"
        )
    click.echo()
    sandbox = found.sandbox
    click.echo(f"{_label(sandbox.state)}  {_('sandbox')}: {sandbox.kind}, {sandbox.means}")
    if sandbox.lacks:
        click.echo(f"      {sandbox.lacks}")
    click.echo()
    for row in found.languages:
        click.echo(_row(row))
    click.echo()
    tools = [f"{tool.name} {tool.version}".rstrip() for tool in found.tools if tool.found]
    missing = [tool.name for tool in found.tools if not tool.found]
    click.echo(_("Found: {tools}").format(tools=", ".join(tools)))
    if missing:
        click.echo(_("Not found: {tools}").format(tools=", ".join(missing)))
    if found.commands:
        click.echo()
        click.echo(style(_("These commands add what is missing:"), bold=True))
        for command in found.commands:
            click.echo(f"  {command}")


def _row(row: LanguageRow) -> str:
    count = f"{row.ready}/{row.exercises}"
    line = f"{_label(row.state)}  {row.language:<12} {row.level:<9} {count:>6}"
    return f"{line}  {'; '.join(row.lacks)}" if row.lacks else line
