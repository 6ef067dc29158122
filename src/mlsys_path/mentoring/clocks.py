"""What the times of attempts say of the clock that they were taken by. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlsys_path.language import _

SLACK = timedelta(seconds=2)  # clocks are set by less than this all the time
AHEAD = timedelta(days=1)  # of the reader's clock: what time zones cannot explain


@dataclass(frozen=True, slots=True)
class Stamp:
    """An attempt's times; `stored_at` is None where it was not kept."""

    id: str
    started_at: datetime
    stored_at: datetime | None


def suspicions(
    stamps: Sequence[Stamp], exported_at: datetime, read_at: datetime
) -> Iterator[tuple[str, str]]:
    """The id of an attempt, or "", and what is wrong with its time; `stamps` come in the order of storing."""
    latest: datetime | None = None
    for stamp in stamps:
        stored = stamp.stored_at
        if stored is None:
            continue
        if latest is not None and stored < latest - SLACK:
            yield (
                stamp.id,
                _("the clock ran backwards by {time} before it").format(time=_span(latest - stored)),
            )
        if stamp.started_at > stored + SLACK:
            late = _span(stamp.started_at - stored)
            yield stamp.id, _("it begins {time} after it was stored").format(time=late)
        latest = stored
    if latest is not None and exported_at < latest - SLACK:
        yield (
            "",
            _("it was exported {time} before its last attempt was stored").format(
                time=_span(latest - exported_at)
            ),
        )
    if exported_at > read_at + AHEAD:
        yield "", _("its clock is {time} ahead of yours").format(time=_span(exported_at - read_at))


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds >= 86400:
        return _("{n:g} d").format(n=round(seconds / 86400, 1))
    if seconds >= 3600:
        return _("{n:g} h").format(n=round(seconds / 3600, 1))
    return _("{n:g} min").format(n=round(seconds / 60, 1)) if seconds >= 60 else f"{seconds} s"
