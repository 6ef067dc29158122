"""`completion`: the script that makes a shell complete commands and ids."""

from __future__ import annotations

import click

from mlsys_path.language import _


@click.command(
    "completion",
    help=_(
        "Print the script that completes commands, options and ids. For bash put "
        '`eval "$(mlsys-path completion bash)"` into ~/.bashrc, for zsh the same into ~/.zshrc; for fish '
        "`mlsys-path completion fish > ~/.config/fish/completions/mlsys-path.fish`."
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print click's script for a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root()
    click.echo(kind(root.command, {}, root.info_name or "mlsys-path", "_MLSYS_PATH_COMPLETE").source())
