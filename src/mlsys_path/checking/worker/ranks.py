"""Several processes that run one function of a harness module, as ranks of a process group."""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
from typing import Any

from serve import describe, flush
from wire import Channel, ChannelClosed, Decoder, Encoder, ProtocolError


class RankError(Exception):
    """A rank ended without a result."""


def _refuse(_value: object) -> Any:
    raise ProtocolError("a rank returned an object that is not plain data")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(n: int, module: str, function: str, rows: list[list[Any]]) -> list[Any]:
    """The results of `function(rank, *rows[rank])` in `n` forked processes, by rank.

    The first failing rank's exception is raised again here, with its message and its frames.
    """
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(_free_port()), WORLD_SIZE=str(n))
    target = getattr(importlib.import_module(module), function)
    channels: dict[Channel, int] = {}
    children: list[int] = []
    try:
        for rank in range(n):
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                ours.close()
                for other in channels:
                    other.close()
                _child(rank, target, rows[rank], Channel(theirs))
            children.append(pid)
            theirs.close()
            channels[Channel(ours)] = rank
        return _collect(n, channels)
    finally:
        # when one rank has failed, the others would wait for it until their own time-out
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _collect(n: int, channels: dict[Channel, int]) -> list[Any]:
    results: list[Any] = [None] * n
    while channels:
        for channel in select.select(list(channels), [], [])[0]:
            rank = channels.pop(channel)
            try:
                reply, blob, _ = channel.receive()
            except ChannelClosed:
                raise RankError(f"rank {rank} ended without a result") from None
            if "error" in reply:
                raise_again(rank, reply["error"])
            results[rank] = Decoder(blob, _refuse).decode(reply["value"])
            channel.close()
    return results


def raise_again(rank: int, error: dict[str, Any]) -> None:
    """Raise an exception of the rank's kind, so that it is shown as the learner's own."""
    kind = type(error["type"], (RankError,), {})
    frames = "\n".join(
        f"  {f['file']}:{f['line']} in {f['function']}\n    {f['text']}" for f in error["frames"]
    )
    raise kind(f"rank {rank}: {error['message']}" + (f"\n{frames}" if frames else ""))


def _child(rank: int, target: Any, args: list[Any], channel: Channel) -> None:
    if "torch" in sys.modules:
        # the worker's pool of threads did not survive the fork: a parallel operation would wait for it for ever
        sys.modules["torch"].set_num_threads(1)
    os.environ["RANK"] = os.environ["LOCAL_RANK"] = str(rank)
    code = 1
    try:
        encoder = Encoder(_refuse, strided=False)
        document = {"value": encoder.encode(target(rank, *args))}
        flush()
        channel.send(document, encoder.blob())
        code = 0
    except BaseException as error:
        try:
            flush()
            channel.send({"error": describe(error, os.environ["MLSYS_PATH_WORK"])})
        except Exception:  # noqa: S110
            pass
    finally:
        sys.stdout.flush()
        os._exit(code)
