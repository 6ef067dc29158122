"""`ir`: what the compiler makes of the learner's kernels, stage by stage."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from mlsys_path.checking import artefacts
from mlsys_path.checking.events import CheckEvent, Compiled, Verdict
from mlsys_path.checking.submission import Submission
from mlsys_path.cli.completing import exercise_ids, exercise_ids_or_paths
from mlsys_path.cli.targets import targets
from mlsys_path.cli.terminal import cells, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.load import load

SCHEMA = 1
STAGES = ("ttir", "ttgir", "llir", "ptx")
NOTHING_COMPILED, NOTHING_CHECKED = 1, 3


@click.command(
    "ir",
    help=_(
        "What Triton's compiler makes of your kernels as they are now, in every stage, with no GPU. NAME is an "
        "exercise's id or a folder, as of `check`. Without --stage: the kernels and what they take."
    ),
)
@click.argument("name", required=False, shell_complete=exercise_ids_or_paths)
@click.option("--stage", type=click.Choice(STAGES), help=_("Print the kernels in this stage."))
@click.option("--kernel", metavar="NAME", help=_("Only kernels of this name."))
@click.option("--target", metavar="SM", help=_("Only for this GPU, such as sm_90."))
@click.option(
    "--exercise", metavar="ID", shell_complete=exercise_ids, help=_("The exercise that the folder solves.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object and nothing else."))
@click.pass_context
def ir_command(
    ctx: click.Context,
    /,
    *,
    name: str | None,
    stage: str | None,
    kernel: str | None,
    target: str | None,
    exercise: str | None,
    as_json: bool,
) -> None:
    """Compile as the checks of level `compiles` do, or take what the last check kept, and print it."""
    (found,) = targets(load(), (name,) if name else (), exercise, everything=False)
    submission = Submission(found.exercise, found.folder, found.files())
    if found.exercise.language != "triton" or not any(
        check.level is Level.COMPILES for check in found.exercise.checks.values()
    ):
        raise UserError(_("{id} has no Triton kernel that its checks compile").format(id=found.exercise.id))
    kernels = artefacts.kept(submission)
    if not kernels:
        kernels, verdict = asyncio.run(_compile(submission))
        if not kernels:
            ctx.exit(_nothing(verdict))
    chosen = [
        each
        for each in kernels
        if kernel in (None, each.name) and (target is None or each.target == _sm(target))
    ]
    if not chosen:
        known = dict.fromkeys(f"{each.name} ({each.target})" for each in kernels)
        raise UserError(
            _("there is no such kernel; compiled are: {kernels}").format(kernels=", ".join(known))
        )
    if as_json:
        click.echo(json.dumps(_document(found.exercise.id, chosen, stage), ensure_ascii=False, indent=2))
    elif stage:
        _print_stage(chosen, stage)
    else:
        _print_table(chosen)


def _sm(target: str) -> str:
    return f"sm_{target.removeprefix('sm_').removeprefix('cuda:')}"


async def _compile(submission: Submission) -> tuple[tuple[Compiled, ...], Verdict]:
    from mlsys_path.checking.session import Checker
    from mlsys_path.cli.running import run
    from mlsys_path.machine.inspect import glance

    kernels: dict[Compiled, None] = {}

    def told(event: CheckEvent) -> None:
        if isinstance(event, Compiled):
            kernels[event] = None

    with Checker() as checker:
        ran = await run(checker, glance(), submission, frozenset({Level.COMPILES}), told)
    return tuple(kernels), ran.verdict


def _nothing(verdict: Verdict) -> int:
    """Say why nothing was compiled; the exit code."""
    if (failure := verdict.first_failure) is not None:
        click.echo(failure.traceback or failure.message, err=True)
        return NOTHING_COMPILED
    reason = verdict.message or verdict.open_because.get(Level.COMPILES, "")
    click.echo(reason or _("nothing was compiled"), err=True)
    return NOTHING_CHECKED if verdict.verdict is Outcome.OPEN else NOTHING_COMPILED


def _document(exercise: str, kernels: Sequence[Compiled], stage: str | None) -> dict[str, object]:
    documents = []
    for each in kernels:
        ir = {name: text for name, text in each.ir if stage in (None, name)}
        documents.append({**asdict(each), "ir": ir})
    return {"schema": SCHEMA, "exercise": exercise, "kernels": documents}


def _print_stage(kernels: Sequence[Compiled], stage: str) -> None:
    for each in kernels:
        if len(kernels) > 1:
            mark = ";" if stage == "llir" else "//"
            click.echo(f"{mark} {each.name}, {each.target}, {_shape(each)}")
        click.echo(dict(each.ir).get(stage, "").rstrip("\n"))


def _shape(kernel: Compiled) -> str:
    return _("{warps} warps, {stages} stages").format(warps=kernel.warps, stages=kernel.stages)


def _print_table(kernels: Sequence[Compiled]) -> None:
    rows = [
        (
            each.name,
            each.target,
            _shape(each),
            _("{n} registers").format(n=each.registers),
            _("{n} B spilled").format(n=each.spills),
            _("{n} B shared").format(n=each.shared),
            ", ".join(f"{stage} {text.count(chr(10)) + 1}" for stage, text in each.ir),
        )
        for each in kernels
    ]
    widths = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]))]
    for name, *rest in rows:
        line = "  ".join(pad(text, width) for text, width in zip(rest, widths[1:], strict=True))
        click.echo(f"{style(pad(name, widths[0]), bold=True)}  {line}".rstrip())
    click.echo(_("The numbers behind the stages are lines: --stage ttgir prints one."))
