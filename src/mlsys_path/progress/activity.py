"""A year of what was done: weeks of days with their shades, months in numbers, streaks. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mlsys_path.language import N_, _, listed, ngettext, sentences
from mlsys_path.progress.records import Day, Summary

WEEKS = 53
SHADES = "·░▒▓█"  # never colour alone: nothing, and four quarters of the days that have something
MONTHS = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Month:
    """What was done in a month, as far as it is within the year."""

    year: int
    month: int
    attempts: int
    passes: int
    days: int  # with at least one attempt

    def name(self) -> str:
        """`Nov 2026`."""
        return _("{month} {year}").format(month=_(MONTHS[self.month - 1]), year=self.year)

    def words(self) -> str:
        """What was done, for those who cannot see a drawing."""
        return _("{month}: {what}").format(
            month=self.name(), what=counted(self.attempts, self.days, self.passes)
        )


@dataclass(frozen=True, slots=True)
class Activity:
    """53 weeks, the last of which is that of `today`; a week begins on Monday."""

    today: date
    weeks: tuple[tuple[Day | None, ...], ...]  # seven days each; None for those to come
    months: tuple[Month, ...]
    attempts: int
    passes: int
    active: int  # days with at least one attempt
    streak: int  # days in a row, ending today or yesterday
    longest: int  # days in a row within the year, or the streak where that began earlier
    busiest: Day | None

    def shade(self, day: Day | None) -> int:
        """0 without an attempt, else 1 to 4: the quarter of the active days that the day is in."""
        if day is None or not day.attempts:
            return 0
        counts = sorted(each.attempts for week in self.weeks for each in week if each and each.attempts)
        return 1 + sum(day.attempts > counts[max(0, math.ceil(len(counts) * n / 4) - 1)] for n in (1, 2, 3))

    @property
    def rows(self) -> list[list[int | None]]:
        """The heat map: a row each weekday, a column each week; None for days to come."""
        shades = {day.attempts: self.shade(day) for week in self.weeks for day in week if day}
        return [
            [None if day is None else shades[day.attempts] for day in days]
            for days in zip(*self.weeks, strict=True)
        ]

    @property
    def per_week(self) -> list[int]:
        """The attempts of each week."""
        return [sum(day.attempts for day in week if day) for week in self.weeks]

    @property
    def per_weekday(self) -> list[int]:
        """The attempts of all Mondays, all Tuesdays, …"""
        return [sum(day.attempts for day in days if day) for days in zip(*self.weeks, strict=True)]

    def words(self) -> str:
        """The year in two or three sentences."""
        parts = [
            _("In a year {what}.").format(what=counted(self.attempts, self.active, self.passes)),
            ngettext("{n} day in a row now", "{n} days in a row now", self.streak).format(n=self.streak)
            + _(", {n} at the longest.").format(n=self.longest),
        ]
        if self.busiest:
            text = _("Most on {date}: {n}.")
            parts.append(text.format(date=self.busiest.date.isoformat(), n=self.busiest.attempts))
        return sentences(parts)

    def months_above(self, width: int) -> str:
        """The line above the heat map: each month's name over its first week; `width` columns a week."""
        from rich.cells import cell_len

        line = ""
        for at, week in enumerate(self.weeks):
            first = next((day for day in week if day and day.date.day == 1), None)
            if first is not None or at == 0:
                name = _(MONTHS[(first or next(day for day in week if day)).date.month - 1])
                # the first is left out where the next would stand in it
                if cell_len(line) <= at * width and (at or not _begins_soon(self.weeks)):
                    line += " " * (at * width - cell_len(line)) + name
        return line


def counted(attempts: int, days: int, passes: int) -> str:
    """`41 attempts on 9 days, 3 passes`."""
    tried = ngettext("{n} attempt", "{n} attempts", attempts).format(n=attempts)
    on = ngettext("on {n} day", "on {n} days", days).format(n=days)
    passed = ngettext("{n} first pass", "{n} first passes", passes).format(n=passes) if passes else ""
    return listed(filter(None, (_("{attempts} {on_days}").format(attempts=tried, on_days=on), passed)))


def activity(summary: Summary, today: date) -> Activity:
    """The year that ends with the week of `today`."""
    by_day = summary.by_day
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    weeks = tuple(
        tuple(
            by_day.get(date_, Day(date_, 0, 0)) if date_ <= today else None
            for date_ in (first + timedelta(weeks=week, days=day) for day in range(7))
        )
        for week in range(WEEKS)
    )
    shown = [day for week in weeks for day in week if day]
    done = [day for day in shown if day.attempts]
    return Activity(
        today,
        weeks,
        _months(shown),
        sum(day.attempts for day in done),
        sum(day.passes for day in done),
        len(done),
        summary.streak,
        max(_longest(shown), summary.streak),
        max(done, key=lambda day: day.attempts, default=None),
    )


def _begins_soon(weeks: Sequence[Sequence[Day | None]]) -> bool:
    return any(day and day.date.day == 1 for week in weeks[1:4] for day in week)


def _months(days: Sequence[Day]) -> tuple[Month, ...]:
    found: dict[tuple[int, int], list[Day]] = {}
    for day in days:
        found.setdefault((day.date.year, day.date.month), []).append(day)
    return tuple(
        Month(
            year,
            month,
            sum(day.attempts for day in of_it),
            sum(day.passes for day in of_it),
            sum(bool(day.attempts) for day in of_it),
        )
        for (year, month), of_it in found.items()
    )


def _longest(days: Sequence[Day]) -> int:
    longest = row = 0
    for day in days:
        row = row + 1 if day.attempts else 0
        longest = max(longest, row)
    return longest


def bars(values: Sequence[float], height: int) -> list[str]:
    """Upright bars, a column each value, `height` lines; whatever is not nothing is seen."""
    most = max(values, default=0) or 1
    steps = [max(1, math.ceil(8 * height * (value / most))) if value > 0 else 0 for value in values]
    return [
        "".join(_BARS[min(8, max(0, step - 8 * line))] for step in steps)
        for line in range(height - 1, -1, -1)
    ]


def spark(values: Sequence[float], width: int) -> str:
    """The course of values in one line: the last `width` of them, from the least to the greatest."""
    shown = list(values)[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = (high - low) or 1
    return "".join(_BARS[1 + round(7 * (value - low) / span)] if high > low else _BARS[4] for value in shown)
