"""`check`: run an exercise's checks against the learner's files."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Sequence
from pathlib import Path

import click

from mlsys_path.checking.events import Verdict
from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.cli.check_report import document, write_junit
from mlsys_path.cli.completing import exercise_ids, exercise_ids_or_paths
from mlsys_path.cli.many import run_many
from mlsys_path.cli.parallel import Budget
from mlsys_path.cli.remembering import remember_attempt
from mlsys_path.cli.running import Ran, run, wanted_levels
from mlsys_path.cli.show_check import CheckPrinter, brief
from mlsys_path.cli.targets import Target, targets
from mlsys_path.language import _
from mlsys_path.levels import LEVELS, Outcome
from mlsys_path.machine.inspect import Machine, glance, with_gpus
from mlsys_path.roadmap.load import load

ALL_PASSED, SOMETHING_FAILED, NOTHING_CHECKED = 0, 1, 3


@click.command(
    "check",
    help=_(
        "Check your solution by running it. NAME is an exercise's id, or a folder that holds your files of "
        "the exercise that it is named after; without one, the exercise in whose folder you are. "
        "Exit code: 0 passed, 1 failed, 2 bad input, 3 nothing can be checked on this machine."
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=exercise_ids_or_paths)
@click.option("--all", "everything", is_flag=True, help=_("Everything that you have started."))
@click.option("--watch", is_flag=True, help=_("Check again at every save, until Ctrl-C."))
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice([*map(str, LEVELS), "highest"]),
    help=_(
        "Only checks of this level (may be repeated); `highest`: the strongest that this machine can check."
    ),
)
@click.option(
    "--exercise", metavar="ID", shell_complete=exercise_ids, help=_("The exercise that the folder solves.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object and nothing else."))
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=_("Write JUnit XML to a file."),
)
@click.pass_context
def check_command(
    ctx: click.Context,
    /,
    *,
    names: tuple[str, ...],
    everything: bool,
    watch: bool,
    levels: tuple[str, ...],
    exercise: str | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Find what to check, check it, remember it, and say so by the exit code."""
    if watch and (as_json or junit):
        raise click.UsageError(_("--watch prints for people: leave out --json and --junit"))
    found = targets(load(), names, exercise, everything=everything)
    machine = glance()
    if watch:
        from mlsys_path.cli.watch import watch_targets

        asyncio.run(watch_targets(found, machine, levels))
        return
    submissions = [Submission(t.exercise, t.folder, t.files()) for t in found]
    if len(found) == 1 and not as_json:
        ran = [asyncio.run(_one(found[0], submissions[0], machine, levels))]
    else:
        ran = asyncio.run(_many(submissions, machine, levels, quiet=as_json))
    verdicts = [r.verdict for r in ran]
    if as_json:
        click.echo(json.dumps(document(verdicts), ensure_ascii=False, indent=2))
    for each in ran:
        remember_attempt(each.attempt(), each.submission.files)
    if junit is not None:
        write_junit(junit, verdicts)
    ctx.exit(exit_code(verdicts))


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 all passed, 1 something failed, 3 nothing could be checked; an open level beside a pass is neither."""
    outcomes = {verdict.verdict for verdict in verdicts}
    if outcomes & {Outcome.FAILED, Outcome.ERROR}:
        return SOMETHING_FAILED
    return ALL_PASSED if Outcome.PASSED in outcomes else NOTHING_CHECKED


async def _one(target: Target, submission: Submission, machine: Machine, levels: tuple[str, ...]) -> Ran:
    printer = CheckPrinter(target.exercise)
    try:
        with Checker() as checker:
            only = wanted_levels(submission, machine, levels)
            ran = await run(checker, machine, submission, only, printer.told)
            printer.finished(ran.verdict, target.argument)
            return ran
    finally:
        printer.clear()


async def _many(
    submissions: Sequence[Submission], machine: Machine, levels: tuple[str, ...], *, quiet: bool
) -> list[Ran]:
    budget, seen = Budget.of_machine(), with_gpus(machine)
    with Checker() as checker:

        async def one(submission: Submission) -> Ran:
            only = wanted_levels(submission, machine, levels)
            async with budget.share(submission.exercise, seen):
                return await run(checker, machine, submission, only, lambda _event: None)

        return await run_many(
            [functools.partial(one, submission) for submission in submissions],
            tell=None if quiet else lambda ran: brief(ran.submission.exercise, ran.verdict),
            label=_("checking"),
        )
