"""`--json`, the same way in every reading command."""

from __future__ import annotations

import json
from typing import Any

import click

from mlsys_path.language import _

SCHEMA = 1

json_option = click.option(
    "--json", "as_json", is_flag=True, help=_("Print one JSON object and nothing else.")
)


def print_json(document: dict[str, Any]) -> None:
    """Print an object with the version of its schema first; docs/cli.md describes them all."""
    click.echo(json.dumps({"schema": SCHEMA, **document}, ensure_ascii=False, indent=2))
