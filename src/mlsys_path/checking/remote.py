"""Handles of objects that live in the learner's process, and the link that carries operations to them."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlsys_path.checking import watched
from mlsys_path.checking.box import Box
from mlsys_path.checking.calls import Calls
from mlsys_path.checking.failures import CheckFailed, Frame, LearnerError, WatchedError
from mlsys_path.checking.show import clean
from mlsys_path.checking.worker.wire import Channel, ChannelClosed, Decoder, Encoder, ProtocolError, Timeout
from mlsys_path.language import _


@dataclass(frozen=True)
class Request:
    """An operation on its way: the random number that its answer must carry, and its words for a message."""

    number: int
    doing: str


class Link:
    """A running worker process of the learner's code, and the conversation with it.

    Each request carries a fresh random number, and its answer must be the only message and carry that number:
    an answer cannot be forged ahead, doubled or left for later without being seen.
    """

    def __init__(
        self, box: Box, env: Mapping[str, str], device: str | None, calls: Calls, *, data_limit: bool
    ) -> None:
        self.box = box
        self.calls = calls
        ours, theirs = socket.socketpair()
        # the output that is kept ends with this worker: pipes are never shared between two
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        try:
            self.job = box.fork((theirs.fileno(), write_end, write_end), env, device, data_limit=data_limit)
        finally:
            theirs.close()
            os.close(write_end)
        self.channel = Channel(ours)
        self.streams = {read_end: box.output}
        self.alive = True
        self.methods: set[tuple[str, str]] = set()
        self.released: list[int] = []

    def close(self) -> None:
        """End the worker."""
        if self.alive:
            self.alive = False
            with contextlib.suppress(ProtocolError):
                self.box.kill(self.job)
        self.channel.close()
        for stream in self.streams:
            self._drain(stream)
            os.close(stream)
        self.streams = {}

    def _drain(self, stream: int) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(stream, 1 << 16):
                self.box.output.add(data)

    def drain(self) -> None:
        """Keep what was printed so far."""
        for stream in self.streams:
            self._drain(stream)

    def apply(
        self,
        operation: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None = None,
        doing: str = "",
        fds: tuple[int, ...] = (),
    ) -> Any:
        """The result of one operation in the learner's process.

        Raises LearnerError for an exception of the learner's, LearnerDied when the process ended, RunOver at the
        deadline, ProtocolError when the answer breaks the protocol.
        """
        return self.answer(self.request(operation, args, kwargs, doing, fds))

    def request(
        self,
        operation: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None = None,
        doing: str = "",
        fds: tuple[int, ...] = (),
    ) -> Request:
        """Send an operation, and do not wait; its answer must be fetched before the next one is sent."""
        if not self.alive:
            raise ProtocolError("this object belongs to a process that has ended")
        request = Request(secrets.randbits(62), doing)
        encoder = Encoder(self._handle, strided=True)
        document = {
            "id": request.number,
            "op": operation,
            "args": [encoder.encode(a) for a in args],
            "kwargs": {name: encoder.encode(value) for name, value in (kwargs or {}).items()},
            "release": self.released,
        }
        self.released = []
        with self._failing(doing):
            if select.select([self.channel], [], [], 0)[0]:
                self._refuse_unasked()
            self.channel.send(document, encoder.blob(), fds)
        return request

    def answer(self, request: Request) -> Any:
        """The result of an operation that was sent; raises as `apply` does."""
        with self._failing(request.doing):
            if not self.box.pump(self.channel, self.streams, self.job, self.box.deadline):
                raise ChannelClosed("the process ended")
            reply, blob, fds = self.channel.receive(self.box.deadline)
        for fd in fds:
            os.close(fd)
        self.drain()
        if not isinstance(reply, dict) or reply.get("id") != request.number:
            raise ProtocolError("the worker sent an answer that nobody asked for")
        if "error" in reply:
            if reply.get("last") is True:
                self.close()  # the next use starts a fresh process
            raise _error(reply["error"])
        return Decoder(blob, self._remote).decode(reply.get("value"))

    @contextlib.contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        """Tell the end of the process, and of the time, as what they are."""
        try:
            yield
        except ChannelClosed:
            self.alive = False
            raise self.box.died(self.job, doing) from None
        except Timeout:
            self.close()
            raise self.box.over(doing) from None

    def _refuse_unasked(self) -> None:
        self.channel.receive(time.monotonic() + 1)  # raises ChannelClosed when the process merely ended
        raise ProtocolError("the worker sent an answer that nobody asked for")

    def finish(self) -> None:
        """At the end of a check: nothing may be left unread, as that was said unasked."""
        self.drain()
        if self.alive and select.select([self.channel], [], [], 0)[0]:
            try:
                self._refuse_unasked()
            except ChannelClosed:
                self.alive = False

    def _handle(self, value: object) -> dict[str, Any]:
        if isinstance(value, Remote):
            if value._link is not self:
                raise ProtocolError("this object belongs to a process that has ended")
            return {"$": "remote", "id": value._id}
        raise TypeError(f"a {type(value).__name__} cannot be sent to the learner's code")

    def _remote(self, document: Mapping[str, Any]) -> Remote:
        number, name, is_callable = document["id"], document["type"], document["callable"]
        if not isinstance(number, int) or not isinstance(name, str):
            raise ProtocolError("a handle is malformed")
        return Remote(self, number, clean(name, 80), bool(is_callable))


def _error(document: Any) -> LearnerError:
    try:
        frames = tuple(
            Frame(
                clean(str(f["file"]), 200),
                int(f["line"]),
                clean(str(f["function"]), 100),
                clean(str(f["text"]), 200),
            )
            for f in document["frames"][:20]
        )
        classes = tuple(clean(str(c), 100) for c in document["mro"][:50])
        if words := watched.words(document.get("details")):
            return WatchedError(clean(str(document["type"]), 100), classes, words, frames)
        return LearnerError(
            clean(str(document["type"]), 100), classes, clean(str(document["message"]), 4000), frames
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError("an exception is malformed") from error


class Remote:
    """An object in the learner's process: what is done to it is done there."""

    __slots__ = ("_callable", "_id", "_link", "_name", "_type")

    def __init__(self, link: Link, number: int, type_name: str, is_callable: bool, name: str = "") -> None:
        self._link = link
        self._id = number
        self._type = type_name
        self._callable = is_callable
        self._name = name

    def __del__(self) -> None:
        self._link.released.append(self._id)

    def __repr__(self) -> str:
        return f"<{self._type}>"

    def _apply(self, operation: str, *args: Any, doing: str = "") -> Any:
        self._link.calls.add(doing or f"{operation}", args, {})
        result = self._link.apply(operation, args, doing=self._link.calls.last)
        self._link.calls.returned(result)
        return result

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "hypothesis_internal")):
            # Python and hypothesis look for protocols that a handle does not have
            raise AttributeError(name)
        if (self._type, name) in self._link.methods:
            return BoundMethod(self, name)
        value = self._link.apply("getattr", (self, name), doing=f"{self._type}.{name}")
        if isinstance(value, Remote) and value._callable:
            value._name = f"{self._type}.{name}"
            if value._type in ("method", "builtin_function_or_method"):
                self._link.methods.add((self._type, name))
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Remote.__slots__:
            object.__setattr__(self, name, value)
        else:
            self._apply("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._apply("delattr", self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object in the learner's process."""
        return self._link_call("call", (self, *args), kwargs, self._name or self._type, args)

    def _link_call(
        self, operation: str, sent: Sequence[Any], kwargs: Mapping[str, Any], name: str, args: Sequence[Any]
    ) -> Any:
        calls = self._link.calls
        calls.add(name, args, kwargs)
        result = self._link.apply(operation, sent, kwargs, doing=calls.last)
        calls.returned(result)
        return result

    def __len__(self) -> int:
        return int(self._apply("len", self))

    def __getitem__(self, key: Any) -> Any:
        return self._apply("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._apply("setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._apply("delitem", self, key)

    def __contains__(self, item: Any) -> bool:
        return self._apply("contains", self, item) is True

    def __iter__(self) -> Iterator[Any]:
        return iter(self._apply("iterate", self))

    def __float__(self) -> float:
        return float(self._apply("float", self))

    def __int__(self) -> int:
        return int(self._apply("int", self))

    def __str__(self) -> str:
        return str(self._apply("str", self))

    def _plain(self) -> Any:
        """The plain container in an object that extends one; the handle itself for any other object."""
        return self._link.apply("plain", (self,))

    def _not_plain(self) -> CheckFailed:
        return CheckFailed(
            _("Your code returned an object of class {kind} where a plain value was expected").format(
                kind=self._type
            )
        )

    def __bool__(self) -> bool:
        raise self._not_plain()

    def __eq__(self, other: object) -> bool:
        raise self._not_plain()

    def __ne__(self, other: object) -> bool:
        raise self._not_plain()

    def __lt__(self, other: object) -> bool:
        raise self._not_plain()

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> int:
        return hash((id(self._link), self._id))


class BoundMethod:
    """A method that is called in one round trip."""

    def __init__(self, target: Remote, name: str) -> None:
        self._target = target
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method in the learner's process."""
        target, name = self._target, self._name
        return target._link_call("callattr", (target, name, *args), kwargs, f"{target._type}.{name}", args)


def _install_operators() -> None:
    symbols = {
        "add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/", "floordiv": "//", "mod": "%",
        "pow": "**", "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
    }  # fmt: skip
    for name, symbol in symbols.items():
        operation = f"{name}_" if name in ("and", "or") else name

        def forward(self: Remote, other: Any, operation: str = operation, symbol: str = symbol) -> Any:
            return self._apply(operation, self, other, doing=symbol)

        def backward(self: Remote, other: Any, operation: str = operation, symbol: str = symbol) -> Any:
            return self._apply(operation, other, self, doing=symbol)

        setattr(Remote, f"__{name}__", forward)
        setattr(Remote, f"__r{name}__", backward)
    for name, symbol in {"neg": "-", "pos": "+", "abs": "abs", "invert": "~"}.items():

        def unary(self: Remote, operation: str = name, symbol: str = symbol) -> Any:
            return self._apply(operation, self, doing=symbol)

        setattr(Remote, f"__{name}__", unary)


_install_operators()
