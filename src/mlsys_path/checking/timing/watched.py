"""The checker's end of `worker/timed_calls.py`: masked inputs out, calls on command, results back."""

from __future__ import annotations

import math
import mmap
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsys_path.checking.failures import CheckFailed, TimingRefused
from mlsys_path.checking.remote import Link, Remote
from mlsys_path.checking.timing.judging import Seen
from mlsys_path.checking.worker.wire import ProtocolError
from mlsys_path.language import _

WINDOW = 64 << 20  # bytes shared with the worker, through which tensors pass in pieces
PEEKED = 8  # values that are asked for at once when a call is done
_WORD = 8


class Window:
    """Memory that is shared with a worker."""

    def __init__(self, size: int = WINDOW) -> None:
        import torch

        self.size = size
        self.descriptor = os.memfd_create("timing")
        os.ftruncate(self.descriptor, size)
        self._memory = mmap.mmap(self.descriptor, size)
        self.octets = torch.frombuffer(self._memory, dtype=torch.uint8)

    def close(self) -> None:
        """Give the memory back once nothing refers to it."""
        os.close(self.descriptor)


@dataclass
class Inputs:
    """The arguments of one call: the values, and how a worker gets them."""

    values: tuple[Any, ...]
    specs: list[dict[str, Any]] = field(default_factory=list)
    plain: list[Any] = field(default_factory=list)  # of the arguments those that are no tensors
    octets: list[Any] = field(
        default_factory=list
    )  # of each tensor, padded to whole words, before they are masked


@dataclass(frozen=True)
class Call:
    """One timed call: what was seen of it, and its results."""

    seen: Seen
    outputs: list[Any]
    peak: int


def prepare(values: Sequence[Any], device: str) -> Inputs:
    """The arguments of a call, as bytes on their way."""
    import torch

    inputs = Inputs(tuple(v.to(device) if isinstance(v, torch.Tensor) else v for v in values))
    for value in inputs.values:
        if not isinstance(value, torch.Tensor):
            inputs.specs.append({})
            inputs.plain.append(value)
            continue
        bare = value.detach()
        span = (
            1 + sum((n - 1) * s for n, s in zip(bare.shape, bare.stride(), strict=True))
            if bare.numel()
            else 0
        )
        flat = bare.as_strided((span,), (1,), bare.storage_offset()).clone().view(torch.uint8)
        padded = torch.zeros(-(-flat.numel() // _WORD) * _WORD, dtype=torch.uint8, device=device)
        padded[: flat.numel()] = flat
        inputs.octets.append(padded)
        inputs.specs.append(
            {
                "padded": padded.numel(),
                "bytes": flat.numel(),
                "dtype": _name(value.dtype),
                "shape": list(value.shape),
                "strides": list(value.stride()),
                "grad": value.requires_grad,
            }
        )
    return inputs


class Watched:
    """A function in a worker, called on command."""

    def __init__(self, link: Link, device: str, window: Window) -> None:
        self.device = device
        self.window = window
        self._link = link
        self._handle = link.apply(
            "timed_calls:open_watch", (device, window.size), doing=_("the timing"), fds=(window.descriptor,)
        )

    def _do(self, action: str, *args: Any, doing: str = "") -> Any:
        return self._link.apply("call", (self._handle, action, *args), doing=doing or _("the timing"))

    def facts(self) -> Mapping[str, Any]:
        """What the worker's device says of itself."""
        found: Mapping[str, Any] = self._do("facts")
        return found

    def begin(
        self,
        function: Remote | None,
        kwargs: Mapping[str, Any],
        inputs: Inputs,
        results: Sequence[Any],
        inplace: Sequence[int],
    ) -> None:
        """Say what will be called; None stands for a call that only allocates its results."""
        blanks = [[list(r.shape), _name(r.dtype)] for r in results]
        inplace = [] if function is None else list(inplace)
        patched = self._do("begin", function, dict(kwargs), inputs.specs, blanks, inplace)
        if patched:
            raise TimingRefused(
                _("your code replaced {names}: leave clocks and torch as they are").format(
                    names=", ".join(patched)
                )
            )

    def call(self, inputs: Inputs, results: Sequence[Any], doing: str) -> Call:
        """One call: inputs staged under a mask, then everything else within two requests that are timed here."""
        import torch

        seeds = [random.SystemRandom().getrandbits(62) for _ in inputs.octets]
        pads = [512 * random.randrange(1, 2048) for _ in inputs.octets]
        for number, (octets, seed) in enumerate(zip(inputs.octets, seeds, strict=True)):
            self._stage(number, octets, seed)
        sizes = [math.prod(r.shape) for r in results]
        first = next((i for i, n in enumerate(sizes) if n), None)
        in_order = random.random() < 0.5
        positions = [random.randrange(sizes[first]) for _ in range(PEEKED)] if first is not None else []
        self._do("heat")
        began = time.perf_counter()
        told = self._do("go", seeds, pads, inputs.plain, in_order, doing=doing)
        peeked = None
        if isinstance(told, dict) and first is not None and _usable(told, first, results):
            peeked = self._do("peek", first, positions, doing=doing)
        wall = time.perf_counter() - began
        seen, peak = _seen(told, wall)
        outputs = _described(told, results)
        if seen.notes or seen.patched:
            return Call(seen, [], peak)
        demand_shape(outputs, results)
        fetched = [self._fetch(i, result) for i, result in enumerate(results)]
        if first is not None:
            again = fetched[first].reshape(-1)[torch.tensor(positions, device=self.device)].view(torch.uint8)
            if peeked != again.cpu().tolist():
                raise TimingRefused(_("the result changed after the call was over"))
        return Call(seen, fetched, peak)

    def leaves_work(self, inputs: Inputs) -> bool:
        """Whether a recording of the call has work in a stream that the call's own never waits for.

        The process is of no more use afterwards: a recording that failed leaves its device in the middle of it.
        """
        if self.device != "cuda":
            return False
        seeds = [random.SystemRandom().getrandbits(62) for _ in inputs.octets]
        return self._do("leaves_work", seeds, [0 for _ in seeds], inputs.plain) is True

    def _stage(self, number: int, octets: Any, seed: int) -> None:
        import torch

        if not octets.numel():
            return
        noise = torch.empty(octets.numel() // _WORD, dtype=torch.int64, device=self.device)
        generator = torch.Generator(device=self.device)
        generator.manual_seed(seed)
        noise.random_(-(1 << 63), None, generator=generator)
        masked = noise.bitwise_xor_(octets.view(torch.int64)).view(torch.uint8)
        for offset in range(0, masked.numel(), self.window.size):
            piece = masked[offset : offset + self.window.size]
            self.window.octets[: piece.numel()].copy_(piece)
            self._do("stage", number, offset, piece.numel())

    def _fetch(self, number: int, result: Any) -> Any:
        import torch

        octets = torch.empty(
            math.prod(result.shape) * result.element_size(), dtype=torch.uint8, device=self.device
        )
        for offset in range(0, octets.numel(), self.window.size):
            count = min(self.window.size, octets.numel() - offset)
            self._do("fetch", number, offset, count)
            octets[offset : offset + count].copy_(self.window.octets[:count])
        return octets.view(result.dtype).reshape(result.shape)


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _seen(told: Any, wall: float) -> tuple[Seen, int]:
    try:
        numbers = {name: float(told[name]) for name in ("seconds", "flush", "tail")}
        notes, patched = (tuple(str(n)[:60] for n in told[name][:20]) for name in ("notes", "patched"))
        peak = int(told["peak"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProtocolError("the report of a timed call is malformed") from error
    if not all(math.isfinite(n) and n >= 0 for n in numbers.values()):
        raise ProtocolError("the report of a timed call is malformed")
    return Seen(wall=wall, notes=notes, patched=patched, **numbers), peak


def _usable(told: Mapping[str, Any], first: int, results: Sequence[Any]) -> bool:
    try:
        facts, result = told["outputs"][first], results[first]
        kind = facts["layout"], facts["device"], facts["dtype"], math.prod(facts["shape"])
        return kind == (True, result.device.type, _name(result.dtype), result.numel())
    except (KeyError, TypeError, IndexError, AttributeError):
        return False


def _described(told: Any, results: Sequence[Any]) -> list[Mapping[str, Any]]:
    outputs = told.get("outputs") if isinstance(told, dict) else None
    if not isinstance(outputs, list) or not all(isinstance(o, dict) for o in outputs):
        raise ProtocolError("the report of a timed call is malformed")
    return outputs


def demand_shape(outputs: Sequence[Mapping[str, Any]], results: Sequence[Any]) -> None:
    """Each result must be a plain tensor of the device, of its own memory and of the expected kind."""
    if len(outputs) != len(results):
        raise CheckFailed(
            _("the call returned {n} tensors, expected {m}").format(n=len(outputs), m=len(results))
        )
    for facts, result in zip(outputs, results, strict=True):
        if facts.get("tensor") is not True:
            raise TimingRefused(
                _("the call returned a {kind}: return a plain torch.Tensor, whose values are there").format(
                    kind=str(facts.get("type"))[:80]
                )
            )
        wanted = {
            "device": result.device.type,
            "dtype": _name(result.dtype),
            "shape": list(result.shape),
            "layout": True,
        }
        for key, value in wanted.items():
            if facts.get(key) != value:
                raise CheckFailed(
                    _("the call returned a tensor whose {what} is {got}, expected {expected}").format(
                        what=key, got=str(facts.get(key))[:80], expected=value
                    )
                )
        strides = facts.get("strides")
        if not _same_order(strides, result) and not _same_order(strides, result.contiguous()):
            raise CheckFailed(
                _("the call returned a tensor with strides {got}, expected a contiguous one").format(
                    got=str(strides)[:80]
                )
            )
        if facts.get("over_input"):
            raise TimingRefused(
                _("the call returned memory of its inputs: its result must lie in memory of its own")
            )
        if facts.get("over_earlier"):
            raise TimingRefused(
                _("the call returned the memory of an earlier call's result, which has to stay as it was")
            )


def _same_order(strides: Any, result: Any) -> bool:
    """Whether strides are those of a tensor, as far as they matter."""
    if not isinstance(strides, list) or len(strides) != result.dim():
        return False
    return all(n == 1 or s == t for n, s, t in zip(result.shape, strides, result.stride(), strict=True))
