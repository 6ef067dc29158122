"""`progress`: what the learner has done, and, apart from it, what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli.commands.listing import entry
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import said, standings
from mlsys_path.cli.terminal import cells, columns, cut, outcome_label, pad, style
from mlsys_path.language import _, ngettext
from mlsys_path.progress import queries
from mlsys_path.progress.word import SHOWN
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.names import WORDS, records

if TYPE_CHECKING:
    from mlsys_path.cli.standing import Standing
    from mlsys_path.progress.records import Attempt, Claim, Claims, Summary
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Stage

    Stages = Sequence[tuple[Stage, list[str]]]

BAR = 20  # columns of a full bar
RECENT = 5  # last attempts that are shown


@click.command(
    "progress", help=_("What you have done: stages, streak, last attempts; and what you say to know.")
)
@click.option(
    "--activity",
    "of_year",
    is_flag=True,
    help=_("A year of attempts instead, day by day and in words, and how ratios went."),
)
@json_option
def progress_command(of_year: bool, as_json: bool) -> None:
    """Print the totals, a line for each stage, the last attempts, and the learner's word."""
    roadmap = load()
    if of_year:
        from mlsys_path.cli.show_activity import show_activity

        show_activity(roadmap, as_json=as_json)
        return
    word = said(roadmap)
    found = standings(roadmap, word)
    summary = queries.summary(renames=roadmap.renames)
    recent = queries.attempts(limit=RECENT, renames=roadmap.renames)
    stages = [
        (stage, [name for name in roadmap.exercises if roadmap.stage_of(name) == stage.id])
        for stage in roadmap.stages.values()
    ]
    if as_json:
        print_json(
            {
                "streak": summary.streak,
                "passes": summary.passes,
                "attempts": summary.attempts,
                "track": queries.followed_track(roadmap.renames) or None,
                "stages": [_stage(stage, names, found) for stage, names in stages],
                "days": [
                    {"date": d.date.isoformat(), "attempts": d.attempts, "passes": d.passes}
                    for d in summary.days
                ],
                "exercises": [
                    entry(roadmap, roadmap.exercises[name], standing)
                    for name, standing in found.items()
                    if standing.status.state != "new"
                ],
                "recent": [_attempt(attempt) for attempt in recent],
                "words": [_word(roadmap, claim) for claim in _said(roadmap, word.claims)],
                "diagnostics": [_diagnostic(roadmap, claim) for claim in _answered(roadmap, word.claims)],
            }
        )
        return
    _print_totals(summary)
    _print_stages(stages, found)
    _print_recent(recent)
    _print_words(roadmap, word.claims)


def _stage(stage: Stage, names: list[str], found: dict[str, Standing]) -> dict[str, Any]:
    return {
        "id": stage.id,
        "title": stage.title[language.current()],
        "exercises": len(names),
        "passed": sum(found[name].status.passed for name in names),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "exercise": attempt.exercise,
        "started_at": attempt.started_at.isoformat(),
        "verdict": attempt.verdict,
        "seconds": attempt.seconds,
        "failing_check": attempt.failing_check,
        "message": attempt.message,
    }


def _said(roadmap: Roadmap, claims: Claims) -> list[Claim]:
    """The words that hold about what is in the roadmap, by kind, the latest first."""
    held = [c for c in claims.words.values() if c.claim != "none" and c.subject in records(roadmap, c.kind)]
    held.sort(key=lambda claim: claim.order, reverse=True)
    return sorted(held, key=lambda claim: list(WORDS).index(claim.kind))


def _answered(roadmap: Roadmap, claims: Claims) -> list[Claim]:
    return [claims.diagnostics[name] for name in roadmap.stages if name in claims.diagnostics]


def _title(roadmap: Roadmap, claim: Claim) -> str:
    title: str = records(roadmap, claim.kind)[claim.subject].title[language.current()]
    return title


def _word(roadmap: Roadmap, claim: Claim) -> dict[str, Any]:
    return {
        "kind": claim.kind,
        "id": claim.subject,
        "title": _title(roadmap, claim),
        "word": claim.claim,
        "at": claim.at.isoformat(),
    }


def _diagnostic(roadmap: Roadmap, claim: Claim) -> dict[str, Any]:
    right, of = claim.score
    return {
        "stage": claim.subject,
        "title": _title(roadmap, claim),
        "right": right,
        "of": of,
        "at": claim.at.isoformat(),
    }


def _print_totals(summary: Summary) -> None:
    click.echo(
        ngettext("{n} exercise passed", "{n} exercises passed", summary.passes).format(n=summary.passes)
        + " · "
        + ngettext("{n} attempt", "{n} attempts", summary.attempts).format(n=summary.attempts)
        + " · "
        + ngettext("a streak of {n} day", "a streak of {n} days", summary.streak).format(n=summary.streak)
    )


def _print_stages(stages: Stages, found: dict[str, Standing]) -> None:
    click.echo()
    width = max((cells(stage.title[language.current()]) for stage, _names in stages), default=0)
    for stage, names in stages:
        passed = sum(found[name].status.passed for name in names)
        full = round(BAR * passed / len(names)) if names else 0
        bar = style("█" * full, fg="green") + "░" * (BAR - full)
        click.echo(f"  {pad(stage.title[language.current()], width)}  {bar}  {passed}/{len(names)}")


def _print_recent(recent: Sequence[Attempt]) -> None:
    if recent:
        click.echo()
        for attempt in recent:
            when = attempt.started_at.astimezone().strftime("%Y-%m-%d %H:%M")
            click.echo(
                f"  {when}  {outcome_label(attempt.verdict)}  {attempt.exercise}  {attempt.seconds:.2f} s"
            )


def _print_words(roadmap: Roadmap, claims: Claims) -> None:
    rows = [
        (claim, _(SHOWN["known" if claim.claim == "known" else "read"])) for claim in _said(roadmap, claims)
    ]
    for claim in _answered(roadmap, claims):
        right, of = claim.score
        rows.append((claim, _("{right} of {of} questions right").format(right=right, of=of)))
    if not rows:
        return
    click.echo()
    click.echo(_("What you say, which is no proof and counts as no pass:"))
    kind_width = max(cells(_(WORDS[claim.kind])) for claim, _text in rows)
    text_width = max(cells(text) for _claim, text in rows)
    id_width = max(len(claim.subject) for claim, _text in rows)
    for claim, text in rows:
        when = claim.at.astimezone().strftime("%Y-%m-%d")
        left = f"  {when}  {pad(_(WORDS[claim.kind]), kind_width)}  {pad(text, text_width)}  "
        left += f"{pad(claim.subject, id_width)}  "
        click.echo((left + cut(_title(roadmap, claim), max(columns() - cells(left), 1))).rstrip())
