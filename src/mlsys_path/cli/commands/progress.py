"""`progress`: what the learner has done."""

from __future__ import annotations

import click

from mlsys_path import language
from mlsys_path.cli.commands.listing import entry
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import TRACK_SETTING, standings
from mlsys_path.cli.terminal import cells, outcome_label, pad, style
from mlsys_path.language import _, ngettext
from mlsys_path.progress import queries
from mlsys_path.roadmap.load import load

BAR = 20  # columns of a full bar
RECENT = 5  # last attempts that are shown


@click.command("progress", help=_("What you have done: stages, streak, last attempts."))
@json_option
def progress_command(as_json: bool) -> None:
    """Print the totals, a line for each stage, and the last attempts."""
    roadmap = load()
    found = standings(roadmap)
    summary = queries.summary()
    recent = queries.attempts(limit=RECENT)
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
                "track": queries.setting(TRACK_SETTING) or None,
                "stages": [
                    {
                        "id": stage.id,
                        "title": stage.title[language.current()],
                        "exercises": len(names),
                        "passed": sum(found[name].status.passed for name in names),
                    }
                    for stage, names in stages
                ],
                "days": [
                    {"date": d.date.isoformat(), "attempts": d.attempts, "passes": d.passes}
                    for d in summary.days
                ],
                "exercises": [
                    entry(roadmap, roadmap.exercises[name], standing)
                    for name, standing in found.items()
                    if standing.status.state != "new"
                ],
                "recent": [
                    {
                        "id": a.id,
                        "exercise": a.exercise,
                        "started_at": a.started_at.isoformat(),
                        "verdict": a.verdict,
                        "seconds": a.seconds,
                        "failing_check": a.failing_check,
                        "message": a.message,
                    }
                    for a in recent
                ],
            }
        )
        return
    click.echo(
        ngettext("{n} exercise passed", "{n} exercises passed", summary.passes).format(n=summary.passes)
        + " · "
        + ngettext("{n} attempt", "{n} attempts", summary.attempts).format(n=summary.attempts)
        + " · "
        + ngettext("a streak of {n} day", "a streak of {n} days", summary.streak).format(n=summary.streak)
    )
    click.echo()
    width = max((cells(stage.title[language.current()]) for stage, _names in stages), default=0)
    for stage, names in stages:
        passed = sum(found[name].status.passed for name in names)
        full = round(BAR * passed / len(names)) if names else 0
        bar = style("█" * full, fg="green") + "░" * (BAR - full)
        click.echo(f"  {pad(stage.title[language.current()], width)}  {bar}  {passed}/{len(names)}")
    if recent:
        click.echo()
        for attempt in recent:
            when = attempt.started_at.astimezone().strftime("%Y-%m-%d %H:%M")
            click.echo(
                f"  {when}  {outcome_label(attempt.verdict)}  {attempt.exercise}  {attempt.seconds:.2f} s"
            )
