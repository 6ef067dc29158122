"""Times one call on a device: an empty cache before it, nothing left running behind it.

The checker times its baselines with it, and the learner's process times calls for the checker. Everything that a
clock uses is captured when it is made: what is patched afterwards is not what it calls.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

MB = 1 << 20
MIN_FLUSH = {"cuda": 512 * MB, "cpu": 16 * MB}
MAX_FLUSH = {"cuda": 2048 * MB, "cpu": 64 * MB}
# what the host does for a call (Python, the launch of several kernels) hides behind the flush, which is made as long as
# this: on an H200 a flush of 0.13 ms let half of the launches be timed as work
FLUSH_SECONDS = 1e-3
HEAT_SECONDS = 0.02  # a GPU that has waited for the host runs at a fraction of its clock


class Timed(NamedTuple):
    """One call: what `keep` made of its result, and what was seen of the device, in seconds."""

    kept: Any
    seconds: float
    flush: float  # of writing the cache full: longer than usual when something else ran
    tail: float  # from the call's end, in its own stream, until the whole device was idle


class Clock(NamedTuple):
    """A device's clock; a tuple of closures, in which nothing can be replaced."""

    device: str
    idle: Callable[[], None]  # wait for the whole device
    heat: Callable[[], None]  # bring it to its usual clock rate
    # timed(call, keep, in_order): with `in_order`, keep(result) is queued behind the call before anybody waits
    timed: Callable[[Callable[[], Any], Callable[[Any], Any], bool], Timed]
    facts: dict[str, Any]  # plain values, and what must live as long as the clock under "memory"


def clock_of(device: str) -> Clock:
    """The clock of "cuda" or "cpu"."""
    return _cuda() if device == "cuda" else _cpu()


def _flush_bytes(device: str, cache: int) -> int:
    return max(MIN_FLUSH[device], min(8 * cache, MAX_FLUSH[device]))


def _cpu() -> Clock:
    import torch

    # a call's time on one core says something on a busy machine, too; that of a pool of threads does not
    torch.set_num_threads(1)
    now = time.perf_counter
    cache = os.sysconf("SC_LEVEL3_CACHE_SIZE") if "SC_LEVEL3_CACHE_SIZE" in os.sysconf_names else 0
    cold = torch.zeros(_flush_bytes("cpu", max(cache, 0) // 4), dtype=torch.uint8)
    fill = torch.Tensor.fill_

    def timed(call: Callable[[], Any], keep: Callable[[Any], Any], in_order: bool) -> Timed:
        flushing = now()
        fill(cold, 1)
        began = now()
        result = call()
        ended = now()
        return Timed(keep(result), ended - began, began - flushing, 0.0)

    facts = {"name": "CPU", "cache": max(cache, 0), "flush": cold.numel(), "times": 1, "uuid": "cpu"}
    return Clock("cpu", lambda: None, lambda: None, timed, facts)


class _Driver(NamedTuple):
    """CUDA's driver in closures; streams and events are handles."""

    event: Callable[[], ctypes.c_void_p]
    record: Callable[[ctypes.c_void_p], None]  # in the legacy default stream
    wait: Callable[[ctypes.c_void_p], None]
    between: Callable[[ctypes.c_void_p, ctypes.c_void_p], float]
    idle: Callable[[], None]
    clear: Callable[[int, int], None]  # address, bytes; does not wait


def _driver() -> _Driver:
    # without releasing the interpreter: no other thread of Python runs while we wait
    driver = ctypes.PyDLL("libcuda.so.1")
    create, record, query, elapsed = (
        driver.cuEventCreate,
        driver.cuEventRecord,
        driver.cuEventQuery,
        driver.cuEventElapsedTime,
    )
    memset, synchronize, words_of = driver.cuMemsetD32Async, driver.cuCtxSynchronize, driver.cuGetErrorString
    pointer, by_reference, text, single = ctypes.c_void_p, ctypes.byref, ctypes.c_char_p, ctypes.c_float
    address, count, word = ctypes.c_uint64, ctypes.c_size_t, ctypes.c_uint
    stream, not_ready = pointer(0), 600

    def demand(code: int) -> None:
        if code:
            words = text()
            words_of(code, by_reference(words))
            raise RuntimeError(f"CUDA error {code}: {(words.value or b'unknown').decode()}")

    def event() -> ctypes.c_void_p:
        made = pointer()
        demand(create(by_reference(made), 0))
        return made

    def wait(what: ctypes.c_void_p) -> None:
        while (code := query(what)) == not_ready:
            pass
        demand(code)

    def between(first: ctypes.c_void_p, second: ctypes.c_void_p) -> float:
        milliseconds = single()
        demand(elapsed(by_reference(milliseconds), first, second))
        return milliseconds.value / 1e3

    return _Driver(
        event,
        lambda what: demand(record(what, stream)),
        wait,
        between,
        lambda: demand(synchronize()),
        lambda start, size: demand(memset(address(start), word(0), count(size // 4), stream)),
    )


def _cuda() -> Clock:
    import torch

    torch.cuda.init()
    properties = torch.cuda.get_device_properties(0)
    cold = torch.zeros(_flush_bytes("cuda", properties.L2_cache_size), dtype=torch.uint8, device="cuda")
    driver = _driver()
    event, record, wait, between, idle, clear = driver
    before, start, end, behind = event(), event(), event(), event()
    now, address, size = time.perf_counter, cold.data_ptr(), cold.numel()
    set_stream, current_stream = torch._C._cuda_setStream, torch._C._cuda_getCurrentStream
    # torch's current stream at the start is the legacy default stream, in which the driver's events are
    usual = current_stream(0)

    def flush_once() -> float:
        idle()
        record(before)
        clear(address, size)
        record(start)
        wait(start)
        return between(before, start)

    flush_once()
    # the buffer is as large as the cache asks for, and written as often as the host needs
    times = max(1, math.ceil(FLUSH_SECONDS / max(min(flush_once(), flush_once()), 1e-6)))

    def heat() -> None:
        until = now() + HEAT_SECONDS
        while now() < until:
            for _ in range(16):
                clear(address, size)
            idle()

    def timed(call: Callable[[], Any], keep: Callable[[Any], Any], in_order: bool) -> Timed:
        idle()
        record(before)
        for _ in range(times):
            clear(address, size)
        record(start)
        result = call()
        record(end)
        if current_stream(0) != usual:
            set_stream(stream_id=usual[0], device_index=usual[1], device_type=usual[2])
        kept = None
        if in_order:
            # what is not there yet, as it runs in another stream or thread, is not in the copy
            kept = keep(result)
            record(behind)
        wait(behind if in_order else end)
        waiting = now()
        idle()
        tail = now() - waiting
        if not in_order:
            kept = keep(result)
            idle()
        return Timed(kept, between(start, end), between(before, start), tail)

    facts = {
        "name": properties.name,
        "cache": properties.L2_cache_size,
        "flush": size,
        "times": times,
        "uuid": str(getattr(properties, "uuid", "")),
        "memory": cold,  # that `clear` writes to must live as long as the clock
    }
    return Clock("cuda", idle, heat, timed, facts)
