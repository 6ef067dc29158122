"""`diagnose`: a stage's questions, to test whether to skip it."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli.completing import stage_ids
from mlsys_path.cli.layout import say, wrapped
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.remembering import remember_diagnostic
from mlsys_path.cli.standing import said, standings
from mlsys_path.cli.terminal import columns, stderr_line, style
from mlsys_path.errors import UserError
from mlsys_path.language import _, listed
from mlsys_path.progress.diagnostic import SEEDS, Answered, advice, answer, detail, draw
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.names import identify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Stage
    from mlsys_path.roadmap.questions import Asked

MAX_ANSWERS = 1 << 20  # bytes


@click.command(
    "diagnose",
    help=_("Answer a stage's questions, to see whether you can skip it. It proves nothing, and says so."),
)
@click.argument("stage_id", metavar="STAGE", shell_complete=stage_ids)
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help=_("Draw the same questions as another time.")
)
@click.option(
    "--answers",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help=_("Grade the replies in a file of JSON, {id: reply}, to the questions of --seed; - is stdin."),
)
@json_option
def diagnose_command(stage_id: str, seed: int | None, answers: Path | None, as_json: bool) -> None:
    """Ask, judge, advise, remember; or print the questions; or grade a file."""
    roadmap = load()
    _kind, found = identify(roadmap, stage_id, "stage")
    stage = roadmap.stages[found]
    if not stage.diagnostic:
        raise UserError(
            _("{id} has no questions yet: `mlsys-path show {id}` says what it is about").format(id=found)
        )
    if answers is not None and seed is None:
        raise UserError(_("--answers goes with the --seed of the questions that they answer"))
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    asked = draw(stage, seed)
    if answers is None and as_json:
        print_json(_questions(stage, asked, seed))
        return
    # a database that cannot be read is met before somebody has answered
    advise = _adviser(roadmap, stage)
    if answers is None:
        answered = _converse(stage, asked)
        click.echo()
        say(advise(answered))
        say(_("This is kept as your word: it proves nothing, and passes nothing."))
    else:
        where = _("standard input") if str(answers) == "-" else str(answers)
        answered = _grade(asked, _read(answers, where), where)
        print_json(_graded(stage, answered, seed, advise(answered)))
    remember_diagnostic(stage.id, detail(answered, seed))


def _questions(stage: Stage, asked: Sequence[Asked], seed: int) -> dict[str, Any]:
    """What is asked, and nothing of what is right."""
    current = language.current()
    return {
        "stage": stage.id,
        "title": stage.title[current],
        "seed": seed,
        "questions": [
            {
                "id": each.question.id,
                "text": each.text,
                "kind": "number" if each.answer is not None else "options",
                "unit": each.question.unit[current] if each.question.unit else None,
                "options": [option.text[current] for option in each.options],
                "values": dict(each.values),
            }
            for each in asked
        ],
    }


def _graded(stage: Stage, answered: Sequence[Answered], seed: int, advised: str) -> dict[str, Any]:
    score = detail(answered, seed)
    return {
        "stage": stage.id,
        "seed": seed,
        "right": score["right"],
        "of": score["of"],
        "proof": False,
        "advice": advised,
        "questions": [
            {
                "id": each.asked.question.id,
                "text": each.asked.text,
                "reply": each.reply,
                "right": each.right,
                "answer": each.asked.right,
                "because": each.asked.because,
            }
            for each in answered
        ],
    }


def _adviser(roadmap: Roadmap, stage: Stage) -> Callable[[Sequence[Answered]], str]:
    """What makes a sentence of answers, by how the learner stands. Raises UserError."""
    word = said(roadmap)
    passed = {name for name, standing in standings(roadmap, word).items() if standing.status.passed}
    return lambda answered: advice(roadmap, stage, answered, passed, word)


def _grade(asked: Sequence[Asked], replies: Mapping[str, str], where: str) -> list[Answered]:
    ids = [each.question.id for each in asked]
    for name in replies:
        if name not in ids:
            raise UserError(
                _("{where}: there is no question {id!r}: {ids}").format(where=where, id=name, ids=listed(ids))
            )
    answered = []
    for each in asked:
        name = each.question.id
        if name not in replies:
            raise UserError(
                _('{where}: no reply to {id!r}: "?" says that you do not know').format(where=where, id=name)
            )
        try:
            answered.append(answer(each, replies[name]))
        except UserError as error:
            raise UserError(_("{where}: {id}: {why}").format(where=where, id=name, why=error)) from None
    return answered


def _read(path: Path, where: str) -> dict[str, str]:
    try:
        with click.open_file(str(path), "rb") as file:
            content = file.read(MAX_ANSWERS + 1)
    except OSError as error:
        raise UserError(_("{where}: cannot be read: {why}").format(where=where, why=error.strerror)) from None
    try:
        replies = json.loads(content) if len(content) <= MAX_ANSWERS else None
    except (ValueError, RecursionError):
        replies = None
    if not isinstance(replies, dict) or any(type(r) not in (str, int, float) for r in replies.values()):
        raise UserError(
            _('{where}: is no JSON object of replies, such as {{"which-lock": "2"}}').format(where=where)
        )
    return {str(name): str(reply) for name, reply in replies.items()}


def _converse(stage: Stage, asked: Sequence[Asked]) -> list[Answered]:
    """Ask one by one; who ends it has answered nothing."""
    click.echo(style(stage.title[language.current()], bold=True))
    say(_("Numbers may be written 1024, 2^10, 3/4 or 1.5e9; ? says that you do not know. Ctrl-C ends."))
    answered: list[Answered] = []
    try:
        for number, each in enumerate(asked, start=1):
            answered.append(_ask(number, len(asked), each))
    except (KeyboardInterrupt, EOFError) as end:
        click.echo()
        where = _("question {n} of {total} was not answered: nothing is stored").format(
            n=len(answered) + 1, total=len(asked)
        )
        if isinstance(end, EOFError):
            raise UserError(where) from None
        stderr_line(where)
        raise
    return answered


def _ask(number: int, total: int, asked: Asked) -> Answered:
    click.echo()
    click.echo(style(_("Question {n} of {total}").format(n=number, total=total), bold=True))
    say(asked.text)
    for place, option in enumerate(asked.options, start=1):
        first, *more = wrapped(option.text[language.current()], columns() - 6)
        click.echo(f"  {place}. {first}")
        for line in more:
            click.echo(f"     {line}")
    unit = asked.question.unit
    prompt = _("Answer in {unit}: ").format(unit=unit[language.current()]) if unit else _("Answer: ")
    while True:
        try:
            answered = answer(asked, _line(prompt))
            break
        except UserError as error:
            stderr_line(str(error))
    said_of_it = (
        "✓ " + _("right") if answered.right else "✗ " + _("not right: {answer}").format(answer=asked.right)
    )
    for line in wrapped(said_of_it, columns()):
        click.echo(style(line, fg="green" if answered.right else "red"))
    say(asked.because)
    return answered


def _line(prompt: str) -> str:
    """One line of stdin; raises EOFError after the last."""
    click.echo(prompt, nl=False)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    if not sys.stdin.isatty():
        # nobody has pressed Enter on this screen
        click.echo()
    return line
