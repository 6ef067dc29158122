"""`measure.program`: a CUDA C++ harness that calls the learner's kernel on command, timed as `measure.kernel` times.

The harness owns `main` and calls `timing::serve` of timing.cuh. Inputs are drawn on the device from a seed that comes
with the request for the call, and here again for the reference.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.failures import CheckFailed, Disturbed, TimingRefused
from mlsys_path.checking.timing import judging, roofline
from mlsys_path.checking.timing.ceilings import Ceilings, ceilings_of
from mlsys_path.checking.timing.comparing import demand_close
from mlsys_path.checking.timing.judging import Seen, quantile
from mlsys_path.checking.timing.kernel import (
    QUIET,
    REMEMBERED,
    WARM_UPS,
    Timing,
    debug,
    demand_bar,
    own_clock,
    undisturbed,
    verdict,
)
from mlsys_path.checking.worker.wire import ProtocolError
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.bench import Bench
    from mlsys_path.checking.execution import Session
    from mlsys_path.checking.native import Program

PEEKED = 64  # bytes that are asked for at once when a call is done
PIECE = 16 << 20
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STREAM = 0xD1B54A32D192ED03
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Array:
    """An argument of the harness's call: its dtype and number of elements; random numbers from low to below high."""

    dtype: str
    count: int
    low: float = -1.0
    high: float = 1.0

    @classmethod
    def of(cls, value: Any) -> Array:
        """From what a check writes: ("float32", n) or ("int32", n, 0, 256)."""
        return value if isinstance(value, cls) else cls(*value)

    @property
    def line(self) -> str:
        """As timing.cuh reads it."""
        return f"{self.dtype} {self.count} {self.low!r} {self.high!r}"


@dataclass(frozen=True)
class ProgramTask:
    """All that a check asks for."""

    name: str
    inputs: Sequence[Array]
    outputs: Sequence[Array]
    reference: Callable[..., Any]
    baseline: Any
    moved: float
    flops: float
    dtype: str
    at_least: float | None
    star: float | None
    rtol: float | None
    atol: float | None
    repeats: int


def signed(number: int) -> int:
    """The signed 64-bit integer of the same bits."""
    number &= _MASK
    return number - (1 << 64) if number >> 63 else number


def numbers(seed: int, count: int, device: str) -> Any:
    """The upper halves of splitmix64 over a counter, as timing.cuh computes them; int64 from 0 to 2**32 - 1."""
    import torch

    z = torch.arange(1, count + 1, dtype=torch.int64, device=device)
    z.mul_(signed(_GOLDEN)).add_(signed(seed))
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        z.bitwise_xor_((z >> shift) & ((1 << (64 - shift)) - 1)).mul_(signed(factor))
    z.bitwise_xor_((z >> 31) & ((1 << 33) - 1))
    return (z >> 32) & 0xFFFFFFFF


def draw(array: Array, seed: int, device: str) -> Any:
    """The tensor that the harness has in its memory."""
    import torch

    dtype = getattr(torch, array.dtype)
    drawn = numbers(seed, array.count, device)
    if not dtype.is_floating_point:
        return (int(array.low) + drawn % max(1, int(array.high) - int(array.low))).to(dtype)
    value = (drawn >> 8).to(torch.float64) * 2.0**-24 * (array.high - array.low) + array.low
    # by way of float32, as the harness does
    return value if dtype is torch.float64 else value.to(torch.float32).to(dtype)


def seeds(seed: int, count: int) -> list[int]:
    """Those of each input."""
    return [(seed + (i + 1) * _STREAM) & _MASK for i in range(count)]


@dataclass
class ProgramTiming:
    """One measurement."""

    bench: Bench
    level: Level
    task: ProgramTask
    earlier: list[list[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = "cuda" if self.bench.on_gpu(self.level) else "cpu"
        self.clock = self.bench.shared("clock", lambda: own_clock(self.device))
        self.ceilings: Ceilings = self.bench.shared("ceilings", lambda: ceilings_of(self.clock))

    def run(self, program: Program, args: Sequence[Any]) -> Timing:
        """Everything, up to the verdict on the time; emits the measurement."""
        return undisturbed(self.bench, lambda: self._once(program, args))

    def _once(self, program: Program, args: Sequence[Any]) -> Timing:
        began, own = time.monotonic(), 0.0
        baseline = self._baseline()
        alone = [self._time(baseline) for _n in range(QUIET)]
        self.bench.extend(time.monotonic() - began)
        with program.start(*args) as session:
            self._begin(session)
            # all before the learner's function was first called: what it starts could slow later ones, and widen what is usual
            quiet = [self._call(session, quiet=True)[0] for _n in range(QUIET + 2)][2:]
            seen: list[Seen] = []
            others: list[float] = []
            for turn in range(-WARM_UPS, self.task.repeats):
                turn_began = time.monotonic()
                if turn >= 0 and turn % 2:
                    others.append(self._time(baseline))
                one, own = self._call(session)
                if turn >= 0 and not turn % 2:
                    others.append(self._time(baseline))
                if turn >= 0:
                    seen.append(one)
                self.bench.extend(time.monotonic() - turn_began - own)
        self._believe(seen, quiet, others, alone)
        return self._tell(seen, others)

    # -- the parts

    def _begin(self, session: Session) -> None:
        facts = self.clock.facts
        said = _line(session.ask(f"flush {facts['flush']} {facts['times']}\n".encode())[0])
        own = str(facts["uuid"]).replace("-", "").lower()
        if self.device == "cuda" and own and said.lower() != own:
            raise TimingRefused(_("the learner's process sees another GPU than the checker"))
        for word, arrays in (("input", self.task.inputs), ("output", self.task.outputs)):
            for array in arrays:
                if _line(session.ask(f"{word} {array.line}\n".encode())[0]) != "ok":
                    raise ProtocolError("the harness does not speak the protocol of timing.cuh")

    def _call(self, session: Session, *, quiet: bool = False) -> tuple[Seen, float]:
        task = self.task
        seed = random.SystemRandom().getrandbits(62)
        in_order = random.random() < 0.5
        values = [
            draw(a, s, self.device) for a, s in zip(task.inputs, seeds(seed, len(task.inputs)), strict=True)
        ]
        expected = [] if quiet else [t.contiguous() for t in _list(task.reference(*values))]
        del values
        # what is still drawn or summed here would run beside the call, whose clock is around both
        self.clock.idle()
        first = task.outputs[0]
        size = first.count * _size(first.dtype)
        count = min(PEEKED, size)
        offset = random.randrange(size - count + 1)
        session.ask(b"heat\n")
        told, wall = session.ask(f"go {seed} {int(in_order)} {int(quiet)}\n".encode())
        peeked, more = session.ask(f"peek 0 {offset} {count}\n".encode(), read=count) if count else (b"", 0.0)
        seen = _seen(_line(told), wall + more)
        if not quiet:
            got = [self._fetch(session, i, e) for i, e in enumerate(expected)]
            import torch

            octets = got[0].reshape(-1).view(torch.uint8)[offset : offset + count]
            if bytes(octets.cpu().tolist()) != peeked:
                raise TimingRefused(_("the result changed after the call was over"))
            demand_close(got, expected, self.earlier, rtol=task.rtol, atol=task.atol)
            self.earlier = [*self.earlier, expected][-REMEMBERED:]
        return seen, wall + more

    def _fetch(self, session: Session, number: int, expected: Any) -> Any:
        import torch

        array = self.task.outputs[number]
        size = array.count * _size(array.dtype)
        pieces = []
        for offset in range(0, size, PIECE):
            count = min(PIECE, size - offset)
            data, _seconds = session.ask(f"fetch {number} {offset} {count}\n".encode(), read=count)
            if len(data) != count:
                raise ProtocolError("the harness answered with more than it was asked for")
            pieces.append(torch.frombuffer(bytearray(data), dtype=torch.uint8).to(self.device))
        octets = torch.cat(pieces) if pieces else torch.empty(0, dtype=torch.uint8, device=self.device)
        if array.count != expected.numel() or array.dtype != str(expected.dtype).removeprefix("torch."):
            raise TypeError(
                f"the reference gives {expected.dtype}{tuple(expected.shape)}, `outputs` says {array.line}"
            )
        return octets.view(expected.dtype).reshape(expected.shape)

    def _baseline(self) -> Callable[[], Callable[[], Any]]:
        import torch

        task = self.task
        if task.baseline == "copy":
            source = torch.ones(max(1, int(task.moved) // 2), dtype=torch.uint8, device=self.device)
            target = torch.empty_like(source)
            return lambda: lambda: target.copy_(source)
        what = task.reference if task.baseline == "torch" else task.baseline

        def prepared() -> Callable[[], Any]:
            seed = random.SystemRandom().getrandbits(62)
            values = [
                draw(a, s, self.device)
                for a, s in zip(task.inputs, seeds(seed, len(task.inputs)), strict=True)
            ]
            return lambda: what(*values)

        return prepared

    def _time(self, baseline: Callable[[], Callable[[], Any]]) -> float:
        call = baseline()
        self.clock.heat()
        return float(self.clock.timed(call, lambda _result: None, False).seconds)

    def _believe(
        self, seen: Sequence[Seen], quiet: Sequence[Seen], others: Sequence[float], alone: Sequence[float]
    ) -> None:
        peak = self.ceilings.peak(self.task.dtype)
        floor = judging.floor_seconds(self.task.moved, self.task.flops, self.ceilings.bandwidth, peak)
        slack = judging.SLACK[self.device]
        debug(self.task.name, seen, quiet, floor)
        if why := judging.refusal(seen, quiet, floor, slack):
            raise TimingRefused(f"{self.task.name}: {why}")
        if why := judging.disturbance(seen, quiet, slack) or judging.company(others, alone, slack):
            raise Disturbed(f"{self.task.name}: {why}")

    def _tell(self, seen: Sequence[Seen], others: Sequence[float]) -> Timing:
        task = self.task
        mine, theirs = quantile([s.seconds for s in seen], 0.5), quantile(others, 0.5)
        pairs = [o / s.seconds for o, s in zip(others, seen, strict=True)]
        where = roofline.place(
            mine,
            moved=task.moved,
            flops=task.flops,
            bandwidth=self.ceilings.bandwidth,
            peak=self.ceilings.peak(task.dtype),
            dtype=task.dtype,
            device=self.ceilings.device,
        )
        self.bench.emit(verdict(task, mine, theirs, pairs, where))
        demand_bar(task.name, theirs / mine, pairs, task.at_least)
        return Timing(mine, theirs, theirs / mine, 0, 0, where)


def _size(dtype: str) -> int:
    import torch

    return int(getattr(torch, dtype).itemsize)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _line(answer: bytes) -> str:
    return answer.decode("latin-1").strip()


def _seen(line: str, wall: float) -> Seen:
    try:
        seconds, flush, tail = map(float, line.split())
    except ValueError:
        raise CheckFailed(
            _("the program answered {line!r} instead of a time: does your code print?").format(line=line[:80])
        ) from None
    if not all(math.isfinite(n) and n >= 0 for n in (seconds, flush, tail)):
        raise ProtocolError("the report of a timed call is malformed")
    return Seen(seconds, wall, flush, tail)
