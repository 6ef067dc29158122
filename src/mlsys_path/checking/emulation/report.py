"""What an emulated run reports: records of launches, accesses and operations. They come from the program's own process.

The numbers explain and count; whether the results are right is decided by what the program prints. Whatever is not as it
should be in the document is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mlsys_path.checking.emulation.traffic import AsyncCopies, KernelTotals, Place, Site
from mlsys_path.checking.failures import CheckFailed
from mlsys_path.language import _

MAX_BYTES = 16 << 20
_MAX_NUMBER = 1 << 62
Index = tuple[int, int, int]


class BadReport(ValueError):
    """The document is not one of the runtime's."""


@dataclass(frozen=True)
class Launch:
    """One kernel launch, in the order of the program."""

    kernel: str
    grid: Index
    block: Index
    shared_bytes: int  # dynamic: the third number of <<<…>>>
    stream: int  # 0 for the default one, then in the order of their creation
    operation: int


@dataclass(frozen=True)
class Operation:
    """Something that the host has put into a stream: a kernel, a copy, a memset, a function of the host."""

    number: int
    kind: str  # "kernel", "copy", "set", "host"
    name: str  # the kernel; "host to device" and so on
    stream: int
    bytes: int
    line: int
    tick: int
    clock: tuple[int, ...]


class Launches(dict[str, list[Launch]]):
    """Launches by kernel; asking for one that was never launched fails the check."""

    def __missing__(self, name: str) -> list[Launch]:
        raise CheckFailed(_("the kernel `{name}` was never launched").format(name=name))


@dataclass(frozen=True)
class Report:
    """What one run did on the emulated device."""

    launches: Launches = field(default_factory=Launches)
    kernels: dict[str, KernelTotals] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    notes: tuple[dict[str, Any], ...] = ()
    error: dict[str, Any] | None = None

    def kernel(self, name: str) -> KernelTotals:
        """The totals of a kernel; the check fails when it was never launched."""
        if name not in self.kernels:
            raise CheckFailed(_("the kernel `{name}` was never launched").format(name=name))
        return self.kernels[name]

    def ordered(self, first: Operation, second: Operation) -> bool:
        """Whether `second` cannot begin before `first` has ended: by their streams, events, or the host's waiting."""
        return first.stream < len(second.clock) and second.clock[first.stream] >= first.tick

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """Notes of a kind, such as "pageable-copy"."""
        return [n for n in self.notes if n["kind"] == kind]


def read_report(data: bytes, place: Place) -> Report:
    """The report of a run.

    Raises BadReport.
    """
    if len(data) > MAX_BYTES:
        raise BadReport("too long")
    try:
        document = json.loads(data)
        launches = Launches()
        for item in _list(document, "launches", 20_000):
            launch = Launch(
                _text(item, "kernel"), _index(item, "grid"), _index(item, "block"), _number(item, "shared"),
                _number(item, "stream"), _number(item, "operation"),
            )  # fmt: skip
            launches.setdefault(launch.kernel, []).append(launch)
        kernels = {k.name: k for k in (_kernel(item, place) for item in _list(document, "kernels", 1000))}
        operations = tuple(_operation(item) for item in _list(document, "operations", 4000))
        notes = tuple(_flat(item) for item in _list(document, "notes", 200))
        error = None if document["error"] is None else _flat(document["error"])
        return Report(launches, kernels, operations, notes, error)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadReport(str(problem)) from problem


def _list(document: Any, key: str, most: int) -> Iterable[Any]:
    value = document[key]
    if not isinstance(value, list) or len(value) > most:
        raise BadReport(key)
    return value


def _number(item: Any, key: str) -> int:
    value = item[key]
    if type(value) is not int or not -_MAX_NUMBER < value < _MAX_NUMBER:
        raise BadReport(key)
    return value


def _text(item: Any, key: str) -> str:
    value = item[key]
    if not isinstance(value, str) or len(value) > 1000:
        raise BadReport(key)
    return value


def _index(item: Any, key: str) -> Index:
    x, y, z = item[key]
    if not all(type(v) is int and 0 <= v < 1 << 32 for v in (x, y, z)):
        raise BadReport(key)
    return x, y, z


def _kernel(item: Any, place: Place) -> KernelTotals:
    sites = tuple(
        Site(
            _number(s, "pc"), _text(s, "access"), _text(s, "space"), _number(s, "size"), _number(s, "requests"),
            _number(s, "lanes"), _number(s, "bytes"), _number(s, "used"),
            _number(s, "wavefronts" if s["space"] == "shared" else "sectors"), _number(s, "least"), _number(s, "ways"),
        )
        for s in _list(item, "sites", 100_000)
    )  # fmt: skip
    names = ("launches", "blocks", "threads", "barriers", "warp_calls", "static_shared")
    launches, blocks, threads, barriers, warp_calls, shared = (_number(item, name) for name in names)
    reads = sum(s.lanes for s in sites if s.space == "shared" and s.access == "read")
    copies = AsyncCopies(
        _number(item, "async_copies"),
        _number(item, "async_bytes"),
        _number(item, "under_way") / reads * threads / blocks if reads and blocks else 0.0,
    )
    return KernelTotals(
        _text(item, "name"), launches, blocks, threads, barriers, warp_calls, shared, sites, place, copies
    )


def _operation(item: Any) -> Operation:
    clock = item["clock"]
    if not isinstance(clock, list) or not all(type(tick) is int for tick in clock):
        raise BadReport("clock")
    at = item.get("at")
    line = at[1] if isinstance(at, list) and len(at) == 2 and type(at[1]) is int else 0
    return Operation(
        _number(item, "number"), _text(item, "work"), _text(item, "name"), _number(item, "stream"),
        _number(item, "bytes"), line, _number(item, "tick"), tuple(clock),
    )  # fmt: skip


def _flat(item: Any, depth: int = 0) -> dict[str, Any]:
    """An object of plain values, and of such objects: an error, a note."""
    if not isinstance(item, dict) or depth > 2 or len(item) > 40 or ("kind" not in item and depth == 0):
        raise BadReport("object")
    out: dict[str, Any] = {}
    for key, value in item.items():
        if isinstance(value, dict):
            out[key] = _flat(value, depth + 1)
        elif isinstance(value, list):
            if len(value) > 3 or not all(
                type(v) is int or (isinstance(v, str) and len(v) < 1000) for v in value
            ):
                raise BadReport(key)
            out[key] = tuple(value)
        elif value is None or type(value) in (int, bool) or (isinstance(value, str) and len(value) < 4000):
            out[key] = value
        else:
            raise BadReport(key)
    return out
