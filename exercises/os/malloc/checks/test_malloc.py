"""Replays random traces on the learner's heap and judges every address and every byte that comes back."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import fail

FIXED_OVERHEAD = 1024  # bytes of the heap that an allocator may keep for itself, ...
BLOCK_OVERHEAD = 32  # ... and bytes a block, rounding included
SHOWN_STEPS = 12

sizes = st.one_of(st.integers(1, 40), st.integers(1, 400), st.integers(400, 3000))
arenas = st.tuples(st.integers(0, 100), st.integers(4096, 20000))  # (offset, size): aligned to nothing


@dataclass
class Block:
    """What the trace knows of one block that is in use."""

    address: int
    size: int
    seed: int


@dataclass
class Trace:
    """Steps for the driver, written in C for the learner, and the judgement of what came back."""

    offset: int
    size: int
    steps: list[tuple[str, int, tuple[int, ...]]] = field(default_factory=list)
    needed: dict[int, str] = field(default_factory=dict)  # step -> why it must not be NULL

    def add(self, kind: str, block: int, *args: int, must_fit: str = "") -> None:
        """Append a step; `must_fit` says why NULL would be wrong."""
        if must_fit:
            self.needed[len(self.steps)] = must_fit
        self.steps.append((kind, block, args))

    def stdin(self) -> bytes:
        """The driver's input; every filling step gets a seed of its own."""
        lines = [f"init {self.offset} {self.size}"]
        for seed, (kind, block, args) in enumerate(self.steps):
            seeds = [] if kind in ("free", "look") else [seed * 7919]
            lines.append(" ".join(map(str, [kind, block, *args, *seeds])))
        return "\n".join(lines).encode() + b"\n"

    def in_c(self, until: int) -> str:
        """The steps up to and including `until`, as the learner could type them."""
        shown = []
        known: set[int] = set()
        for kind, block, args in self.steps[: until + 1]:
            p = f"p{block}"
            if kind == "look":
                shown.append(f"// look at {p}")
            elif kind == "free":
                shown.append(f"my_free({p if block in known else 'NULL'});")
                known.discard(block)
            else:
                old = [p if block in known else "NULL"] if kind == "realloc" else []
                shown.append(f"{p} = my_{kind}({', '.join([*old, *map(str, args)])});")
                known.add(block)
        if len(shown) > SHOWN_STEPS:
            shown[: 1 - SHOWN_STEPS] = [f"... {len(shown) - SHOWN_STEPS + 1} more steps ..."]
        return "\n".join(f"  {line}" for line in [f"heap_init(arena + {self.offset}, {self.size});", *shown])

    def judge(self, stdout: bytes) -> list[dict[int, Block]]:
        """Compare every report with what must hold; returns the blocks in use after each step."""
        reports = stdout.decode(errors="replace").splitlines()
        if len(reports) != len(self.steps) + 1 or reports[0] != "init":
            fail(f"the run ended after {max(0, len(reports) - 1)} of {len(self.steps)} steps")
        live: dict[int, Block] = {}
        history = []
        for at, ((kind, block, args), report) in enumerate(zip(self.steps, reports[1:], strict=True)):
            words = report.split()
            if kind in ("free", "look"):
                self._expect_content(at, words[0], live.get(block), None)
                if kind == "free":
                    live.pop(block, None)
            else:
                self._one_allocation(at, kind, block, args, words, live)
            history.append(dict(live))
        return history

    def _one_allocation(
        self, at: int, kind: str, block: int, args: tuple[int, ...], words: list[str], live: dict[int, Block]
    ) -> None:
        size = args[0] * args[1] if kind == "calloc" else args[0]
        old = live.get(block) if kind == "realloc" else None
        if words[0] == "null":
            if at in self.needed:
                self._fail(at, f"NULL came back, but {self.needed[at]}")
            if old:
                self._expect_content(at, words[1], old, None)
            return
        others = {k: v for k, v in live.items() if k != block}
        address = int(words[0])
        if size >= 2**64:
            self._fail(
                at, f"{args[0]} * {args[1]} does not fit into a size_t, yet it is not NULL that came back"
            )
        self._expect_good_address(at, address, size, others)
        if kind == "calloc" and int(words[1]) != zlib.crc32(bytes(size)):
            self._fail(at, f"the {size} bytes that my_calloc returned are not all zero")
        if old:
            self._expect_content(at, words[1], old, size)
        live[block] = Block(address, size, at * 7919)

    def _expect_good_address(self, at: int, address: int, size: int, others: dict[int, Block]) -> None:
        if size == 0:
            self._fail(at, "a request of 0 bytes must return NULL")
        if address % 16:
            self._fail(at, f"the block is at address {address}, {address % 16} mod 16: it must be 0 mod 16")
        end = self.offset + self.size
        if address < self.offset or address + size > end:
            mine = f"bytes {address} to {address + size}"
            self._fail(at, f"{mine} do not lie in the heap, which is bytes {self.offset} to {end}")
        for name, other in others.items():
            if address < other.address + other.size and other.address < address + size:
                self._fail(
                    at,
                    f"bytes {address} to {address + size} overlap p{name}, which is in use: "
                    f"bytes {other.address} to {other.address + other.size}",
                )

    def _expect_content(self, at: int, got: str, block: Block | None, kept: int | None) -> None:
        if block is None:
            return
        size = block.size if kept is None else min(block.size, kept)
        index = np.arange(size, dtype=np.uint32)
        written = ((np.uint32(block.seed) + index) * np.uint32(2654435761)) >> np.uint32(24)
        if int(got) != zlib.crc32(written.astype(np.uint8).tobytes()):
            what = (
                "some have changed since they were written" if kept is None else "realloc did not keep them"
            )
            self._fail(at, f"p{self.steps[at][1]} held {size} bytes: {what}")

    def _fail(self, at: int, what: str) -> None:
        fail(f"{what}, at the last of these steps:\n{self.in_c(at)}")


def replay(learner, trace: Trace, sanitize: str | None = None) -> list[dict[int, Block]]:
    """Look at every block at the end too, run the trace, judge it."""
    for block in sorted({block for _, block, _ in trace.steps}):
        trace.add("look", block)
    program = learner.build("malloc.c", "drive.c", sanitize=sanitize)
    return trace.judge(program.run(stdin=trace.stdin(), timeout=3.0).stdout)


@st.composite
def traces(draw, kinds: tuple[str, ...], arena=arenas) -> Trace:
    """A random trace over up to 8 blocks; ends by freeing everything and asking for nearly the whole heap."""
    trace = Trace(*draw(arena))
    taken: set[int] = set()
    for kind, block, size in draw(
        st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 7), sizes), min_size=1, max_size=40)
    ):
        if block in taken and kind != "realloc":
            trace.add("free", block)
            taken.discard(block)
        elif kind == "free":
            continue
        elif kind == "calloc":
            ways = [(1, size), (size, 1), (4, size // 4 + 1), (size, 0)]
            trace.add("calloc", block, *draw(st.sampled_from(ways)))
            taken.add(block)
        else:
            trace.add(kind, block, size)
            taken.add(block)
    for block in draw(st.permutations(sorted(taken))):
        trace.add("free", block)
    whole = trace.size - FIXED_OVERHEAD - BLOCK_OVERHEAD
    if whole > 0:
        why = f"every block is free, so {whole} of {trace.size} bytes must fit"
        trace.add("malloc", 8, whole, must_fit=why)
    return trace


@given(arenas, st.integers(1, 2000))
@settings(max_examples=15)
def test_one_block(learner, arena, size):
    trace = Trace(*arena)
    why = f"the heap of {arena[1]} bytes is empty: write heap_init and my_malloc first"
    trace.add("malloc", 0, size, must_fit=why)
    trace.add("malloc", 1, 0)
    trace.add("free", 1)  # NULL
    replay(learner, trace)


@given(arenas, st.lists(sizes, min_size=2, max_size=40))
@settings(max_examples=25)
def test_blocks_do_not_overlap(learner, arena, wanted):
    trace = Trace(*arena)
    spent = FIXED_OVERHEAD
    for block, size in enumerate(wanted):
        spent += size + BLOCK_OVERHEAD
        why = f"the blocks and their overhead come to at most {spent} of {arena[1]} bytes"
        trace.add("malloc", block, size, must_fit=why if spent <= arena[1] else "")
    replay(learner, trace)


@given(arenas, st.integers(1, 3), st.integers(8, 60))
@settings(max_examples=15)
def test_freed_memory_is_used_again(learner, arena, at_once, share):
    trace = Trace(*arena)
    size = arena[1] // share
    why = f"no more than {at_once} * {size} bytes are ever in use"
    for _ in range(share // at_once + 2):  # all rounds together ask for more than the heap
        for block in range(at_once):
            trace.add("malloc", block, size, must_fit=why)
        for block in range(at_once):
            trace.add("free", block)
    replay(learner, trace)


@given(arenas, st.permutations(range(5)), st.integers(2, 5))
@settings(max_examples=25)
def test_neighbours_merge(learner, arena, order, blocks):
    trace = Trace(*arena)
    size = (arena[1] - FIXED_OVERHEAD) // blocks - BLOCK_OVERHEAD
    why = f"{blocks} blocks of {size} bytes fit into {arena[1]} bytes"
    for block in range(blocks):
        trace.add("malloc", block, size, must_fit=why)
    for block in order:
        if block < blocks:
            trace.add("free", block)
    why = f"all {blocks} neighbouring blocks of {size} bytes are free, {blocks * size} bytes in all"
    trace.add("malloc", blocks, blocks * size, must_fit=why)
    replay(learner, trace)


@given(traces(("malloc", "realloc", "realloc", "free")))
@settings(max_examples=30)
def test_realloc_keeps_the_bytes(learner, trace):
    replay(learner, trace)


@given(traces(("malloc", "calloc", "calloc", "free")))
@settings(max_examples=25)
def test_calloc_is_zero(learner, trace):
    replay(learner, trace)


@given(arenas, st.integers(0, 64), st.integers(1, 500), st.one_of(st.integers(1, 4), st.integers(1, 63)))
@settings(max_examples=15)
def test_huge_requests_are_refused(learner, arena, below, size, bits):
    trace = Trace(*arena)
    trace.add("malloc", 0, size, must_fit="the heap is empty")
    trace.add("malloc", 1, 2**64 - 1 - below)  # adding a header's size wraps around
    trace.add("calloc", 2, 2**bits, 2 ** (64 - bits) + below)  # wraps to a small number, or to 0
    trace.add("realloc", 0, 2**64 - 1 - below)
    trace.add("malloc", 3, arena[1] + 1 + below)
    trace.add("malloc", 4, size, must_fit="the heap is nearly empty")
    replay(learner, trace)


@given(traces(("malloc", "malloc", "calloc", "realloc", "free", "free")))
@settings(max_examples=50)
def test_random_traces(learner, trace):
    replay(learner, trace)


tiny_or_not = st.one_of(arenas, st.tuples(st.integers(0, 40), st.integers(0, 300)))


@given(traces(("malloc", "calloc", "realloc", "free"), arena=tiny_or_not))
@settings(max_examples=20)
def test_address_sanitizer(learner, trace):
    replay(learner, trace, sanitize="address")


@given(traces(("malloc", "calloc", "realloc", "free"), arena=tiny_or_not))
@settings(max_examples=20)
def test_undefined_behaviour(learner, trace):
    replay(learner, trace, sanitize="undefined")


def test_books_lie_in_the_heap(learner):
    """A table of blocks outside the heap, or memory of the system's, would make the utilisation a fiction."""
    program = learner.build("malloc.c", "drive.c")
    outside = 0
    forbidden = {
        "malloc",
        "calloc",
        "realloc",
        "aligned_alloc",
        "posix_memalign",
        "mmap",
        "sbrk",
        "brk",
        "syscall",
    }
    for line in learner.tool("nm", "-S", program).stdout.decode().splitlines():
        *numbers, kind, name = line.split()
        if kind == "U" and name.split("@")[0] in forbidden:
            fail(f"the program calls {name.split('@')[0]} of the C library: your heap is all there is")
        if len(numbers) == 2 and kind in "bBdD" and not name.startswith("drive_"):
            outside += int(numbers[1], 16)
    if outside > 4096:
        fail(f"{outside} bytes of static data, 4096 are allowed: the books belong into the heap")


def test_utilisation(learner, measure, rng):
    filled = []
    for _ in range(3):
        trace = Trace(int(rng.integers(0, 100)), int(rng.integers(100_000, 140_000)))
        in_use: list[int] = []
        for block in range(900):
            low, high = [(8, 128), (128, 1024), (1024, 8192)][rng.choice(3, p=[0.6, 0.3, 0.1])]
            size = int(rng.integers(low, high))
            trace.add("malloc", block, size)
            in_use.append(block)
            if rng.random() < 0.7:
                trace.add("free", in_use.pop(int(rng.integers(len(in_use)))))
        history = replay(learner, trace)
        payload = [sum(b.size for b in live.values()) for live in history]
        filled.append(max(payload) / trace.size)
    utilisation = float(np.mean(filled))
    measure.value("utilisation", utilisation, unit="of the heap")
    if utilisation < 0.75:
        fail(
            f"at its fullest the heap held {utilisation:.0%} payload, the bar is 75%: "
            "a large free block should be split, and the books should be small"
        )
