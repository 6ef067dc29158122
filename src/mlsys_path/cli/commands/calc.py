"""`calc`: the calculators, with an option for each of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mlsys_path.calculators import CALCULATORS, Calculator, Report, find
from mlsys_path.calculators.report import wrapped
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import columns, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from mlsys_path.calculators.inputs import Input


class _Group(click.Group):
    """A group whose unknown names are answered with the nearest calculator."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument."""
        if args and not args[0].startswith("-") and not ctx.resilient_parsing:
            find(args[0])
        return super().resolve_command(ctx, args)


class _Command(click.Command):
    """A command whose unknown options are answered as those of a line in a lesson are."""

    def __init__(self, calculator: Calculator, **attributes: Any) -> None:
        super().__init__(calculator.name, **attributes)
        self.calculator = calculator

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with our words for an option that there is not."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise self.calculator.unknown_option(error.option_name) from error


@click.group(
    "calc",
    cls=_Group,
    invoke_without_command=True,
    help=_("Calculators of ML systems: memory, FLOPs, communication, pipelines. Alone it lists them."),
)
@json_option
@click.pass_context
def calc_group(ctx: click.Context, as_json: bool) -> None:
    """List the calculators, unless one is named."""
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise UserError(_("--json belongs after the calculator's name"))
        return
    if as_json:
        print_json({"calculators": [_entry(each) for each in CALCULATORS.values()]})
        return
    width = max(len(name) for name in CALCULATORS)
    for each in CALCULATORS.values():
        click.echo(f"{pad(each.name, width)}  {_(each.summary)}")
    click.echo()
    click.echo(_("For example:"))
    click.echo("  mlsys-path calc memory --params 7.5B --dp 64 --zero 3")
    click.echo("  mlsys-path calc kvcache --model llama3-70b --context 8Ki --batch 16")
    click.echo()
    click.echo(_("`mlsys-path calc NAME --help` shows the options of one."))


def _entry(calculator: Calculator) -> dict[str, Any]:
    return {
        "name": calculator.name,
        "title": _(calculator.title),
        "summary": _(calculator.summary),
        "inputs": [
            {
                "name": each.name,
                "kind": each.kind,
                "unit": each.unit,
                "default": each.default,
                "required": each.required,
                "choices": list(each.choices),
                "help": _(each.help),
            }
            for each in calculator.inputs
        ],
    }


def _option(each: Input) -> click.Option:
    text = _(each.help)
    if each.default is not None:
        text = _("{help} (otherwise {default})").format(help=text, default=_shown(each))
    elif each.required:
        text = _("{help} (required)").format(help=text)
    if each.kind == "flag":
        return click.Option([f"--{each.name}/--no-{each.name}"], default=None, help=text)
    return click.Option(
        [f"--{each.name}"],
        type=click.STRING,
        metavar=_metavar(each),
        help=text,
        shell_complete=_complete(each.choices) if each.choices else None,
    )


def _shown(each: Input) -> str:
    if isinstance(each.default, bool):
        return f"--{each.name}" if each.default else f"--no-{each.name}"
    return f"{each.default:g}{each.unit}" if isinstance(each.default, float) else str(each.default)


def _metavar(each: Input) -> str:
    if each.kind == "choice":
        return "NAME" if len(each.choices) > 6 else "|".join(each.choices)
    return {"count": "N", "ratio": "X"}.get(each.kind, each.unit or "N")


def _complete(
    choices: tuple[str, ...],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def offer(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in choices if name.startswith(incomplete)]

    return offer


def _command(calculator: Calculator) -> click.Command:
    names = {each.name.replace("-", "_"): each.name for each in calculator.inputs}

    def run(as_json: bool, **options: str | bool | None) -> None:
        texts = {
            names[name]: {True: "yes", False: "no"}.get(value, str(value))
            if isinstance(value, bool)
            else value
            for name, value in options.items()
            if value is not None
        }
        report = calculator.report(texts)
        if as_json:
            print_json(report.to_json())
        else:
            _print(report)

    return json_option(
        _Command(
            calculator,
            callback=run,
            params=[_option(each) for each in calculator.inputs],
            help=_(calculator.summary) + ".",
        )
    )


def _print(report: Report) -> None:
    click.echo(style(report.title, bold=True))
    for line in report.table():
        click.echo(f"  {line}")
    click.echo()
    for note in report.notes:
        for line in wrapped(note, columns() - 2):
            click.echo(line)


for _each in CALCULATORS.values():
    calc_group.add_command(_command(_each))
