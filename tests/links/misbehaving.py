"""A server on loopback that misbehaves as it is told, and remembers what it was asked.

It runs in a thread with a loop of its own, on an address (127.0.0.x) for each of its hosts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PEM = Path(__file__).with_name("self-signed.pem")
HOSTS = 12
PATIENCE = 60.0


@dataclass
class Exchange:
    """One request, and the connection to answer it on."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    count: int  # how many requests for the path came before
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answering: Callable[[], None]  # from now on the client may know that it was answered


Behaviour = Callable[[Exchange], Awaitable[None]]


def answer(status: int, *headers: str, body: bytes = b"", reason: str = "Whatever") -> Behaviour:
    """A proper answer."""
    lines = [f"HTTP/1.1 {status} {reason}", *headers]
    if status >= 200 and status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return raw("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body)


def raw(data: bytes) -> Behaviour:
    """These bytes, and the connection is closed."""

    async def act(exchange: Exchange) -> None:
        exchange.answering()
        exchange.writer.write(data)
        await exchange.writer.drain()

    return act


def endless(begin: bytes, more: bytes) -> Behaviour:
    """As much as the other side takes."""

    async def act(exchange: Exchange) -> None:
        exchange.answering()
        exchange.writer.write(begin)
        while True:
            exchange.writer.write(more)
            await exchange.writer.drain()

    return act


def drip(data: bytes) -> Behaviour:
    """One byte at a time, for ever, never long enough apart to be called silent."""

    async def act(exchange: Exchange) -> None:
        exchange.answering()
        while True:
            for byte in data:
                exchange.writer.write(bytes([byte]))
                await exchange.writer.drain()
                await asyncio.sleep(0.02)

    return act


async def hang(exchange: Exchange) -> None:
    """No answer, until the other side gives up."""
    await exchange.reader.read()


async def slam(exchange: Exchange) -> None:
    """The connection is closed without a word."""
    exchange.answering()


async def reset(exchange: Exchange) -> None:
    """The connection is reset."""
    exchange.answering()
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    exchange.writer.transport.abort()


def sequence(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last for ever."""

    async def act(exchange: Exchange) -> None:
        await behaviours[min(exchange.count, len(behaviours) - 1)](exchange)

    return act


def by_method(*, head: Behaviour, get: Behaviour) -> Behaviour:
    """One for HEAD and one for GET."""

    async def act(exchange: Exchange) -> None:
        await (head if exchange.method == "HEAD" else get)(exchange)

    return act


@dataclass
class Misbehaving:
    """The server; `on` says how it behaves, at one host or at all of them. What it was not told of answers 404."""

    clock: Callable[[], float] = lambda: 0.0
    log: list[tuple[str, str, str]] = field(default_factory=list)  # host, method, path
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[tuple[str, float]] = field(default_factory=list)  # host, when it was asked
    most_at_once: int = 0
    most_at_one_host: int = 0
    _behaviours: dict[tuple[str, str], Behaviour] = field(default_factory=dict)
    _ports: dict[tuple[str, str], int] = field(default_factory=dict)
    _active: Counter[str] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def on(self, path: str, behaviour: Behaviour, host: int = 0) -> str:
        """Behave so at a path, of one host or (0) of all; the address at that host, or at the first."""
        self._behaviours[self._name(host) if host else "", path] = behaviour
        return self.url(path, host or 1)

    def url(self, path: str, host: int = 1, *, scheme: str = "http", name: str = "") -> str:
        """The address of a path, with the host's own address or another name."""
        return f"{scheme}://{name or self._name(host)}:{self._ports[self._name(host), scheme]}{path}"

    def asked(self, path: str) -> list[str]:
        """The methods of the requests for a path."""
        return [method for _host, method, asked in list(self.log) if asked == path]

    def wait_for(self, path: str, count: int = 1) -> None:
        """Until so many requests for a path have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked(path)) >= count, PATIENCE), self.log

    @staticmethod
    def _name(host: int) -> str:
        return f"127.0.0.{host}"

    async def _serve(self, started: threading.Event) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # a handshake that fails, as it should, is nobody's news
        self._loop.set_exception_handler(lambda _loop, _context: None)
        servers = []
        for host in range(1, HOSTS + 1):
            for scheme in ("http", "https"):
                server = await asyncio.start_server(
                    self._connected, self._name(host), 0, ssl=context if scheme == "https" else None
                )
                self._ports[self._name(host), scheme] = server.sockets[0].getsockname()[1]
                servers.append(server)
        started.set()
        await self._end.wait()
        for server in servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            first = await reader.readexactly(1)
            if first == b"\x16":
                # TLS, where none is spoken
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            else:
                head = first + await reader.readuntil(b"\r\n\r\n")
                await self._requested(head.decode("ascii"), reader, writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    async def _requested(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.strip().splitlines()
        method, path, _version = first.split()
        host = writer.get_extra_info("sockname")[0]
        headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
        under_way = [host]
        count = len(self.asked(path))

        def answering() -> None:
            if under_way:
                self._active[under_way.pop()] -= 1

        exchange = Exchange(host, method, path, headers, count, reader, writer, answering)
        self._active[host] += 1
        self.most_at_one_host = max(self.most_at_one_host, self._active[host])
        self.most_at_once = max(self.most_at_once, self._active.total())
        with self._changed:
            self.log.append((host, method, path))
            self.headers.append(headers)
            self.times.append((host, self.clock()))
            self._changed.notify_all()
        # another request of the same client would show up in these turns of the loop
        for _ in range(20):
            await asyncio.sleep(0)
        behaviour = self._behaviours.get((host, path)) or self._behaviours.get(("", path)) or answer(404)
        try:
            await behaviour(exchange)
        finally:
            answering()


@contextlib.contextmanager
def serving() -> Iterator[Misbehaving]:
    """A server while the block runs."""
    server = Misbehaving()
    started = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server._serve(started)), daemon=True)
    thread.start()
    assert started.wait(PATIENCE)
    try:
        yield server
    finally:
        server._loop.call_soon_threadsafe(server._end.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()
