"""What a device can do at most, measured once for each machine and kept: the floor of times, the roof of rates."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlsys_path import locations
from mlsys_path.checking.worker.stopwatch import Clock

SCHEMA = 1
REPEATS = 9
NAMES = {
    "fp32": "float32", "tf32": "tfloat32", "fp16": "float16", "half": "float16", "bf16": "bfloat16", "fp64": "float64",
    "fp8": "float8_e4m3fn", "float8": "float8_e4m3fn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ceilings:
    """A device and its rates: bytes/s, FLOP/s of dense matrix products by dtype, seconds of an empty launch."""

    device: str
    identity: str  # of the device, its driver and torch: other ceilings are others'
    copy: float  # bytes read and written
    read: float
    launch: float
    rates: dict[str, float] = field(default_factory=dict)
    measured_at: str = ""
    schema: int = SCHEMA

    @property
    def bandwidth(self) -> float:
        """The most bytes/s that were seen."""
        return max(self.copy, self.read)

    def peak(self, dtype: str) -> float:
        """FLOP/s at a dtype, by torch's name or a short one; 0 where it was not measured."""
        return self.rates.get(NAMES.get(dtype, dtype), 0.0)


def identity(clock: Clock) -> str:
    """What the ceilings belong to."""
    import torch

    driver = ""
    with contextlib.suppress(OSError):
        driver = (
            Path("/proc/driver/nvidia/version").read_text().splitlines()[0] if clock.device == "cuda" else ""
        )
    cores = "" if clock.device == "cuda" else f"{os.cpu_count()} cores"
    parts = [clock.facts["name"], clock.facts["uuid"], driver, torch.__version__, cores, f"schema {SCHEMA}"]
    return "; ".join(part for part in parts if part)


def path_of(who: str) -> Path:
    """The file that ceilings are kept in."""
    return locations.cache_dir() / "ceilings" / f"{hashlib.sha256(who.encode()).hexdigest()[:16]}.json"


def load(who: str) -> Ceilings | None:
    """The ceilings that are kept for an identity; None where there are none, or the file is damaged."""
    found = _read(path_of(who))
    return found if found is not None and found.identity == who else None


def stored() -> list[Ceilings]:
    """The latest of each device that are kept here, whatever has changed since; by name."""
    latest: dict[str, tuple[float, Ceilings]] = {}
    for path in path_of("").parent.glob("*.json"):
        with contextlib.suppress(OSError):
            found, at = _read(path), path.stat().st_mtime
            if found is not None and at > latest.get(found.device, (-1.0,))[0]:
                latest[found.device] = (at, found)
    return [latest[name][1] for name in sorted(latest)]


def _read(path: Path) -> Ceilings | None:
    try:
        found = Ceilings(**json.loads(path.read_text()))
        numbers = [found.copy, found.read, found.launch, *found.rates.values()]
        sound = all(type(n) in (int, float) and math.isfinite(n) and n > 0 for n in numbers)
        texts = (found.device, found.identity, found.measured_at, *found.rates)
        sound = sound and all(isinstance(text, str) for text in texts)
        return found if sound and found.schema == SCHEMA else None
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def store(ceilings: Ceilings) -> None:
    """Keep them, whole or not at all; a folder that cannot be written costs a measurement the next time."""
    path = path_of(ceilings.identity)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(ceilings), file, indent=1)
        Path(temporary).replace(path)


def ceilings_of(clock: Clock, *, again: bool = False) -> Ceilings:
    """Those that are kept for a clock's device, else measured now and kept."""
    who = identity(clock)
    found = None if again else load(who)
    if found is None:
        found = measure(clock, who)
        store(found)
    return found


def measure(clock: Clock, who: str) -> Ceilings:
    """Copy and read bandwidth, the rate of matrix products by dtype and the time of an empty launch: some seconds."""
    import torch

    place = clock.device
    copy, read, launch = _memory(torch, clock)
    sizes = (4096, 8192) if place == "cuda" else (768,)
    rates = {}
    for name, product in _products(torch, place).items():
        # what a device or a version of torch does not know has no ceiling
        with contextlib.suppress(RuntimeError, AttributeError, TypeError, ValueError, NotImplementedError):
            # float32 on CUDA cores is slow enough that the small size measures it
            tried = sizes[:1] if name in ("float32", "float64") else sizes
            rates[name] = max(2.0 * n**3 / _best(clock, product(n)) for n in tried)
    if place == "cuda":
        torch.cuda.empty_cache()
    return Ceilings(clock.facts["name"], who, copy, read, launch, rates, time.strftime("%Y-%m-%d"), SCHEMA)


def _memory(torch: Any, clock: Clock) -> tuple[float, float, float]:
    """Bytes/s of a copy and of a sum, and seconds of a launch that does next to nothing."""
    source = torch.ones((1 << 28) if clock.device == "cuda" else (24 << 20), device=clock.device)
    target, one = torch.empty_like(source), torch.zeros(1, device=clock.device)
    copy = 2 * source.nbytes / _best(clock, lambda: target.copy_(source))
    read = source.nbytes / _best(clock, lambda: torch.sum(source))
    return copy, read, _best(clock, lambda: one.add_(1))


def _best(clock: Clock, call: Callable[[], Any]) -> float:
    for _ in range(3):
        clock.timed(call, lambda _result: None, False)
    clock.heat()
    times = sorted(clock.timed(call, lambda _result: None, False).seconds for _ in range(REPEATS))
    return max(statistics.mean(times[:3]), 1e-9)


def _products(torch: Any, place: str) -> dict[str, Callable[[int], Callable[[], Any]]]:
    """For each dtype, what makes a product of two n × n matrices of random numbers (zeros run faster)."""

    def plain(dtype: Any, precision: str) -> Callable[[int], Callable[[], Any]]:
        def make(n: int) -> Callable[[], Any]:
            a, b = (torch.randn(n, n, device=place).to(dtype) for _ in range(2))

            def call() -> Any:
                before = torch.get_float32_matmul_precision()
                torch.set_float32_matmul_precision(precision)
                try:
                    return torch.matmul(a, b)
                finally:
                    torch.set_float32_matmul_precision(before)

            return call

        return make

    def eight_bits(n: int) -> Callable[[], Any]:
        a, b = (torch.randn(n, n, device=place).to(torch.float8_e4m3fn) for _ in range(2))
        one = torch.ones((), device=place)
        return lambda: torch._scaled_mm(a, b.T, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)

    def integers(n: int) -> Callable[[], Any]:
        a, b = (torch.randint(-128, 128, (n, n), device=place).to(torch.int8) for _ in range(2))
        return lambda: torch._int_mm(a, b)

    found = {"float32": plain(torch.float32, "highest")}
    if place == "cuda":
        found |= {
            "tfloat32": plain(torch.float32, "high"),
            "float16": plain(torch.float16, "highest"),
            "bfloat16": plain(torch.bfloat16, "highest"),
            "float8_e4m3fn": eight_bits,
            "int8": integers,
        }
    return found
