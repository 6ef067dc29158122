"""`mlsys-path` without a command: the screens, or the first steps where there is no terminal."""

from __future__ import annotations

import os
import sys

import click

from mlsys_path.language import Language, _


def open_lines() -> int:
    """The screens as lines, wherever they are read; returns the exit code."""
    from mlsys_path.cli.plain import run_plain

    return run_plain()


def open_screens(asked_for: Language | None) -> int:
    """Open the TUI, in the language that was asked for or as it was left; returns the exit code.

    In a terminal that cannot show screens the same as lines; without a terminal, print what to type first.
    """
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not terminal:
        click.echo(first_steps())
        return 0
    if os.environ.get("TERM", "") in ("", "dumb"):
        return open_lines()
    from mlsys_path.tui.app import run

    return run(asked_for)


def first_steps() -> str:
    """The commands of the first five minutes."""
    lines = [
        (_("there is no terminal here, so no screens: the same by commands")),
        "",
        *(
            f"  {command:<30}{what}"
            for command, what in (
                ("mlsys-path next", _("what to do now, and why")),
                ("mlsys-path show lru-cache", _("read the lesson")),
                ("mlsys-path start lru-cache", _("get the starter; edit the file that it names")),
                ("mlsys-path check lru-cache", _("check your solution; --watch checks at every save")),
                ("mlsys-path doctor", _("what this machine can check")),
                ("mlsys-path --help", _("everything else")),
            )
        ),
    ]
    return "\n".join(lines)
