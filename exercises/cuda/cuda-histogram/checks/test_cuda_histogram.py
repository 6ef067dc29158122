from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, fail

SOURCE = "histogram.cu"
BINS = 256
MAX_REGISTERS = 64
LEAST_REQUEST = 100  # bytes that the loads of a warp bring in one request, on average
MAX_TURNS = 1 / 6  # in shared memory, for each byte of a skewed input
BLOCK_WORTH = 2048  # bytes that a block of a large input counts at least
OK = "cudaSuccess"
UNTOUCHED = 0x7F7F7F7F


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    x: np.ndarray
    blocks: int = 0
    threads: int = 0
    offset: int = 0
    kernels: int = 0

    def request(self):
        head = f"{self.mode} {len(self.x)} {self.offset} {self.blocks} {self.threads}\n"
        return head.encode() + self.x.tobytes()

    def name(self):
        where = f"{len(self.x)} bytes" + f", {self.offset} behind an aligned address" * (self.offset > 0)
        if self.mode == "kernel":
            return f"count_bytes<<<{self.blocks}, {self.threads}>>> on {where}"
        return f"launch_histogram on {where}" + ", captured into a graph" * (self.mode == "stream")


def draw(rng, mode, n, blocks=0, threads=0, offset=0):
    """A case in which each byte is as likely as any other."""
    return Case(mode, rng.integers(0, BINS, n, np.uint8), blocks, threads, offset)


def skewed(rng, mode, n, blocks=0, threads=0, values=2):
    """A case in which few different bytes occur."""
    chosen = rng.choice(BINS, values, replace=False).astype(np.uint8)
    return Case(mode, rng.choice(chosen, n), blocks, threads)


def run(learner, requests):
    """The bytes that harness/main.cu answers on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-arch=native"])
    return program.run(stdin=b"".join(requests), timeout=40).stdout


def emulated(learner):
    """The same program for the CPU."""
    return learner.emulate("main.cu", SOURCE)


def head(out, name):
    """The first line of an answer: three numbers; and the rest."""
    line, _, rest = out.partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) != 5:
        fail(f"{name}: the program ended without an answer. Does your code print, or end the program?")
    launched, finished, *numbers = words
    if launched == "cudaErrorMemoryAllocation":
        raise Open("the GPU has not enough memory for this check")
    if launched != OK:
        fail(f"{name}: starting it returned {launched}")
    if finished != OK:
        fail(f"{name}: it ended with {finished}")
    return [int(number) for number in numbers], rest


def check(learner, cases):
    """Run all cases in one process on the GPU, and compare the results in turn."""
    compare(run(learner, [case.request() for case in cases]), cases)


def check_emulated(learner, cases):
    """The same on the CPU; what the emulation saw."""
    done = emulated(learner).run(stdin=b"".join(case.request() for case in cases), timeout=20)
    compare(done.stdout, cases)
    return done.report


def compare(out, cases):
    """The results of all cases against the counts of numpy."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        got, out = out[: 4 * BINS], out[4 * BINS :]
        compare_bins(case.name(), got, np.bincount(case.x, minlength=BINS))
        if inputs:
            fail(f"{case.name()}: {inputs} bytes of x were changed")
        if guards:
            fail(f"{case.name()}: {guards} bytes outside of the arrays were written")


def compare_bins(name, got, expected):
    """All 256 counts; a wrong one is told with the sum of all."""
    if len(got) != 4 * BINS:
        fail(f"{name}: the program ended without an answer")
    got = np.frombuffer(got, np.uint32).astype(np.int64)
    wrong = np.flatnonzero(got != expected)
    if not len(wrong):
        return
    v, n = int(wrong[0]), int(expected.sum())
    if (got == UNTOUCHED).all():
        fail(f"{name}: bins were never written")
    total = f"all counts together are {int(got.sum())}" if got.sum() != n else "all counts together are right"
    fail(
        f"{name}: bins[{v}] is wrong, one of {len(wrong)}; {total}",
        got=int(got[v]),
        expected=int(expected[v]),
    )


def test_builds(learner):
    emulated(learner)


def test_one_block(learner, rng):
    sizes = [256, 512, 8192, 256 * int(rng.integers(3, 30))]
    check_emulated(learner, [draw(rng, "kernel", n, 1, 256) for n in sizes])


def test_one_value(learner, rng):
    n = 2**16 + int(rng.integers(1, 3000))
    cases = [skewed(rng, "kernel", n, 1, 256, values=values) for values in (1, 2)]
    check_emulated(learner, [*cases, Case("kernel", np.full(5000, 255, np.uint8), 1, 256)])


def test_any_launch(learner, rng):
    shapes = [(1, 32), (1, 1024), (3, 64), (5, 160), (int(rng.integers(2, 9)), 32 * int(rng.integers(1, 20)))]
    sizes = (1, 1000, 0, int(rng.integers(100, 20_000)))
    cases = [draw(rng, "kernel", n, b, t, offset=int(rng.integers(1, 16))) for b, t in shapes for n in sizes]
    cases += [draw(rng, "kernel", n, 2, 128, offset=o) for n, o in ((5, 3), (15, 1), (40, 15), (3000, 16))]
    check_emulated(learner, cases)


def measured(learner, rng):
    """What the kernel did with uniform bytes, and its case."""
    case = draw(rng, "kernel", 4096 * int(rng.integers(12, 20)), 4, 256)
    return check_emulated(learner, [case]).kernel("count_bytes"), case


def test_privatised(learner, rng):
    kernel, case = measured(learner, rng)
    atomics, stores = kernel.global_atomics.operations, kernel.global_stores.lanes
    if atomics > case.blocks * BINS:
        fail(
            f"{case.name()}: {atomics} atomic additions in global memory; "
            f"{BINS} for each block are enough, {case.blocks * BINS} in all\n{kernel.global_atomics.where()}".rstrip()
        )
    if stores:
        fail(
            f"{case.name()}: {stores} plain stores to global memory. A block adds to what others have counted"
        )


def test_wide_loads(learner, rng):
    kernel, case = measured(learner, rng)
    loads = kernel.global_loads
    if loads.bytes != len(case.x):
        fail(f"{case.name()}: the kernel asked for {loads.bytes} bytes, and each of them is needed once")
    if loads.efficiency < 0.9:
        fail(
            f"of the bytes that the loads of a warp move, {loads.efficiency:.0%} are used: "
            f"neighbouring threads touch bytes far apart\n{loads.where()}"
        )
    if loads.bytes < LEAST_REQUEST * loads.requests:
        fail(
            f"a load brings a warp {loads.bytes / loads.requests:.0f} bytes on average; with 4 bytes a thread it would "
            "be 128, with 16 bytes 512"
        )


def test_skewed(learner, rng):
    case = skewed(rng, "kernel", 4096 * int(rng.integers(8, 14)), 2, 256)
    kernel = check_emulated(learner, [case]).kernel("count_bytes")
    atomics, n = kernel.shared_atomics, len(case.x)
    # of atomics in shared memory the report counts turns: one for each word of a bank, and for each lane that wants it
    turns = atomics.sectors
    if turns > MAX_TURNS * n:
        fail(
            f"{case.name()}, of which only two differ: the {atomics.requests} atomic instructions of warps took {turns} "
            f"turns in shared memory, {turns / n:.2f} for each byte; {MAX_TURNS:.2f} are allowed. Up to "
            f"{atomics.same_address_max} lanes of a warp waited for one another: they wanted one word, or one bank"
        )


def test_host_function(learner, rng):
    sizes = [0, 1, 255, 4097, *rng.integers(1000, 30_000, 2).tolist()]
    check_emulated(learner, [draw(rng, "launch", n, offset=int(rng.integers(16))) for n in sizes])
    case = draw(rng, "launch", 200_000 + int(rng.integers(1000)))
    kernel, n = check_emulated(learner, [case]).kernel("count_bytes"), len(case.x)
    if kernel.global_loads.bytes < n:
        fail(f"{case.name()}: count_bytes read {kernel.global_loads.bytes} bytes of them")
    if kernel.blocks * BLOCK_WORTH > n:
        fail(
            f"{case.name()} started {kernel.blocks} blocks, one for {n / kernel.blocks:.0f} bytes. Each clears 256 counts, "
            f"waits twice and adds them up: fewer blocks, of {BLOCK_WORTH:,} bytes at least, count the same"
        )


def test_given_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(1000, 10_000)))
    check_captured(emulated(learner).run(stdin=case.request(), timeout=20).stdout, case)


def check_captured(out, case):
    """A launch that waits has a word of its own; the stream that was given must have got the kernel."""
    words = out.partition(b"\n")[0].decode("latin-1").split()
    if words and words[0].startswith("cudaErrorStreamCapture"):
        fail(
            f"{case.name()}: it does something that cannot be recorded ({words[0]}): it waits for the GPU, "
            "or uses the default stream"
        )
    compare(out, [case])
    if case.kernels < 1:
        fail(f"{case.name()}: the stream that it was given got no kernel")


def test_compiles(learner):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "count_bytes" not in kernels:
        found = ", ".join(kernels) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called count_bytes; nvcc found {found}")
    kernel = kernels["count_bytes"]
    if kernel.spills:
        fail(f"count_bytes spills {kernel.spills} bytes of registers to memory")
    if kernel.registers > MAX_REGISTERS:
        fail(
            f"count_bytes takes {kernel.registers} registers a thread: a block of 1,024 threads has {MAX_REGISTERS}"
        )


def test_launches(learner, rng):
    shapes = [
        (1, 32),
        (1, 1024),
        (3, 64),
        (500, 160),
        (int(rng.integers(2, 90)), 32 * int(rng.integers(1, 33))),
    ]
    sizes = (1, 1000, 0, *rng.integers(100, 300_000, 2).tolist())
    cases = [draw(rng, "kernel", n, b, t, offset=int(rng.integers(16))) for b, t in shapes for n in sizes]
    check(learner, [*cases, *(skewed(rng, "kernel", 300_000, b, t, values=1) for b, t in shapes)])


def test_counts(learner, rng):
    sizes = [0, 1, 255, *rng.integers(10_000, 3_000_000, 4).tolist()]
    cases = [draw(rng, "launch", n, offset=int(rng.integers(16))) for n in sizes]
    check(learner, [*cases, *(skewed(rng, "launch", 4_000_000, values=values) for values in (1, 2, 5))])


def test_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(100_000, 1_000_000)))
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    n, count = 2**31 + int(rng.integers(1000, 10**7)), 64
    value, others = int(rng.integers(BINS)), rng.integers(0, BINS, count)
    index = np.unique(np.concatenate([[0, 2**31 - 1, 2**31, n - 1], rng.integers(0, n, count - 4)]))
    others = others[: len(index)]
    expected = np.bincount(others, minlength=BINS)
    expected[value] += n - len(index)
    name = f"launch_histogram on {n} bytes, nearly all of them {value}"
    pairs = np.stack([index, others], 1).astype(np.uint64).tobytes()
    _, out = head(run(learner, [f"huge {n} {len(index)} {value} 0\n".encode() + pairs]), name)
    compare_bins(f"{name} (2**31 - 1 = 2147483647)", out, expected)


def timed(learner, measure, name, low, high):
    """Bytes from low to below high, against a copy that moves as many bytes."""
    n = 2**28
    measure.program(
        name,
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        n,
        inputs=[("uint8", n, low, high)],
        outputs=[("int32", BINS)],
        reference=lambda x: torch.bincount(x, minlength=BINS).to(torch.int32),
        baseline="copy",
        bytes=n,
        dtype="float32",
        at_least=0.2,
        star=0.75,
        rtol=0,
        atol=0,
    )


def test_fast(learner, measure):
    timed(learner, measure, "histogram of 2^28 uniform bytes", 0, BINS)


def test_fast_skewed(learner, measure, rng):
    first = int(rng.integers(BINS - 1))
    timed(learner, measure, "histogram of 2^28 bytes, two values", first, first + 2)
