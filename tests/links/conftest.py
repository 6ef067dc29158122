"""A misbehaving server, a clock that takes no time, and no name that leads away from this machine."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from mlsys_path.links.cache import Cache
from mlsys_path.links.engine import check
from mlsys_path.links.records import Clock, LinkResult, Settings


def _load(name: str):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


misbehaving = _load("misbehaving")


class VirtualClock(Clock):
    """Sleeping takes no time, and is remembered."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        self.time += 1e-6
        return self.time

    def now(self) -> float:
        return 1_800_000_000 + self.time

    async def sleep(self, seconds: float) -> None:
        wake = self.time + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.time = max(self.time, wake)

    def jitter(self) -> float:
        return 1.0


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def server(clock: VirtualClock) -> Iterator[misbehaving.Misbehaving]:
    with misbehaving.serving() as server:
        server.clock = lambda: clock.time
        server.on("/witness", misbehaving.answer(200))
        yield server


class Names(dict[str, str | OSError]):
    """What names are looked up to, and which were."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.asked: list[str] = []


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What names are looked up to; any other name does not exist, and no name server is asked."""
    for variable in list(os.environ):
        if variable.lower().endswith("_proxy") or variable.startswith("SSL_CERT_"):
            monkeypatch.delenv(variable)
    known = Names(
        {
            "shaky.test": socket.gaierror(socket.EAI_AGAIN, "try again"),
            "far.test": OSError(errno.ENETUNREACH, "no way"),
        }
    )

    def look_up(host: object, port: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        known.asked.append(name)
        found = known.get(name, socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(found, OSError):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def find_all(server: misbehaving.Misbehaving, clock: VirtualClock) -> Callable[..., object]:
    """Check addresses to the end: results by address. The last host vouches for the network."""

    async def run(
        *urls: str,
        cache: Cache | None = None,
        fresh: bool = False,
        witnesses: Sequence[str] | None = None,
        **settings: object,
    ) -> dict[str, LinkResult]:
        chosen = Settings(**{"pause": 1.0, "timeout": 30.0, "retries": 1, **settings})
        vouching = [server.url("/witness", misbehaving.HOSTS)] if witnesses is None else witnesses
        found = check(
            {url: ["a-book"] for url in urls},
            chosen,
            cache=cache,
            fresh=fresh,
            witnesses=vouching,
            clock=clock,
        )
        return {result.url: result async for result in found}

    return run


@pytest.fixture
def find_one(find_all: Callable[..., object]) -> Callable[..., object]:
    """Check one address."""

    async def run(url: str, **options: object) -> LinkResult:
        return (await find_all(url, **options))[url]

    return run
