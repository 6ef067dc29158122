"""One request, and the way that its redirects lead."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from mlsys_path import __version__
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.links.addresses import BadAddress, host_of, request_key, target
from mlsys_path.links.diagnosis import diagnose
from mlsys_path.links.judging import REDIRECTS, Trail
from mlsys_path.links.network import Network
from mlsys_path.links.records import NO_CONTACT, Cause, Clock, Settings
from mlsys_path.links.retry_after import seconds_to_wait
from mlsys_path.links.turns import Turns

USER_AGENT = f"mlsys-path/{__version__} (checks the links of its roadmap)"
_LOCATION = "mlsys_path_location"
_WORTH_A_REQUEST = 0.01
_ASKS_TO_WAIT = frozenset({429, 503})


class NoAnswerError(Exception):
    """A request without an answer, and why."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause.value)
        self.cause = cause
        self.detail = detail


@dataclass(slots=True)
class Budget:
    """What is left of the time that requests for one address may take; waiting for a turn costs nothing."""

    seconds: float
    spent: float = 0.0

    @property
    def left(self) -> float:
        """Seconds, 0 when there are none that are worth a request."""
        left = self.seconds - self.spent
        return left if left > _WORTH_A_REQUEST else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, as far as it matters; nothing of a body is ever read."""

    status: int
    location: str | None
    retry_after: str | None
    sets_cookie: bool


def open_client(settings: Settings) -> httpx.AsyncClient:
    """The client of a run; raises UserError when the environment's proxy or certificates cannot be used."""
    step = settings.step_timeout
    try:
        return httpx.AsyncClient(
            # an answer says nothing that the next request to the host could depend on
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(step),
            follow_redirects=False,
            event_hooks={"response": [_take_location]},
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
        )
    except (ImportError, ValueError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
        raise UserError(
            _("the proxy or the certificates that the environment names cannot be used: {reason}").format(
                reason=error
            )
        ) from error


async def _take_location(response: httpx.Response) -> None:
    # httpx reads it also where it follows nothing, and an address that it cannot read would cost the whole answer
    response.extensions[_LOCATION] = response.headers.pop("location", None)


class Fetcher:
    """Asks, when it is an address's turn and the network is not in doubt."""

    def __init__(
        self, client: httpx.AsyncClient, settings: Settings, turns: Turns, network: Network, clock: Clock
    ) -> None:
        self._client = client
        self._settings = settings
        self._turns = turns
        self._network = network
        self._clock = clock

    async def follow(self, method: str, start: str, budget: Budget) -> Trail:
        """Ask for an address, and for what it redirects to, until something else comes back."""
        trail = Trail(start=start, url=start)
        seen = {start}
        while True:
            key = request_key(trail.url)
            trail.since = self._clock.monotonic()
            try:
                answer = await self.ask(method, key, budget)
                trail.cookies |= answer.sets_cookie
                trail.status = answer.status
                if answer.status not in REDIRECTS:
                    return trail
                trail.url = target(trail.url, answer.location)
            except (NoAnswerError, BadAddress) as error:
                trail.cause = error.cause
                trail.detail = error.detail if isinstance(error, NoAnswerError) else ""
                return trail
            trail.hops.append((answer.status, trail.url))
            key = request_key(trail.url)
            if key in seen or len(trail.hops) > self._settings.redirects:
                trail.cause = Cause.LOOP if key in seen else Cause.TOO_MANY_REDIRECTS
                return trail
            seen.add(key)

    async def ask(self, method: str, key: str, budget: Budget, *, in_doubt: bool = False) -> Answer:
        """One request; `in_doubt` also while the network is. Raises NoAnswerError."""
        host = host_of(key)
        while True:
            if not in_doubt:
                await self._network.trusted.wait()
            async with self._turns.turn(host):
                if self._network.in_doubt and not in_doubt:
                    continue
                if wait := self._turns.closed_for(host):
                    raise NoAnswerError(Cause.ASKED_TO_WAIT, f"{wait:.0f}")
                # of real time, whatever the clock of pauses
                began = asyncio.get_running_loop().time()
                try:
                    with self._network.in_flight():
                        return await self._send(method, key, host, budget)
                finally:
                    budget.spent += asyncio.get_running_loop().time() - began
                    self._turns.asked(host)

    async def _send(self, method: str, key: str, host: str, budget: Budget) -> Answer:
        try:
            async with asyncio.timeout(budget.left):
                answer = await self._head_of_answer(method, key)
        except Exception as error:
            # whatever a server can make a client raise is a finding about the server
            cause, detail = diagnose(error, key)
            if cause in NO_CONTACT:
                self._network.no_contact(host, cause)
            raise NoAnswerError(cause, detail or type(error).__name__) from error
        self._network.answered(host, key)
        if answer.status in _ASKS_TO_WAIT:
            wait = seconds_to_wait(answer.retry_after, self._clock.now())
            self._turns.asked_to_wait(host, wait or 0.0)
        return answer

    async def _head_of_answer(self, method: str, key: str) -> Answer:
        response = await self._client.send(self._client.build_request(method, key), stream=True)
        with contextlib.suppress(httpx.HTTPError, OSError):
            # closed with its body unread, which may have no end
            await response.aclose()
        headers = response.headers
        return Answer(
            status=response.status_code,
            location=response.extensions.get(_LOCATION),
            retry_after=headers.get("retry-after"),
            sets_cookie="set-cookie" in headers,
        )
