"""`config`: how you like the program; the screens' settings as commands."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from mlsys_path import language, locations, preferences
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import cells, pad, style
from mlsys_path.language import _


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in preferences.KEYS if name.startswith(incomplete)]


@click.group("config", help=_("How you like the program: language, theme, editor, calm."))
def config_group() -> None:
    """Get, set, list."""


@config_group.command("list", help=_("Every setting, what it is, and what it can be."))
@json_option
def list_command(as_json: bool) -> None:
    """Print all of them."""
    found = preferences.load()
    path = locations.preferences_path()
    if as_json:
        entries = [
            {
                "key": key.name,
                "value": found[key.name],
                "default": key.default,
                "values": list(key.values) or None,
                "help": _(key.help),
            }
            for key in preferences.KEYS.values()
        ]
        print_json({"path": str(path), "settings": entries})
        return
    shown = {name: found[name] or '""' for name in preferences.KEYS}
    key_width = max(map(cells, shown))
    value_width = max(map(cells, shown.values()))
    for name, value in shown.items():
        text = _(preferences.KEYS[name].help)
        click.echo(f"  {pad(name, key_width)}  {style(pad(value, value_width), bold=True)}  {text}")
    click.echo()
    click.echo(_("They are kept in {path}").format(path=path))


@config_group.command("get", help=_("One setting's value, and nothing else."))
@click.argument("key", shell_complete=_complete)
def get_command(key: str) -> None:
    """Print it."""
    click.echo(preferences.load()[preferences.known(key)])


@config_group.command("set", help=_('Set one; "" takes it back to what it was at first.'))
@click.argument("key", shell_complete=_complete)
@click.argument("value")
def set_command(key: str, value: str) -> None:
    """Keep it, and say what holds."""
    found = preferences.store(key, value)
    if key == "language":
        language.use(found.language or language.detect())
    click.echo(f"{key} = {found[key]}")
