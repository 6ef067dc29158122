"""The command line, with the small project in Triton's place: `python drive.py build little …`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import click
from little import LITTLE

from mlsys_path.cli import program
from mlsys_path.cli.commands import build

build.build_group = click.Group("build", commands=[build.command_for(LITTLE)])
program.run()
