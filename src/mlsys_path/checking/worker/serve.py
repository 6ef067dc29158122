"""A job that serves the learner's Python code: it loads their modules and applies operations to their objects.

The learner's code shares this process and may read or patch all of it: a forged answer is merely an answer.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import linecache
import operator
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

import watching
from wire import Channel, ChannelClosed, Decoder, Encoder, ProtocolError, plain

MAX_ITERATION = 1_000_000
MAX_MESSAGE = 4000
MAX_FRAMES = 12

received: list[
    int
] = []  # descriptors that came with the request in hand, for the operation that knows of them


def _iterate(value: Any) -> list[Any]:
    items = list(itertools.islice(value, MAX_ITERATION + 1))
    if len(items) > MAX_ITERATION:
        raise ValueError(f"an iterator gave more than {MAX_ITERATION} values")
    return items


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


_BINARY = [
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
    "getitem",
    "delitem",
    "setitem",
    "contains",
    "neg",
    "pos",
    "abs",
    "invert",
]
OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in _BINARY},
    **{
        name: getattr(builtins, name)
        for name in ["getattr", "setattr", "delattr", "len", "bool", "int", "float", "str", "repr", "hash"]
    },
    "call": _call,
    "callattr": lambda target, name, *args, **kwargs: getattr(target, name)(*args, **kwargs),
    "iterate": _iterate,
    "plain": plain,
    "import": importlib.import_module,
}


class Server:
    """Holds the objects that the checker has handles of."""

    def __init__(
        self, channel: Channel, work: str, device: str | None, watch: watching.Watch | None = None
    ) -> None:
        self.channel = channel
        self.work = work
        self.device = device
        self.watch = watch or watching.Watch()
        # bound before the learner's code is loaded, which may replace what the classes hold
        self.settle, self.worst = self.watch.settle, self.watch.worst
        self.objects: dict[int, object] = {}
        self.numbers = itertools.count(1)
        # the objects' own names for these may be patched by the code that is served
        self.operations = dict(OPERATIONS)

    def run(self) -> None:
        """Answer until the checker closes the channel."""
        answer = self.answer
        while True:
            try:
                request, blob, received[:] = self.channel.receive()
            except ChannelClosed:
                return
            if not answer(request, blob):
                return

    def answer(self, request: dict[str, Any], blob: bytes) -> bool:
        """Apply one request and send its result or its exception; False when this process can do no more."""
        for number in request.get("release", ()):
            self.objects.pop(number, None)
        reply: dict[str, Any] = {"id": request["id"]}
        out = b""
        self.watch.begin()
        try:
            args, kwargs = self.arguments(request, blob)
            value = self.operation(request["op"])(*args, **kwargs)
            self.settle(request["op"], args)
            encoder = Encoder(self.remote, strided=False)
            reply["value"] = encoder.encode(value)
            out = encoder.blob()
        except ProtocolError as error:
            reply["error"] = {
                "type": "ValueError",
                "mro": ["ValueError"],
                "message": str(error),
                "frames": [],
            }
        except BaseException as error:
            reply["error"] = describe(self.worst(error), self.work)
            # after an error on the device each later call would be told of it again
            reply["last"] = self.device is not None and "CUDA error" in reply["error"]["message"]
        flush()
        self.channel.send(reply, out)
        return not reply.get("last", False)

    def arguments(self, request: dict[str, Any], blob: bytes) -> tuple[list[Any], dict[str, Any]]:
        """What the checker sends with a request; each tensor in the place that the watch or the device gives it."""
        place = self.watch.sent if self.watch.bands else self.move if self.device else None
        decode = Decoder(blob, lambda document: self.objects[document["id"]], place).decode
        args = []
        for number, document in enumerate(request["args"]):
            self.watch.receiving(number)
            args.append(decode(document))
        kwargs = {}
        for name, document in request.get("kwargs", {}).items():
            self.watch.receiving(name)
            kwargs[name] = decode(document)
        return args, kwargs

    def move(self, tensor: Any) -> Any:
        """A tensor on the device that the learner's code works on."""
        return tensor.to(self.device)

    def operation(self, name: str) -> Callable[..., Any]:
        """The function behind an operation; those of a language are imported when first asked for."""
        if name not in self.operations:
            module, _, function = name.partition(":")
            self.operations[name] = getattr(importlib.import_module(module), function)
        return self.operations[name]

    def remote(self, value: object) -> dict[str, Any]:
        """A handle for an object that is not plain data."""
        number = next(self.numbers)
        self.objects[number] = value
        return {"$": "remote", "id": number, "type": type(value).__name__, "callable": callable(value)}


def flush() -> None:
    """Push out what the learner printed, so that it is shown with the check that printed it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112  (a replaced stream may raise anything)
            continue


def describe(error: BaseException, work: str) -> dict[str, Any]:
    """An exception as data: its classes, its message and the frames that lie in the learner's files."""
    launched: list[dict[str, Any]] = []
    # Triton's interpreter makes a text of what a kernel raised: what was raised says more
    while type(error).__name__ == "InterpreterError" and error.__cause__ is not None:
        launched += own_frames(error.__traceback__, work)
        error = error.__cause__
    root = error
    frames = own_frames(error.__traceback__, work)
    while True:
        # the learner's frame is where the trouble began: frameworks wrap exceptions in their own
        inner = root.__cause__ or (None if root.__suppress_context__ else root.__context__)
        if inner is None or inner is root:
            break
        root = inner
        frames = own_frames(root.__traceback__, work) or frames
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    classes = [cls.__name__ for cls in type(error).__mro__]
    frames = [*launched, *frames][-MAX_FRAMES:]
    document: dict[str, Any] = {
        "type": classes[0],
        "mro": classes,
        "message": message[:MAX_MESSAGE],
        "frames": frames,
    }
    if isinstance(details := getattr(error, "details", None), dict):
        # what the checker puts into words, in the learner's language
        document["details"] = {str(k): v for k, v in details.items() if _is_plain(v)}
    return document


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int)) or (
        isinstance(value, list) and all(isinstance(item, int) for item in value)
    )


def own_frames(tb: TracebackType | None, work: str) -> list[dict[str, Any]]:
    """The frames of a traceback that lie in the learner's files, innermost last."""
    frames = []
    while tb is not None:
        code = tb.tb_frame.f_code
        if code.co_filename.startswith(work + "/"):
            name = code.co_filename[len(work) + 1 :]
            text = linecache.getline(code.co_filename, tb.tb_lineno).strip()
            frames.append({"file": name, "line": tb.tb_lineno, "function": code.co_name, "text": text})
        tb = tb.tb_next
    return frames[-MAX_FRAMES:]


def serve(descriptor: int, request: dict[str, Any]) -> None:
    """Serve the learner's modules over an open socket until it closes."""
    work = os.getcwd()
    sys.path.insert(0, work)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    channel = Channel(socket.socket(fileno=descriptor))
    watch = watching.start(os.environ.get("MLSYS_PATH_LEVEL", ""))
    server = Server(channel, work, request.get("device"), watch)
    server.run()
