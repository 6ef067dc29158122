"""Politeness: a few hosts at once, and of each host one request at a time with a pause between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from mlsys_path.links.records import Clock, Settings


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    not_before: float = 0.0
    closed_for: float = 0.0


class Turns:
    """Who may ask now."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.hosts)
        self._hosts: dict[str, _Host] = {}

    @contextlib.asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn of a host, and hold it: no other request goes to the host meanwhile."""
        host = self._host(name)
        async with host.lock:
            while (left := host.not_before - self._clock.monotonic()) > 0 and not host.closed_for:
                await self._clock.sleep(left)
            # last, as who waits for a host must not keep others from theirs
            async with self._slots:
                yield

    def asked(self, name: str) -> None:
        """A request to the host has ended: the pause begins."""
        self._hold(self._host(name), self._settings.pause)

    def asked_to_wait(self, name: str, seconds: float) -> None:
        """The host wants to be left alone for so long."""
        host = self._host(name)
        if seconds > self._settings.retry_after_most:
            host.closed_for = seconds
        else:
            self._hold(host, seconds)

    def closed_for(self, name: str) -> float:
        """For how long the host wants to be left alone, when that is longer than this run waits; else 0."""
        return self._host(name).closed_for

    def _hold(self, host: _Host, seconds: float) -> None:
        host.not_before = max(host.not_before, self._clock.monotonic() + seconds)

    def _host(self, name: str) -> _Host:
        return self._hosts.setdefault(name, _Host())
