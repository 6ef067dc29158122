"""`build triton`: Triton from source, step by step, proved at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mlsys_path.cli.output import print_json
from mlsys_path.cli.show_build import Printer, print_plan
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.triton_build.engine import build
from mlsys_path.triton_build.events import BuildFinished, to_json
from mlsys_path.triton_build.layout import default_folder
from mlsys_path.triton_build.plan import kept_settings, plan
from mlsys_path.triton_build.project import TRITON, Project
from mlsys_path.triton_build.settings import LLVM_KINDS, TARGETS, Settings
from mlsys_path.triton_build.steps import NAMES

STEP_FAILED = 1
INTERRUPTED = 130


def command_for(project: Project) -> click.Command:
    """The command that builds a project."""

    def run(ctx: click.Context, /, **options: Any) -> None:
        _run(ctx, project, **options)

    return click.Command(
        project.name,
        callback=click.pass_context(run),
        help=_(
            "Build {project} from source in seven steps, each explained, logged and proved: what stops is named with "
            "its cause and its cure, and --resume goes on from there. Nothing outside --dir is touched."
        ).format(project=project.name.capitalize()),
        params=[
            click.Option(["--ref"], metavar="TAG|COMMIT", help=_("What to build; else the newest of the source.")),
            click.Option(["--source"], metavar="DIR|URL", help=_("Where to clone from: a clone or mirror on disk needs no network.")),
            click.Option(
                ["--llvm"],
                type=click.Choice(LLVM_KINDS),
                help=_("Fetch the pinned LLVM (prebuilt, the default), use an installed one, or build it."),
            ),
            click.Option(["--targets"], metavar="LIST", help=_("What the last step compiles for: nvidia,amd.")),
            click.Option(["--jobs"], type=click.IntRange(1, 4096), help=_("Compilers at once; else as memory and cores allow.")),
            click.Option(["--dir", "folder"], type=click.Path(path_type=Path, file_okay=False), help=_("The folder of the build; else in your workspace.")),
            click.Option(["--resume"], is_flag=True, help=_("Go on where an earlier run stopped.")),
            click.Option(["--from", "start"], type=click.Choice(NAMES), help=_("Repeat from a step on.")),
            click.Option(["--dry-run"], is_flag=True, help=_("Say what would be done, and do nothing.")),
            click.Option(["--json", "as_json"], is_flag=True, help=_("Print the events, one JSON object a line.")),
        ],
    )  # fmt: skip


build_group = click.Group(
    "build", help=_("Build what you learn about from source."), commands=[command_for(TRITON)]
)


def _run(
    ctx: click.Context,
    project: Project,
    *,
    folder: Path | None,
    resume: bool,
    start: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    folder = folder or default_folder()
    if folder.exists() and not folder.is_dir():
        raise UserError(_("--dir {folder}: this is a file").format(folder=folder))
    settings = _settings(folder, given, going_on=resume or bool(start))
    if dry_run:
        planned = plan(project, folder, settings, resume=resume, start=start or "")
        if as_json:
            print_json({key: value for key, value in planned.to_json().items() if key != "schema"})
        else:
            print_plan(planned)
        return
    code = asyncio.run(_build(project, folder, settings, resume=resume, start=start or "", as_json=as_json))
    if code:
        ctx.exit(code)


def _settings(folder: Path, given: dict[str, Any], *, going_on: bool) -> Settings:
    """What is asked for: what an earlier run was asked for, and what is given now."""
    base = (kept_settings(folder) if going_on else None) or Settings()
    named = {name: value for name, value in given.items() if value is not None}
    if (text := named.pop("targets", None)) is not None:
        targets = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if unknown := [target for target in targets if target not in TARGETS]:
            raise UserError(
                _("--targets: {name!r} is none of {known}").format(name=unknown[0], known=", ".join(TARGETS))
            )
        if not targets:
            raise UserError(_("--targets: name at least one of {known}").format(known=", ".join(TARGETS)))
        named["targets"] = targets
    if source := named.get("source"):
        named["source"] = (
            str(Path(source).expanduser().absolute())
            if "://" not in source and Path(source).expanduser().exists()
            else source
        )
    return replace(base, **named)


async def _build(
    project: Project, folder: Path, settings: Settings, *, resume: bool, start: str, as_json: bool
) -> int:
    """Run it to its end; the exit code. Ctrl-C and a plain kill end it with all that it had started."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    printer = Printer()
    code = STEP_FAILED
    try:
        async with contextlib.aclosing(
            build(project, folder, settings, resume=resume, start=start)
        ) as events:
            async for event in events:
                if as_json:
                    click.echo(json.dumps(to_json(event), ensure_ascii=False))
                else:
                    printer.show(event)
                if isinstance(event, BuildFinished):
                    code = 0 if event.done else STEP_FAILED
    except asyncio.CancelledError:
        printer.end()
        click.echo(_("stopped, and all that it had started: `--resume` goes on"), err=True)
        code = INTERRUPTED
    finally:
        printer.end()
    return code
