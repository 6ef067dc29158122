"""When what was assigned will be done, if it goes on as it went. Pure.

The pace is the minutes that exercises are said to take, of those that passed in the last four weeks or since it was
assigned, whichever is shorter, and at least over one week, as a first good day is no pace. What is left at this pace,
from today, ends on a day; that is compared with the day on which it is due. Without a pass in that time nothing is
forecast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

WINDOW = 28  # days that are looked back upon
LEAST = 7
FAR = 3650  # days ahead: later is never

Verdict = Literal["done", "on-time", "late", "overdue", "unknown", "no-date"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left, at which pace, and when it ends."""

    verdict: Verdict
    left: int  # minutes
    pace: float  # minutes a week
    ends: date | None  # None without a pace
    due: date | None
    days_late: int | None  # against `due`: below zero days to spare; None where one of both is not known


def forecast(
    left: int, passed: Iterable[tuple[date, int]], assigned: date, today: date, due: date | None
) -> Forecast:
    """From the minutes that are left, and the day and minutes of each exercise when it first passed."""
    begins = max(assigned, today - timedelta(days=WINDOW - 1))
    days = max(LEAST, (today - begins).days + 1)
    done = sum(minutes for day, minutes in passed if begins <= day <= today)
    pace = done * 7 / days
    if not left:
        return Forecast("done", 0, pace, today, due, None)
    ahead = -(-left * days // done) if done else FAR + 1
    ends = today + timedelta(days=ahead) if ahead <= FAR else None
    late = (ends - due).days if ends and due else None
    return Forecast(_verdict(today, due, late, ends), left, pace, ends, due, late)


def _verdict(today: date, due: date | None, late: int | None, ends: date | None) -> Verdict:
    if due is not None and today > due:
        return "overdue"
    if ends is None:
        return "unknown"
    if due is None or late is None:
        return "no-date"
    return "late" if late > 0 else "on-time"
