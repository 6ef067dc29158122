"""`mentor verify`: a learner's submitted files are run again with the mentor's own checkers, in the sandbox or not at all."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mlsys_path.cli import mentor_data, mentor_tables, mentor_world
from mlsys_path.cli.completing import exercise_ids
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import OUTCOMES, stderr_line, style
from mlsys_path.errors import UserError
from mlsys_path.language import _, labelled, listed
from mlsys_path.levels import LEVELS, Level, Outcome

if TYPE_CHECKING:
    from mlsys_path.checking.submission import Submission
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.mentoring.verifying import Verification
    from mlsys_path.progress.records import Attempt
    from mlsys_path.roadmap.load import Roadmap

SOMETHING_REFUTED, NOTHING_CHECKED = 1, 3
_COLOURS = {"verified": "green", "refuted": "red", "differs": "yellow"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """An attempt to run again, and why it cannot be."""

    attempt: Attempt
    submission: Submission | None
    trouble: str = ""


@click.command(
    "verify",
    help=_(
        "Run a learner's submitted files again with your own checkers, in a bubblewrap sandbox or not at all. Of each "
        "exercise the last attempt that passed is taken, else the last. Exit code: 0 all reproduce, 1 one does not, "
        "3 nothing can be run here."
    ),
)
@click.argument("learner", metavar="LEARNER")
@click.argument("exercises", metavar="[EXERCISE]...", nargs=-1, shell_complete=exercise_ids)
@click.option("--all", "everything", is_flag=True, help=_("Every exercise that they have tried."))
@click.option("--level", type=click.Choice([*map(str, LEVELS)]), help=_("Nothing beyond this level."))
@json_option
@click.pass_context
def verify_command(
    ctx: click.Context,
    learner: str,
    exercises: tuple[str, ...],
    everything: bool,
    level: str | None,
    as_json: bool,
) -> None:
    """Run, judge, store and say."""
    from mlsys_path.machine import containment
    from mlsys_path.mentoring import history

    if everything == bool(exercises):
        raise click.UsageError(_("name exercises, or give --all"))
    contained = containment.probe()
    if contained.kind != "bubblewrap":
        reason = labelled(contained.lacks, contained.command) if contained.command else contained.lacks
        stderr_line(
            _("files of others run in a bubblewrap sandbox or not at all: {reason}").format(reason=reason)
        )
        ctx.exit(NOTHING_CHECKED)
    roadmap, found = mentor_world.everything()
    each = history.find(found, learner)
    chosen = _chosen(roadmap, each, exercises)
    only = frozenset(LEVELS[: LEVELS.index(Level(level)) + 1]) if level else None
    runnable = [one for one in chosen if one.submission is not None]
    made = asyncio.run(_run_all(each, runnable, only, quiet=as_json))
    if as_json:
        by_attempt = {verification.attempt: verification for verification in made}
        entries = [_entry(one, by_attempt.get(one.attempt.id)) for one in chosen]
        print_json({"learner": each.name, "verifications": entries})
    else:
        for one in chosen:
            if one.trouble:
                click.echo(f"{one.attempt.exercise}  {one.trouble}")
    ctx.exit(exit_code(made))


def exit_code(made: Sequence[Verification]) -> int:
    """0 all reproduce, 1 one does not, 3 nothing was checked."""
    findings = {verification.finding for verification in made}
    if findings & {"refuted", "broken"}:
        return SOMETHING_REFUTED
    return 0 if findings - {"unchecked"} else NOTHING_CHECKED


def _chosen(roadmap: Roadmap, learner: Learner, names: Sequence[str]) -> list[Chosen]:
    tried: dict[str, Attempt] = {}
    for attempt in learner.attempts:
        before = tried.get(attempt.exercise)
        if before is None or attempt.passed or not before.passed:
            tried[attempt.exercise] = attempt
    wanted = [roadmap.exercise(name).id for name in names] if names else list(tried)
    for name in wanted:
        if name not in tried:
            text = _("{name} has sent no attempt at {exercise}")
            raise UserError(text.format(name=learner.name, exercise=name))
    return [_choose(roadmap, tried[name]) for name in dict.fromkeys(wanted)]


def _choose(roadmap: Roadmap, attempt: Attempt) -> Chosen:
    from mlsys_path.checking.submission import Submission
    from mlsys_path.exercises.folder import missing_files
    from mlsys_path.mentoring import history

    if attempt.exercise not in roadmap.exercises:
        return Chosen(attempt, None, _("this exercise is not here: add the content pack that it comes from"))
    files = history.files(attempt.files_hash)
    if files is None:
        return Chosen(attempt, None, _("its files did not come"))
    exercise = roadmap.exercises[attempt.exercise]
    if missing := missing_files(exercise, files):
        return Chosen(attempt, None, _("{file} is not among its files").format(file=missing[0]))
    return Chosen(attempt, Submission(exercise, roadmap.folder(exercise.id), files))


async def _run_all(
    learner: Learner, chosen: Sequence[Chosen], only: frozenset[Level] | None, *, quiet: bool
) -> list[Verification]:
    from mlsys_path.checking.session import Checker
    from mlsys_path.cli.many import run_many
    from mlsys_path.cli.parallel import Budget
    from mlsys_path.cli.running import run
    from mlsys_path.machine.inspect import glance, with_gpus

    machine = glance()
    budget, seen = Budget.of_machine(), with_gpus(machine)
    claims = {one.attempt.id: one.attempt for one in chosen}
    with Checker() as checker:

        async def one(each: Chosen) -> Verification:
            assert each.submission is not None
            async with budget.share(each.submission.exercise, seen):
                ran = await run(checker, machine, each.submission, only, lambda _event: None)
            made = _judged(each.attempt, ran.submission, ran.verdict)
            await asyncio.to_thread(_store, learner, made)
            return made

        return await run_many(
            [functools.partial(one, each) for each in chosen],
            tell=None if quiet else lambda made: _line(claims[made.attempt], made),
            label=_("verifying"),
        )


def _judged(attempt: Attempt, submission: Submission, verdict: Any) -> Verification:
    from dataclasses import asdict

    from mlsys_path.exercises.folder import exercise_hash
    from mlsys_path.mentoring.texts import cleaned
    from mlsys_path.mentoring.verifying import Verification, judge
    from mlsys_path.progress.records import new_id, now

    contained = verdict.sandbox == "bubblewrap"
    first = verdict.first_failure
    here = exercise_hash(submission.folder)
    outcome = verdict.verdict if contained else Outcome.ERROR
    return Verification(
        id=new_id(),
        attempt=attempt.id,
        exercise=attempt.exercise,
        at=now(),
        finding=judge(attempt.levels, outcome, verdict.levels),
        verdict=outcome,
        levels=verdict.levels,
        failing_check=first.name if first else "",
        message=cleaned((first.message if first else verdict.message)[:2000]),
        sandbox=verdict.sandbox,
        machine=verdict.machine,
        exercise_hash=here,
        same_exercise=here == attempt.exercise_hash,
        seconds=verdict.seconds,
        measurements=tuple(asdict(measurement) for measurement in verdict.measurements),
    )


def _store(learner: Learner, made: Verification) -> None:
    from mlsys_path.mentoring import ledger
    from mlsys_path.mentoring.verifying import verification_content
    from mlsys_path.progress.records import to_text

    with ledger.writing() as connection:
        row: dict[str, object] = {
            "id": made.id,
            "learner": learner.id,
            "attempt": made.attempt,
            "exercise": made.exercise,
            "at": to_text(made.at),
            "content": verification_content(made),
        }
        ledger.add(connection, "verifications", row)


def _levels(levels: Any) -> str:
    return listed(f"{level} {_(OUTCOMES[outcome][1])}" for level, outcome in levels.items())


def _line(claim: Attempt, made: Verification) -> str:
    """What was claimed beside what happened."""
    word = style(_(mentor_tables.FINDINGS[made.finding]), fg=_COLOURS.get(made.finding), bold=True)
    lines = [f"{made.exercise}  {word}"]
    if made.finding != "verified":
        lines.append(f"    {_('claimed: {levels}').format(levels=_levels(claim.levels))}")
    lines.append(f"    {_('here: {levels}').format(levels=_levels(made.levels))}")
    if made.failing_check or made.message:
        lines.append(
            "    " + mentor_tables.one_line(": ".join(filter(None, (made.failing_check, made.message))))
        )
    if not made.same_exercise:
        lines.append("    " + _("your version of the exercise is another than theirs"))
    return "\n".join(lines)


def _entry(one: Chosen, made: Verification | None) -> dict[str, Any]:
    return {
        "exercise": one.attempt.exercise,
        "attempt": one.attempt.id,
        "claimed": {str(level): str(outcome) for level, outcome in one.attempt.levels.items()},
        "trouble": one.trouble or None,
        "verification": mentor_data.verification(made),
    }
