"""`doctor`: what this machine can check, and the commands that add what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from mlsys_path.checking.timing import telling
from mlsys_path.checking.timing.ceilings import Ceilings, ceilings_of, stored
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import cells, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _, labelled, listed
from mlsys_path.levels import Level
from mlsys_path.machine.doctor import LanguageRow, Report, report
from mlsys_path.machine.inspect import Machine, inspect, versions
from mlsys_path.machine.requirements import Need, in_words, lacking, needs_of_language
from mlsys_path.roadmap.load import load

NOTHING_MEASURED = 3
_STATES = {
    "ready": ("✓", N_("ready"), "green"),
    "partly": ("◐", N_("partly"), "yellow"),
    "open": ("○", N_("open"), "yellow"),
}


@click.command("doctor", help=_("What this machine can check, and the command that adds what is missing."))
@click.option(
    "--measure",
    "measuring",
    is_flag=True,
    help=_("Measure what the GPU can do at most, some seconds, and print it: times of kernels rest on it."),
)
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, /, *, measuring: bool, as_json: bool) -> None:
    """Look at the machine and print what was found."""
    machine = inspect()
    if measuring:
        if why := _cannot_measure(machine):
            click.echo(_("nothing was measured: {why}").format(why=why), err=True)
            ctx.exit(NOTHING_MEASURED)
        ceilings = [_measured()]
        if as_json:
            print_json({"ceilings": [asdict(each) for each in ceilings]})
        else:
            _print_ceilings(ceilings)
        return
    found, ceilings = report(machine, load(), versions(machine)), stored()
    if as_json:
        document = {**found.to_json(), "ceilings": [asdict(each) for each in ceilings]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(found)
        if ceilings:
            click.echo()
            click.echo(style(_("Measured, for timing kernels:"), bold=True))
            _print_ceilings(ceilings)


def _cannot_measure(machine: Machine) -> str:
    """What torch lacks to use a GPU here; "" when it can."""
    wanted = [
        need
        for need in needs_of_language("cuda", Level.FAST)
        if need.kind != "tool" and need != Need("gpu for", "nvcc")
    ]
    return in_words(lacking(wanted, machine))


def _measured() -> Ceilings:
    from mlsys_path.checking.worker.stopwatch import clock_of

    try:
        return ceilings_of(clock_of("cuda"), again=True)
    except (RuntimeError, AssertionError, OSError) as error:
        # torch's words for a driver that is too old, memory that others hold, a GPU that is lost
        said = str(error).strip().partition("\n")[0]
        raise UserError(_("the GPU could not be measured: {why}").format(why=said)) from None


def _print_ceilings(ceilings: Sequence[Ceilings]) -> None:
    for each in ceilings:
        for line in telling.ceilings(each):
            click.echo(line)


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
    click.echo(f"{_label(sandbox.state)}  {labelled(_('sandbox'), listed((sandbox.kind, sandbox.means)))}")
    if sandbox.lacks:
        click.echo(f"      {sandbox.lacks}")
    click.echo()
    for row in found.languages:
        click.echo(_row(row))
    click.echo()
    tools = [f"{tool.name} {tool.version}".rstrip() for tool in found.tools if tool.found]
    missing = [tool.name for tool in found.tools if not tool.found]
    click.echo(_("Found: {tools}").format(tools=listed(tools)))
    if missing:
        click.echo(_("Not found: {tools}").format(tools=listed(missing)))
    if found.commands:
        click.echo()
        click.echo(style(_("These commands add what is missing:"), bold=True))
        for command in found.commands:
            click.echo(f"  {command}")


def _row(row: LanguageRow) -> str:
    count = f"{row.ready}/{row.exercises}"
    line = f"{_label(row.state)}  {row.language:<12} {row.level:<9} {count:>6}"
    return f"{line}  {'; '.join(row.lacks)}" if row.lacks else line
