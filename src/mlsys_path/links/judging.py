"""From what was met on the way to an address to a verdict about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlsys_path.links.addresses import is_front_page, same_page
from mlsys_path.links.records import NEEDS_WITNESS, Cause, LinkOutcome

PERMANENT = frozenset({301, 308})
REDIRECTS = PERMANENT | {302, 303, 307}
_BUSY = frozenset({408, 425, 429})
_DENIED = frozenset({401, 403, 407, 451})
_DEAD = NEEDS_WITNESS | {
    Cause.GONE,
    Cause.LOOP,
    Cause.TOO_MANY_REDIRECTS,
    Cause.BAD_REDIRECT,
    Cause.INVALID,
    Cause.NOT_HTTP,
}


@dataclass(slots=True)
class Trail:
    """The way of one try: redirects, then an answer or the cause for which there was none."""

    start: str
    url: str  # where it ended, its fragment kept
    hops: list[tuple[int, str]] = field(default_factory=list)  # status, where it led
    status: int | None = None
    cause: Cause | None = None
    detail: str = ""
    cookies: bool = False  # one of the answers set a cookie
    since: float = 0.0  # when the last request of the try began

    @property
    def moved_to(self) -> str:
        """Where the permanent redirects at the beginning of the way lead; "" without one."""
        moved = ""
        for status, url in self.hops:
            if status not in PERMANENT:
                break
            moved = url
        return moved


def judge(trail: Trail) -> tuple[LinkOutcome, Cause]:
    """The verdict about one try."""
    cause = trail.cause or _of_status(trail)
    if cause in (Cause.LOOP, Cause.TOO_MANY_REDIRECTS) and trail.cookies:
        # a browser, which keeps the cookie, may get through
        cause = Cause.WANTS_COOKIES
    return outcome_of(cause), cause


def outcome_of(cause: Cause) -> LinkOutcome:
    """What a cause amounts to; for those of NEEDS_WITNESS only while other hosts answer."""
    match cause:
        case Cause.FINE:
            return LinkOutcome.OK
        case Cause.SAME_PAGE | Cause.FOR_NOW:
            return LinkOutcome.REDIRECTED
        case Cause.MOVED | Cause.FRONT_PAGE:
            return LinkOutcome.MOVED
        case _:
            return LinkOutcome.DEAD if cause in _DEAD else LinkOutcome.UNSURE


def _of_status(trail: Trail) -> Cause:
    status = trail.status or 0
    if 200 <= status < 300:
        return _of_way(trail)
    if status in (404, 410):
        return Cause.GONE
    if status in _DENIED:
        return Cause.DENIED
    if status in _BUSY:
        return Cause.BUSY
    return Cause.SERVER_ERROR if 500 <= status < 600 else Cause.ODD_STATUS


def _of_way(trail: Trail) -> Cause:
    if not trail.hops:
        return Cause.FINE
    moved = trail.moved_to
    if moved and not same_page(trail.start, moved):
        front = is_front_page(moved) and not is_front_page(trail.start)
        return Cause.FRONT_PAGE if front else Cause.MOVED
    return Cause.SAME_PAGE if same_page(trail.start, trail.url) else Cause.FOR_NOW
