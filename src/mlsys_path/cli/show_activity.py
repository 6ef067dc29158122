"""A year of attempts on the command line: the drawing, the same in words, stages, ratios; and as data."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language
from mlsys_path.cli.layout import say
from mlsys_path.cli.output import print_json
from mlsys_path.cli.terminal import cells, columns, pad, style
from mlsys_path.language import _, labelled, listed
from mlsys_path.progress.activity import SHADES, WEEKDAYS, WEEKS, Activity, spark
from mlsys_path.progress.stats import Stats, stats

if TYPE_CHECKING:
    from mlsys_path.progress.bests import Course
    from mlsys_path.roadmap.load import Roadmap

SPARK = 24  # columns


def show_activity(roadmap: Roadmap, *, as_json: bool) -> None:
    """Print it. Raises UserError when the database cannot be read."""
    found = stats(roadmap, datetime.now().astimezone().date())
    if as_json:
        print_json(_data(roadmap, found))
        return
    year = found.activity
    left = max(cells(_(day)) for day in WEEKDAYS) + 1
    # a screen reader reads the words; a drawing would be noise
    if columns() >= left + WEEKS and os.environ.get("TERM") != "dumb":
        _print_year(year, left)
        click.echo()
    say(year.words())
    click.echo()
    for month in reversed(year.months):
        say(month.words())
    counts = zip(WEEKDAYS, year.per_weekday, strict=True)
    say(labelled(_("Attempts by weekday"), listed(f"{_(day)} {n}" for day, n in counts)))
    click.echo()
    for stage in found.stages:
        title = roadmap.stages[stage.stage].title[language.current()]
        click.echo(labelled(title, f"{stage.passed}/{stage.exercises}"))
    if found.courses:
        click.echo()
        click.echo(style(_("Ratios to the baseline: course, last, best"), bold=True))
    for course in found.courses:
        _print_course(course)


def _print_year(year: Activity, left: int) -> None:
    click.echo(" " * left + year.months_above(1))
    for name, row in zip(WEEKDAYS, year.rows, strict=True):
        drawn = "".join(" " if shade is None else SHADES[shade] for shade in row)
        click.echo(f"{pad(_(name), left)}{drawn}".rstrip())


def _print_course(course: Course) -> None:
    at, best = course.best
    click.echo(f"  {course.exercise}  {course.name}")
    drawn = pad(spark(course.ratios, SPARK), SPARK)
    click.echo(f"    {drawn}  {course.ratios[-1]:.2f}  {best:.2f}  {_date(at)}")


def _date(at: datetime) -> str:
    return at.astimezone().date().isoformat()


def _data(roadmap: Roadmap, found: Stats) -> dict[str, Any]:
    year = found.activity
    return {
        "today": year.today.isoformat(),
        "attempts": year.attempts,
        "passes": year.passes,
        "active_days": year.active,
        "streak": year.streak,
        "longest": year.longest,
        "busiest": (
            {"date": year.busiest.date.isoformat(), "attempts": year.busiest.attempts}
            if year.busiest
            else None
        ),
        "weeks": [
            {
                "first": next(day for day in week if day).date.isoformat(),
                "days": [day.attempts for day in week if day],
            }
            for week in year.weeks
        ],
        "months": [
            {
                "month": date(month.year, month.month, 1).isoformat()[:7],
                "attempts": month.attempts,
                "passes": month.passes,
                "active_days": month.days,
            }
            for month in year.months
        ],
        "weekdays": year.per_weekday,
        "stages": [
            {
                "id": stage.stage,
                "title": roadmap.stages[stage.stage].title[language.current()],
                "exercises": stage.exercises,
                "passed": stage.passed,
            }
            for stage in found.stages
        ],
        "ratios": [
            {
                "exercise": course.exercise,
                "name": course.name,
                "best": course.best[1],
                "best_at": course.best[0].isoformat(),
                "points": [{"at": at.isoformat(), "ratio": ratio} for at, ratio in course.points],
            }
            for course in found.courses
        ],
    }
