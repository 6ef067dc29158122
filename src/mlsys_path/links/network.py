"""Is the network there? What the hosts that were asked show of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from mlsys_path.links.records import Cause, Clock


class Network:
    """In doubt once so many hosts in a row gave no contact; any answer ends the doubt."""

    def __init__(self, silent_hosts: int, clock: Clock) -> None:
        self._most = silent_hosts
        self._clock = clock
        self._answers: dict[str, tuple[float, str]] = {}  # host -> when it last answered, and for what
        self._in_flight = 0
        self.silent: dict[str, Cause] = {}  # hosts without contact since the last answer, and why
        self.known_silent: set[str] = set()  # those for which it was not the network's fault
        self.trusted = asyncio.Event()
        self.trusted.set()
        self.doubted = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def ever_answered(self) -> bool:
        """Whether any host answered in this run."""
        return bool(self._answers)

    def that_answered(self) -> list[str]:
        """An address of each host that answered, the last one first."""
        return [address for _at, address in sorted(self._answers.values(), reverse=True)]

    @property
    def in_doubt(self) -> bool:
        """Whether requests should wait."""
        return self.doubted.is_set()

    def answered(self, host: str, address: str) -> None:
        """A host answered: the network is there."""
        self._answers[host] = self._clock.monotonic(), address
        self.known_silent = (self.known_silent | self.silent.keys()) - {host}
        self.silent.clear()
        self.doubted.clear()
        self.trusted.set()

    def no_contact(self, host: str, cause: Cause) -> None:
        """A host could not be reached."""
        if host in self.known_silent:
            return
        self.silent[host] = cause
        if len(self.silent) >= self._most:
            self.doubt()

    def doubt(self) -> None:
        """Hold all requests until it is known whether the network is there."""
        self.trusted.clear()
        self.doubted.set()

    def another_answered(self, host: str, since: float) -> bool:
        """Whether a host other than this one has answered since."""
        return any(at >= since for name, (at, _address) in self._answers.items() if name != host)

    @contextlib.contextmanager
    def in_flight(self) -> Iterator[None]:
        """Around each request."""
        self._in_flight += 1
        self._settled.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._settled.set()

    async def settled(self) -> None:
        """Until no request is under way."""
        await self._settled.wait()
