"""One address: HEAD, then GET, then again a little later, until that says something."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.links.addresses import host_of
from mlsys_path.links.fetching import Budget, Fetcher
from mlsys_path.links.judging import Trail, judge
from mlsys_path.links.records import NO_CONTACT, PASSING, Cause, Clock, Finding, LinkOutcome, Settings

# without contact the method does not matter
_WHATEVER_THE_METHOD = NO_CONTACT | {Cause.TLS, Cause.CERTIFICATE, Cause.ASKED_TO_WAIT}
# a server that cannot answer HEAD does this; GET need not wait for it to get better
_BREAKS_AT_HEAD = frozenset({Cause.CLOSED, Cause.NOT_HTTP})


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and which host it is about since when."""

    finding: Finding
    host: str
    since: float


async def find(fetcher: Fetcher, key: str, settings: Settings, clock: Clock) -> Found:
    """Ask for one address until that says something, or there were enough tries."""
    budget = Budget(settings.timeout)
    method, tries, failures = "HEAD", 0, 0
    status: int | None = None
    while True:
        trail = await fetcher.follow(method, key, budget)
        outcome, cause = judge(trail)
        if cause is Cause.ASKED_TO_WAIT:
            # no request was made: what the host said before is the answer
            trail.status = status
            break
        status = trail.status
        tries += 1
        if outcome not in (LinkOutcome.DEAD, LinkOutcome.UNSURE):
            break
        next_is_get = method == "HEAD" and cause not in _WHATEVER_THE_METHOD
        if cause in PASSING and not (next_is_get and cause in _BREAKS_AT_HEAD):
            failures += 1
        elif not next_is_get:
            break
        if failures > settings.retries or not budget.left:
            break
        if next_is_get:
            method = "GET"
        if failures:
            await clock.sleep(_backoff(failures, settings, clock))
    return Found(_finding(cause, outcome, trail, tries, budget, clock), host_of(trail.url), trail.since)


def _backoff(failures: int, settings: Settings, clock: Clock) -> float:
    return min(settings.backoff_most, settings.backoff * float(1 << (failures - 1))) * clock.jitter()


def _finding(
    cause: Cause, outcome: LinkOutcome, trail: Trail, tries: int, budget: Budget, clock: Clock
) -> Finding:
    return Finding(
        outcome=outcome,
        cause=cause,
        detail=trail.detail,
        status=trail.status,
        final_url=trail.url,
        redirects=len(trail.hops),
        moved_to=trail.moved_to,
        attempts=tries,
        seconds=round(budget.spent, 3),
        checked_at=clock.now(),
    )
