"""One sentence for each kind of error that the emulation finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.failures import signal_name
from mlsys_path.language import _

if TYPE_CHECKING:
    from mlsys_path.checking.emulation.messages import Teller

Error = Mapping[str, Any]


def part(error: Error, key: str) -> Error:
    """An object within an error; empty when there is none."""
    value = error.get(key)
    return value if isinstance(value, dict) else {}


def _verb(access: Any) -> str:
    return {"read": _("reads"), "write": _("writes"), "atomic": _("does an atomic on")}.get(
        str(access), _("touches")
    )


def _out_of_bounds(t: Teller, e: Error) -> str:
    what, there = t.place(e)
    verb = _verb(e.get("access"))
    return (
        _("{verb} {what}, but {there}").format(verb=verb, what=what, there=there)
        if there
        else f"{verb} {what}"
    )


def _after_free(t: Teller, e: Error) -> str:
    return _("{verb} {what}, which was freed by cudaFree").format(
        verb=_verb(e.get("access")), what=t.place(e)[0]
    )


def _uninitialised(t: Teller, e: Error) -> str:
    return _("{verb} {what}, which nobody has written yet").format(
        verb=_verb(e.get("access")), what=t.place(e)[0]
    )


def _async_under_way(t: Teller, e: Error) -> str:
    return _(
        "{verb} {what}, which an asynchronous copy is still filling: the thread that began it has to commit it "
        "(__pipeline_commit), wait for its group (__pipeline_wait_prior) and then meet those who read it at a barrier"
    ).format(verb=_verb(e.get("access")), what=t.place(e)[0])


def _misaligned(t: Teller, e: Error) -> str:
    return _("{verb} {n} bytes at {what}, an address that is not a multiple of {n}").format(
        verb=_verb(e.get("access")), n=e.get("size"), what=t.place(e)[0]
    )


def _race(t: Teller, e: Error) -> str:
    other = part(e, "other")
    what = t.place(e)[0]
    one, two = _verb(e.get("access")), _verb(other.get("access"))
    if not e.get("same_block"):
        return _(
            "{one} {what}, and thread {thread} of block {block} {two} it in the same launch: nothing says which comes first"
        ).format(one=one, what=what, thread=t.thread(e, other), block=t.block(e, other), two=two)
    missing = _("no __syncwarp() or __syncthreads()") if e.get("same_warp") else _("no __syncthreads()")
    return _(
        "{one} {what}, and thread {thread} of the same block {two} it, with {missing} between them"
    ).format(one=one, what=what, thread=t.thread(e, other), two=two, missing=missing)


def _barrier_divergent(t: Teller, e: Error) -> str:
    return _(
        "waits at a __syncthreads() that not all threads of the block come to: thread {thread} waits at another one. "
        "A barrier must not stand in a branch that only some threads take"
    ).format(thread=t.thread(e, part(e, "other")))


def _barrier_after_return(t: Teller, e: Error) -> str:
    return _(
        "waits at __syncthreads(), but {n} of the block's {all} threads have returned before it, such as thread {thread}. "
        "All threads must come to a barrier"
    ).format(n=e.get("returned"), all=e.get("threads"), thread=t.thread(e, part(e, "other")))


def _warp_divergent(t: Teller, e: Error) -> str:
    other = part(e, "other")
    doing = _("waits at {call}").format(call=other["call"]) if "call" in other else _("is elsewhere")
    return _("{call} with mask {mask} waits for lane {lane} of its warp, which {doing}").format(
        call=e.get("call"), mask=f"{int(e.get('mask', 0)):#010x}", lane=e.get("lane"), doing=doing
    )


def _from_absent(_t: Teller, e: Error) -> str:
    why = (
        _("has returned")
        if e.get("exists")
        else _("does not exist: the block has {n} threads").format(n=e.get("threads"))
    )
    return _("{call} reads from lane {lane} of its warp, which {why}").format(
        call=e.get("call"), lane=e.get("from"), why=why
    )


def _mask(_t: Teller, e: Error) -> str:
    return _("{call} is called by lane {lane}, which its mask {mask} leaves out").format(
        call=e.get("call"), lane=e.get("lane"), mask=f"{int(e.get('mask', 0)):#010x}"
    )


def _width(_t: Teller, e: Error) -> str:
    return _("the width of {call} is {n}; it must be 1, 2, 4, 8, 16 or 32").format(
        call=e.get("call"), n=e.get("width")
    )


def _launch(t: Teller, e: Error) -> str:
    grid, block = e.get("grid", (0, 0, 0)), e.get("block", (0, 0, 0))
    shape = "<<<({}, {}, {}), ({}, {}, {})>>>".format(*grid, *block)
    why = {
        "launch-grid": _("a grid has at least one block, and at most 2147483647 × 65535 × 65535"),
        "launch-block": _("a block has at least one thread, and at most 1024 in all, 1024 × 1024 × 64"),
        "launch-shared": _(
            "{n} bytes of shared memory are more than the {limit} that a kernel gets without cudaFuncSetAttribute"
        ).format(n=e.get("dynamic"), limit=e.get("limit")),
        "launch-too-large": _("the emulation runs at most 4194303 blocks"),
    }[str(e.get("kind"))]
    return _("The launch {kernel}{shape} fails: {why}").format(kernel=e.get("kernel"), shape=shape, why=why)


def _shared_too_large(_t: Teller, e: Error) -> str:
    return _(
        "its {n} bytes of shared memory, and {dynamic} dynamic ones, are more than the {limit} that a block may have"
    ).format(n=e.get("bytes"), dynamic=e.get("dynamic", 0), limit=e.get("limit"))


def _copy_direction(_t: Teller, e: Error) -> str:
    where = {"host": _("host memory"), "device": _("device memory"), "managed": _("managed memory")}
    found = where.get(
        str(e.get("to" if e.get("which") == "destination" else "from")), _("no memory that the host may name")
    )
    sentence = (
        _("{call} with {direction}, but the destination is {found}")
        if e.get("which") == "destination"
        else _("{call} with {direction}, but the source is {found}")
    )
    return sentence.format(call=e.get("call"), direction=e.get("direction"), found=found)


def _copy_bounds(_t: Teller, e: Error) -> str:
    side = _("the destination") if e.get("which") == "destination" else _("the source")
    left = int(e.get("extent", 0)) - int(e.get("offset", 0))
    return _("{call} of {n} bytes goes beyond {side}, which has {left} from there on").format(
        call=e.get("call"), n=e.get("bytes"), side=side, left=max(0, left)
    )


def _operation(o: Error) -> str:
    kind = {
        "kernel": _("the kernel {name}"),
        "copy": _("the copy {name}"),
        "set": _("the memset"),
        "host": _("the host function"),
    }
    return kind.get(str(o.get("work")), "{name}").format(name=o.get("name", ""))


def _stream_race(t: Teller, e: Error) -> str:
    one, two = part(e, "operation"), part(e, "other")
    return _(
        "Two streams touch the same memory, and neither waits for the other: {one} (stream {a}) and {two} (stream {b}). "
        "An event between them is missing, or they belong into one stream"
    ).format(one=_operation(one), a=one.get("stream"), two=_operation(two), b=two.get("stream"))


def _host_race(_t: Teller, e: Error) -> str:
    return _(
        "The host {verb} memory that {what} (stream {stream}) may still be working on: it has to wait for it first"
    ).format(
        verb=_verb(e.get("access")),
        what=_operation(part(e, "other")),
        stream=part(e, "other").get("stream"),
    )


def _bounds(_t: Teller, e: Error) -> str:
    return _("the index {n} lies outside of an array of type {type}").format(
        n=e.get("index"), type=e.get("type")
    )


def _crash(_t: Teller, e: Error) -> str:
    return _("ended by {signal}").format(signal=signal_name(int(e.get("signal", 0))))


def _words(make: Callable[[Error], str]) -> Callable[[Teller, Error], str]:
    return lambda _t, e: make(e)


SENTENCES: dict[str, Callable[[Teller, Error], str]] = {
    "out-of-bounds": _out_of_bounds,
    "use-after-free": _after_free,
    "uninitialised": _uninitialised,
    "async-under-way": _async_under_way,
    "misaligned": _misaligned,
    "index-out-of-bounds": _bounds,
    "race": _race,
    "stream-race": _stream_race,
    "host-race": _host_race,
    "barrier-divergent": _barrier_divergent,
    "barrier-after-return": _barrier_after_return,
    "warp-divergent": _warp_divergent,
    "shuffle-from-absent": _from_absent,
    "mask-without-caller": _mask,
    "wrong-width": _width,
    "launch-grid": _launch,
    "launch-block": _launch,
    "launch-shared": _launch,
    "launch-too-large": _launch,
    "shared-too-large": _shared_too_large,
    "copy-direction": _copy_direction,
    "copy-out-of-bounds": _copy_bounds,
    "crash": _crash,
    "copy-after-free": _words(
        lambda e: _("{call} of memory that cudaFree has freed").format(call=e.get("call"))
    ),
    "null-pointer": _words(lambda e: _("{verb} through a null pointer").format(verb=_verb(e.get("access")))),
    "host-pointer": _words(
        lambda e: _(
            "{verb} memory of the host: a kernel can only use what cudaMalloc gave, and cudaMemcpy brings the data there"
        ).format(verb=_verb(e.get("access")))
    ),
    "constant-written": _words(lambda e: _("writes a `__constant__` variable, which kernels can only read")),
    "local-of-another": _words(
        lambda e: _("{verb} a local variable of another thread").format(verb=_verb(e.get("access")))
    ),
    "device-pointer-on-host": _words(
        lambda e: (
            _("The host {verb} device memory: only kernels can, and cudaMemcpy brings the data back").format(
                verb=_verb(e.get("access"))
            )
            if "access" in e
            else _("The host touches device memory: only kernels can, and cudaMemcpy brings the data back")
        )
    ),
    "device-variable-on-host": _words(
        lambda e: _(
            "The host {verb} a variable of the device: cudaMemcpyToSymbol and cudaMemcpyFromSymbol do that"
        ).format(verb=_verb(e.get("access")))
    ),
    "shared-on-host": _words(
        lambda e: _("The host touches shared memory, which exists only while a block runs")
    ),
    "device-function-on-host": _words(lambda e: _("{what} is called on the host").format(what=e.get("what"))),
    "launch-in-kernel": _words(lambda e: _("a kernel that launches kernels cannot be emulated")),
    "bad-stream": _words(
        lambda e: _("The launch of {kernel} names a stream that does not exist").format(
            kernel=e.get("kernel")
        )
    ),
    "bad-free": _words(
        lambda e: _("{call} of what is not an allocation, or was freed before").format(call=e.get("call"))
    ),
    "set-on-host": _words(
        lambda e: _("{call} of host memory: it sets device memory").format(call=e.get("call"))
    ),
    "not-a-symbol": _words(
        lambda e: _("{call} of what is no `__device__` or `__constant__` variable").format(call=e.get("call"))
    ),
    "symbol-out-of-bounds": _words(
        lambda e: _("{call} of {n} bytes from byte {offset} on, of a variable of {extent}").format(
            call=e.get("call"), n=e.get("bytes"), offset=e.get("offset"), extent=e.get("extent")
        )
    ),
    "async-size": _words(
        lambda e: _(
            "__pipeline_memcpy_async copies 4, 8 or 16 bytes, and at most as many of them are zeros: "
            "not {n} with {zeros} zeros"
        ).format(n=e.get("bytes"), zeros=e.get("zeros"))
    ),
    "async-direction": _words(
        lambda e: _("__pipeline_memcpy_async copies from device memory to shared memory, and nowhere else")
    ),
    "deadlock": _words(
        lambda e: _(
            "waits for memory to change, and nobody is left who could change it: {n} blocks run, {left} have not begun"
        ).format(n=e.get("resident"), left=e.get("not_begun"))
    ),
    "timeout": _words(lambda e: _("was still running when the time was over; does this loop end?")),
    "stack-overflow": _words(lambda e: _("needs more than 64 KB for its local variables")),
    "assert": _words(lambda e: _("assertion failed: {what}").format(what=e.get("what"))),
    "trap": _words(lambda e: _("stopped by {what}").format(what=e.get("what"))),
}
