"""Asks for many addresses, and lets nothing be dead that may be the network's own fault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mlsys_path.links.addresses import BadAddress, host_of, request_key
from mlsys_path.links.fetching import Budget, Fetcher, NoAnswerError, open_client
from mlsys_path.links.network import Network
from mlsys_path.links.records import NEEDS_WITNESS, Cause, Clock, Finding, LinkOutcome, Settings
from mlsys_path.links.trying import Found, find
from mlsys_path.links.turns import Turns

_WITNESSES = 5


class OfflineError(Exception):
    """The network is not there: no host could be reached, and of no address anything is known."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Asking:
    """One run over addresses that are asked for; `settle` gets each with what was found."""

    def __init__(
        self,
        keys: Iterable[str],
        settings: Settings,
        witnesses: Sequence[str],
        clock: Clock,
        settle: Callable[[str, Finding], None],
    ) -> None:
        self._open = dict.fromkeys(keys)
        self._settings = settings
        self._witnesses = witnesses
        self._clock = clock
        self._report = settle
        # what may be the network's fault, until another host answers
        self._held: dict[str, Found] = {}
        hosts = len({host_of(key) for key in self._open})
        self._network = Network(min(settings.silent_hosts, hosts), clock)

    async def run(self) -> None:
        """Settle every address; raises OfflineError when no host can be reached."""
        async with open_client(self._settings) as client:
            turns = Turns(self._settings, self._clock)
            fetcher = Fetcher(client, self._settings, turns, self._network, self._clock)
            if not await self._ask_all(fetcher):
                self._went_away()

    async def _ask_all(self, fetcher: Fetcher) -> bool:
        """Whether the network was there until the end."""
        asking = {asyncio.create_task(self._ask(fetcher, key)) for key in self._open}
        watching = asyncio.create_task(self._watch(fetcher))
        try:
            while asking:
                done, _ = await asyncio.wait(asking | {watching}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                self._release()
                asking -= done
                if watching in done:
                    return False
            if self._held:
                await cancelled([watching])
                # nobody has answered since: one more question decides
                self._network.doubt()
                there = await self._is_there(fetcher)
                self._release()
                return there
            return True
        finally:
            await cancelled([*asking, watching])

    async def _ask(self, fetcher: Fetcher, key: str) -> None:
        found = await find(fetcher, key, self._settings, self._clock)
        if found.finding.cause in NEEDS_WITNESS:
            self._held[key] = found
        else:
            self._settle(key, found.finding)

    def _settle(self, key: str, finding: Finding) -> None:
        del self._open[key]
        self._report(key, finding)

    def _release(self) -> None:
        """Settle what another host has vouched for by answering."""
        for key, found in list(self._held.items()):
            if self._network.another_answered(found.host, found.since):
                self._settle(key, self._held.pop(key).finding)

    async def _watch(self, fetcher: Fetcher) -> None:
        """Return once the network is not there."""
        while True:
            await self._network.doubted.wait()
            if not await self._is_there(fetcher):
                return

    async def _is_there(self, fetcher: Fetcher) -> bool:
        """Whether the network, which is in doubt, is there: any answer says so."""
        asking = asyncio.create_task(self._ask_witnesses(fetcher))
        trusted = asyncio.create_task(self._network.trusted.wait())
        try:
            done, _ = await asyncio.wait({asking, trusted}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancelled([asking, trusted])
        return not self._network.in_doubt

    async def _ask_witnesses(self, fetcher: Fetcher) -> None:
        async with asyncio.TaskGroup() as group:
            for key in self._whom_to_ask():
                group.create_task(self._ask_witness(fetcher, key))
        # an answer to what is under way would do as well
        await self._network.settled()

    async def _ask_witness(self, fetcher: Fetcher, key: str) -> None:
        with contextlib.suppress(NoAnswerError):
            await fetcher.ask("HEAD", key, Budget(self._settings.timeout), in_doubt=True)

    def _whom_to_ask(self) -> list[str]:
        """An address each of a few hosts: those that answered, the last first, then those not heard of."""
        silent = {
            *self._network.silent,
            *self._network.known_silent,
            *(found.host for found in self._held.values()),
        }
        hosts: dict[str, str] = {}
        for url in [*self._network.that_answered(), *self._witnesses, *self._open]:
            try:
                key = request_key(url)
            except BadAddress:
                continue
            if host_of(key) not in silent:
                hosts.setdefault(host_of(key), key)
        return list(hosts.values())[:_WITNESSES]

    def _went_away(self) -> None:
        """Nothing that is left is dead for that."""
        if not self._network.ever_answered:
            causes = [*self._network.silent.values(), *(f.finding.cause for f in self._held.values())]
            raise OfflineError(next(iter(causes), Cause.UNREACHABLE))
        for key in list(self._open):
            offline = Finding(
                outcome=LinkOutcome.UNSURE, cause=Cause.OFFLINE, final_url=key, checked_at=self._clock.now()
            )
            self._settle(key, offline)


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
