"""The vocabulary of a check of links: what was asked for, and what was found."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from enum import StrEnum


class LinkOutcome(StrEnum):
    """What a maintainer has to do about an address; UNSURE is to look for themselves."""

    DEAD = "dead"
    MOVED = "moved"
    REDIRECTED = "redirected"
    UNSURE = "unsure"
    OK = "ok"


class Cause(StrEnum):
    """Why an outcome is what it is; `words.explain` makes a sentence of it."""

    FINE = "fine"
    SAME_PAGE = "same-page"
    FOR_NOW = "for-now"
    MOVED = "moved"
    FRONT_PAGE = "front-page"
    GONE = "gone"
    DENIED = "denied"
    BUSY = "busy"
    ASKED_TO_WAIT = "asked-to-wait"
    SERVER_ERROR = "server-error"
    ODD_STATUS = "odd-status"
    LOOP = "redirect-loop"
    WANTS_COOKIES = "wants-cookies"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    BAD_REDIRECT = "bad-redirect"
    NOT_WEB = "not-web"
    INVALID = "invalid-address"
    NO_SUCH_HOST = "no-such-host"
    NAME_TROUBLE = "name-trouble"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_CONNECTION = "no-connection"
    PROXY = "proxy"
    TLS = "tls"
    CERTIFICATE = "certificate"
    NOT_HTTP = "not-http"
    CLOSED = "closed"
    TIMEOUT = "timeout"
    UNEXPECTED = "unexpected"
    OFFLINE = "offline"


# no contact with the host: what one sees of every host without a network
NO_CONTACT = frozenset(
    {
        Cause.NO_SUCH_HOST,
        Cause.NAME_TROUBLE,
        Cause.REFUSED,
        Cause.UNREACHABLE,
        Cause.NO_CONNECTION,
        Cause.PROXY,
    }
)
# a firewall or a portal shows these of every host: dead only when another host answers at the same time
NEEDS_WITNESS = frozenset({Cause.NO_SUCH_HOST, Cause.REFUSED, Cause.TLS, Cause.CERTIFICATE})
# another try may find something else
PASSING = NO_CONTACT | {
    Cause.TLS,
    Cause.NOT_HTTP,
    Cause.CLOSED,
    Cause.TIMEOUT,
    Cause.BUSY,
    Cause.SERVER_ERROR,
    Cause.UNEXPECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one address was found to be; `checked_at` is in seconds since 1970."""

    outcome: LinkOutcome
    cause: Cause
    detail: str = ""
    status: int | None = None
    final_url: str = ""
    redirects: int = 0
    moved_to: str = ""
    attempts: int = 0
    seconds: float = 0.0
    checked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult(Finding):
    """A finding about an address as it is written, and who cites it."""

    url: str
    resources: tuple[str, ...] = ()
    from_cache: bool = False

    @property
    def reason(self) -> str:
        """One sentence, in the language of the interface."""
        from mlsys_path.links.words import explain

        return explain(self)


@dataclass(frozen=True, slots=True)
class Settings:
    """How polite and how patient a check is; times in seconds."""

    hosts: int = 8  # asked at once; of one host, one request at a time
    pause: float = 1.0  # between two requests to one host
    timeout: float = 30.0  # of all requests for one address together
    retries: int = 2
    backoff: float = 1.0  # before the first retry; twice that before the next
    backoff_most: float = 30.0
    retry_after_most: float = 60.0  # a host that asks for more is left alone for the rest of the run
    redirects: int = 10
    silent_hosts: int = 3  # so many without contact, and none that answers: is the network there?

    @property
    def step_timeout(self) -> float:
        """For one connection, or one silence of a server: leaves an address its retries."""
        return self.timeout / 3


class Clock:
    """Time and chance, in one place so that a test can have its own."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let others work for a while."""
        await asyncio.sleep(seconds)

    def jitter(self) -> float:
        """A factor, so that retries do not come in step."""
        return random.uniform(0.5, 1.0)
