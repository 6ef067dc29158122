"""The timed calls of a learner's function, for the checker: fresh inputs in, times and outputs out.

`open_watch` is called before any of the learner's code is loaded. It captures what it uses and returns one closure,
of which the checker keeps a handle. Inputs lie here masked by random bytes until the request that times them: there
is no moment before it at which a result could be computed ahead.
"""

from __future__ import annotations

import gc
import mmap
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

Span = tuple[int, int]  # addresses: the first byte, and the one behind the last

KEPT_CALLS = 2  # whose results stay alive, so that the next ones cannot lie where they do
# what carries and makes the reports: every function of theirs, and of their classes
_CARRIERS = ("json", "json.encoder", "json.decoder", "struct", "wire", "serve", "stopwatch", "timed_calls")
_PATCHABLE = {
    "time": ("time", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time"),
    "torch": ("empty", "zeros", "empty_like", "zeros_like"),
    "torch.Tensor": ("clone", "copy_", "contiguous", "data_ptr", "fill_", "view", "stride", "size"),
    "torch.cuda": ("Event", "Stream", "synchronize", "current_stream", "set_stream", "init"),
    "torch.cuda.Event": ("record", "elapsed_time", "synchronize", "query", "wait"),
    "torch.cuda.Stream": ("synchronize", "query", "wait_event", "wait_stream", "record_event"),
}


def open_watch(device: str | None, size: int) -> Callable[..., Any]:
    """Capture a clock and everything else; the memory shared with the checker is the descriptor that came along."""
    import torch
    from serve import received
    from stopwatch import clock_of

    place = device or "cpu"
    clock = clock_of(place)
    window = torch.frombuffer(mmap.mmap(received.pop(), size), dtype=torch.uint8)
    expect, stage, unmask = _inputs(torch, place, window, clock.idle)
    described, settle = _descriptions(torch)
    peek, fetch = _results(torch, place, window, clock.idle)
    running, patched, peak_of = _threads(os.getcwd() + "/"), _patched(torch), _peak_of(torch, place)
    modes = (torch._C._len_torch_dispatch_stack, torch._C._len_torch_function_stack)
    empty, dtype_of = torch.empty, vars(torch)
    stop_collecting, collect = gc.disable, gc.enable

    function: Callable[..., Any] = _nothing
    keywords: dict[str, Any] = {}
    changed: Sequence[int] = ()
    kept: list[Any] = []

    def begin(
        what: Any, kwargs: dict[str, Any], inputs: list[Any], results: list[Any], inplace: list[int]
    ) -> list[str]:
        nonlocal function, keywords, changed

        def blank(*_inputs: Any, **_kwargs: Any) -> tuple[Any, ...]:
            return tuple(empty(shape, dtype=dtype_of[name], device=place) for shape, name in results)

        function, keywords, changed = what or blank, kwargs, inplace
        expect(inputs)
        kept.clear()
        return patched()

    def go(seeds: list[int], pads: list[int], values: list[Any], in_order: bool) -> dict[str, Any]:
        inputs = unmask(seeds, pads, values)
        others, owned = running()
        results: list[Any] = []

        def keep(result: Any) -> list[dict[str, Any]]:
            if any(count() for count in modes):
                return []
            results.extend(result if type(result) in (tuple, list) else [result])
            results.extend(inputs[index] for index in changed)
            return [described(one) for one in results]

        call, peak = _with_peak(function, inputs, keywords, peak_of)
        peak_of(True)
        stop_collecting()
        try:
            timed = clock.timed(call, keep, in_order)
        finally:
            collect()
        more, owned_now = running()
        notes = ["thread"] if owned or owned_now or more - others else []
        notes += ["mode"] if any(count() for count in modes) else []
        settle(inputs, results, timed.kept, len(changed))
        kept[:] = [facts.pop("copy", None) for facts in timed.kept]
        return {
            "seconds": timed.seconds,
            "flush": timed.flush,
            "tail": timed.tail,
            "outputs": timed.kept,
            "notes": notes,
            "patched": patched(),
            "peak": peak[0],
        }

    unjoined = _unjoined(torch)

    def leaves_work(seeds: list[int], pads: list[int], values: list[Any]) -> bool:
        inputs = unmask(seeds, pads, values)
        clock.idle()
        return unjoined(lambda: function(*inputs, **keywords))

    actions: dict[str, Callable[..., Any]] = {
        "leaves_work": leaves_work,
        "facts": lambda: {name: value for name, value in clock.facts.items() if name != "memory"},
        "begin": begin,
        "stage": stage,
        "heat": clock.heat,
        "go": go,
        "peek": lambda number, positions: peek(kept[number], positions),
        "fetch": lambda number, offset, count: fetch(kept[number], offset, count),
    }
    return lambda action, *args: actions[action](*args)


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    raise RuntimeError("nothing to time")


def _unjoined(torch: Any) -> Callable[[Callable[[], Any]], bool]:
    """unjoined(call) -> whether a recording of a call has work in a stream that its own never waits for."""
    graph, new_graph = torch.cuda.graph, torch.cuda.CUDAGraph

    def unjoined(call: Callable[[], Any]) -> bool:
        try:
            with graph(new_graph(), capture_error_mode="relaxed"):
                call()
        except Exception as error:
            # what cannot be recorded, as it waits or asks for a value, says nothing
            return "unjoined" in str(error).lower()
        return False

    return unjoined


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _inputs(
    torch: Any, place: str, window: Any, idle: Callable[[], None]
) -> tuple[Callable[..., None], Callable[..., None], Callable[..., list[Any]]]:
    """expect(specs), stage(number, offset, count) from the window, unmask(seeds, pads, values) -> the arguments.

    `values` are those of the arguments that are no tensors.
    """
    empty, int64, uint8, dtype_of = torch.empty, torch.int64, torch.uint8, vars(torch)
    copy, xor, random = torch.Tensor.copy_, torch.Tensor.bitwise_xor_, torch.Tensor.random_
    view, as_strided, narrow = torch.Tensor.view, torch.Tensor.as_strided, torch.Tensor.narrow
    generator = torch.Generator
    specs: list[dict[str, Any]] = []
    masked: list[Any] = []

    def expect(inputs: list[dict[str, Any]]) -> None:
        specs[:] = inputs
        masked[:] = [empty(s["padded"], dtype=uint8, device=place) for s in specs if "padded" in s]

    def stage(number: int, offset: int, count: int) -> None:
        copy(narrow(masked[number], 0, offset, count), narrow(window, 0, 0, count))
        idle()

    def one(spec: dict[str, Any], source: Any, seed: int, pad: int) -> Any:
        room = spec["padded"]
        # somewhere in an allocation that differs in size each time
        plain = narrow(empty(room + 2 * pad, dtype=uint8, device=place), 0, pad, room)
        copy(plain, source)
        if room:
            seeded = generator(device=place)
            seeded.manual_seed(seed)
            noise = random(empty(room // 8, dtype=int64, device=place), -(1 << 63), None, generator=seeded)
            xor(view(plain, int64), noise)
        typed = view(narrow(plain, 0, 0, spec["bytes"]), dtype_of[spec["dtype"]])
        made = as_strided(typed, spec["shape"], spec["strides"])
        return made.requires_grad_() if spec["grad"] else made

    def unmask(seeds: list[int], pads: list[int], values: list[Any]) -> list[Any]:
        made, number, plain = [], 0, iter(values)
        for spec in specs:
            if "padded" in spec:
                made.append(one(spec, masked[number], seeds[number], pads[number]))
                number += 1
            else:
                made.append(next(plain))
        return made

    return expect, stage, unmask


def _descriptions(torch: Any) -> tuple[Callable[[Any], dict[str, Any]], Callable[..., None]]:
    """described(value): what the checker has to know of a result, and a copy of it.

    settle(inputs, results, descriptions, changed) adds whose memory each result lies in, and keeps all of it alive.
    """
    tensor, strided, dense = torch.Tensor, torch.strided, torch.contiguous_format
    detach, clone, storage_of = torch.Tensor.detach, torch.Tensor.clone, torch.Tensor.untyped_storage

    def described(one: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {"type": type(one).__module__ + "." + type(one).__qualname__}
        facts["tensor"] = type(one) is tensor
        if facts["tensor"]:
            bare = detach(one)
            plain = bare.layout is strided and not bare.is_conj() and not bare.is_neg()
            facts |= {
                "device": bare.device.type,
                "dtype": str(bare.dtype).rpartition(".")[2],
                "layout": plain,
            }
            facts |= {"shape": list(bare.shape), "strides": list(bare.stride()) if plain else []}
            facts["copy"] = clone(bare, memory_format=dense) if plain else None
        return facts

    held: list[tuple[list[Any], list[Span]]] = []  # of the last calls: all tensors, where the results lie

    def span_of(one: Any) -> Span:
        storage = storage_of(one)
        start = storage.data_ptr()
        return start, start + storage.nbytes()

    def settle(inputs: list[Any], results: list[Any], facts: list[dict[str, Any]], changed: int) -> None:
        lie = [span_of(one) for one in inputs if type(one) is tensor]
        mine: list[Span] = []
        for fact, one in list(zip(facts, results, strict=False))[: len(results) - changed]:
            if fact.get("layout"):
                mine.append(span_of(one))
                fact["over_input"] = any(_overlap(mine[-1], span) for span in lie)
                fact["over_earlier"] = any(_overlap(mine[-1], span) for _all, them in held for span in them)
        held.append(([*inputs, *results], mine))
        del held[:-KEPT_CALLS]

    return described, settle


def _results(
    torch: Any, place: str, window: Any, idle: Callable[[], None]
) -> tuple[Callable[..., list[int]], Callable[..., None]]:
    """peek(copy, positions) -> the octets of some elements; fetch(copy, offset, count) into the window."""
    flat, view, narrow, copy = (
        torch.Tensor.reshape,
        torch.Tensor.view,
        torch.Tensor.narrow,
        torch.Tensor.copy_,
    )
    selected, to_cpu, to_list = torch.Tensor.index_select, torch.Tensor.cpu, torch.Tensor.tolist
    as_tensor, uint8 = torch.tensor, torch.uint8

    def peek(what: Any, positions: list[int]) -> list[int]:
        chosen = selected(flat(what, (-1,)), 0, as_tensor(positions, device=place))
        listed: list[int] = to_list(to_cpu(view(chosen, uint8)))
        return listed

    def fetch(what: Any, offset: int, count: int) -> None:
        octets = view(flat(what, (-1,)), uint8)
        copy(narrow(window, 0, 0, count), narrow(octets, 0, offset, count))
        idle()

    return peek, fetch


def _threads(work: str) -> Callable[[], tuple[set[int], bool]]:
    """running() -> Python's threads, and whether one but ours runs a function of the learner's files."""
    frames_of, ident = sys._current_frames, threading.get_ident

    def running() -> tuple[set[int], bool]:
        me, frames = ident(), frames_of()
        owned = False
        for number, top in frames.items():
            frame: Any = top if number != me else None
            while frame is not None:
                owned = owned or frame.f_code.co_filename.startswith(work)
                frame = frame.f_back
        return set(frames), owned

    return running


def _patched(torch: Any) -> Callable[[], list[str]]:
    """patched() -> the names of what was replaced since now."""
    owners = {"time": time, "torch": torch, "torch.Tensor": torch.Tensor, "torch.cuda": torch.cuda}
    owners |= {"torch.cuda.Event": torch.cuda.Event, "torch.cuda.Stream": torch.cuda.Stream}
    originals = [
        (f"{place}.{name}", owners[place], name, getattr(owners[place], name, None))
        for place, names in _PATCHABLE.items()
        for name in names
    ]
    # a function may be replaced, or what it does
    codes = [(f"{place}.{name}", value, value.__code__) for place, name, value in _carriers()]
    originals += [(f"{place}.{name}", sys.modules[place], name, value) for place, name, value in _carriers()]

    def patched() -> list[str]:
        replaced = [full for full, owner, name, value in originals if getattr(owner, name, None) is not value]
        return [*replaced, *(full for full, value, code in codes if value.__code__ is not code)]

    return patched


def _carriers() -> list[tuple[str, str, Any]]:
    kind = type(_carriers)
    return [
        (place, name, value)
        for place in _CARRIERS
        if place in sys.modules
        for name, value in vars(sys.modules[place]).items()
        if type(value) is kind
    ]


def _with_peak(
    what: Callable[..., Any], inputs: Sequence[Any], named: dict[str, Any], peak_of: Callable[[bool], int]
) -> tuple[Callable[[], Any], list[int]]:
    """A call that notes the memory that it took, before anything is kept of its result, which takes memory too."""
    taken = [0]

    def call() -> Any:
        result = what(*inputs, **named)
        taken[0] = peak_of(False)
        return result

    return call, taken


def _peak_of(torch: Any, place: str) -> Callable[[bool], int]:
    """peak(True) begins to watch the device's memory; peak(False) is what was allocated at most since then."""
    if place != "cuda":
        return lambda _begin: 0
    # torch.cuda's own functions sort hundreds of numbers for one
    reset, numbers, device = torch._C._cuda_resetPeakMemoryStats, torch._C._cuda_memoryStats, 0
    start = 0

    def peak(begin: bool) -> int:
        nonlocal start
        if begin:
            reset(device)
        allocated = numbers(device)["allocated_bytes"]["all"]
        if begin:
            start = int(allocated["current"])
        return int(allocated["peak"]) - start

    return peak
