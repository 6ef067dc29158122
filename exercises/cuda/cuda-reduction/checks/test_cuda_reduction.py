import math
from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, fail

SOURCE = "reduction.cu"
MAX_REGISTERS = 64
MAX_BARRIERS = 2
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\x7f" * 4, np.float32)[0]


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    x: np.ndarray
    size: int  # blocks of the kernel, or floats of scratch
    threads: int = 0
    offset: int = 0
    kernels: int = 0

    def request(self):
        head = f"{self.mode} {len(self.x)} {self.offset} {self.size} {self.threads}\n"
        return head.encode() + self.x.tobytes()

    def name(self):
        n = len(self.x)
        if self.mode == "kernel":
            return f"sum_blocks<<<{self.size}, {self.threads}>>> on {n} elements"
        name = f"launch_sum on {n} elements with room = {self.size}"
        return name + (", captured into a graph," if self.mode == "stream" else "")


def draw(rng, mode, n, size, threads=0, offset=0):
    """A case with small integers, whose sum is exact in every order."""
    x = rng.integers(1, 100, n).astype(np.float32)
    return Case(mode, x, size, threads, offset)


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
    """The results of all cases against the exact sums."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        count = case.size if case.mode == "kernel" else 1
        got, out = np.frombuffer(out[: 4 * count], np.float32), out[4 * count :]
        missing = np.flatnonzero(got == UNTOUCHED)
        if len(got) != count or len(missing):
            where = f"partial[{missing[0]}]" if case.mode == "kernel" and len(missing) else "the result"
            fail(f"{case.name()}: {where} was never written")
        compare_sums(case, got)
        if inputs:
            fail(f"{case.name()}: {inputs} elements of x were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the arrays were written")


def compare_sums(case, got):
    """Integers have to agree, anything else up to some roundings of the sum of the magnitudes."""
    numbers = case.x.astype(np.float64)
    total, expected = math.fsum(got.astype(np.float64)), math.fsum(numbers)
    whole = bool((numbers == np.round(numbers)).all())
    allowed = 0.0 if whole else 32 * np.finfo(np.float32).eps * float(np.abs(numbers).sum())
    if not abs(total - expected) <= allowed:
        what = "the sum of all partial[b]" if case.mode == "kernel" else "the sum"
        fail(f"{case.name()}: {what} is wrong", got=total, expected=expected)


def test_builds(learner):
    emulated(learner)


def test_one_warp(learner, rng):
    check_emulated(learner, [draw(rng, "kernel", 32, 1, 32) for _ in range(3)])


def test_one_block(learner, rng):
    sizes = [64, 96, 256, 1024, 32 * int(rng.integers(3, 31))]
    check_emulated(learner, [draw(rng, "kernel", n, 1, n) for n in sizes])


def test_any_launch(learner, rng):
    shapes = [(1, 32), (1, 1024), (3, 64), (7, 160), (int(rng.integers(2, 20)), 32 * int(rng.integers(1, 9)))]
    sizes = (1, 33, 1000, 0, *rng.integers(100, 3000, 2).tolist())
    check_emulated(learner, [draw(rng, "kernel", n, b, t) for b, t in shapes for n in sizes])
    check_emulated(learner, [draw(rng, "kernel", 1001, 4, 96, offset=o) for o in (1, 2, 3)])


def test_coalesced(learner, rng):
    blocks, n = 4, 128 * int(rng.integers(40, 90))
    kernel = check_emulated(learner, [draw(rng, "kernel", n, blocks, 128)]).kernel("sum_blocks")
    loads, stores = kernel.global_loads, kernel.global_stores
    if loads.bytes != 4 * n:
        fail(f"the kernel asked for {loads.bytes} bytes; x has {4 * n}, and each is needed once")
    if loads.efficiency < 0.9:
        fail(
            f"of the bytes that the loads of a warp move, {loads.efficiency:.0%} are used: "
            f"neighbouring threads touch elements far apart\n{loads.where()}"
        )
    if stores.lanes + kernel.global_atomics.operations > blocks:
        fail(f"{blocks} blocks wrote {stores.lanes} floats to global memory, where one each is enough")


def test_shuffles(learner, rng):
    blocks, threads = int(rng.integers(2, 6)), 1024
    report = check_emulated(learner, [draw(rng, "kernel", 3 * blocks * threads, blocks, threads)])
    kernel = report.kernel("sum_blocks")
    if kernel.shared_atomics.operations > blocks * threads // 32:
        fail(
            f"{kernel.shared_atomics.operations} atomic additions in shared memory for {blocks} blocks of {threads}: "
            f"up to {kernel.shared_atomics.same_address_max} lanes of a warp wait for one another"
        )
    if kernel.barriers > MAX_BARRIERS * blocks:
        fail(
            f"a block of {threads} threads waited at {kernel.barriers / blocks:.0f} barriers; with the sums of warps "
            f"in registers it takes {MAX_BARRIERS} at most"
        )


def test_host_function(learner, rng):
    sizes = [1, 31, 256, 257, *rng.integers(1000, 20_000, 2).tolist(), 0]
    cases = [draw(rng, "launch", n, room) for n in sizes for room in (1, 3, 1024)]
    cases.append(draw(rng, "launch", 12_000, int(rng.integers(33, 48))))
    report = check_emulated(learner, cases)
    kernel, needed = report.kernel("sum_blocks"), sum(case.x.nbytes for case in cases)
    if kernel.global_loads.bytes < needed:
        fail(f"sum_blocks read {kernel.global_loads.bytes} bytes in all; the arrays had {needed}")


def test_accuracy(learner, rng):
    numbers = [rng.normal(size=n) * 10.0 ** rng.integers(-4, 5, n) for n in (7, 1000, 20_000)]
    check_emulated(learner, [Case("launch", x.astype(np.float32), 1024) for x in numbers])


def test_given_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(1000, 10_000)), 64)
    check_captured(emulated(learner).run(stdin=case.request(), timeout=20).stdout, case)


def check_captured(out, case):
    """A launch that waits has a word of its own; the stream that was given must have got the kernels."""
    words = out.partition(b"\n")[0].decode("latin-1").split()
    if words and words[0].startswith("cudaErrorStreamCapture"):
        fail(
            f"{case.name()} does something that cannot be recorded ({words[0]}): it waits for the GPU, "
            "or uses the default stream"
        )
    compare(out, [case])
    if case.kernels < 1:
        fail(f"{case.name()[:-1]}: the stream that it was given got no kernel")


def test_compiles(learner):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "sum_blocks" not in kernels:
        found = ", ".join(kernels) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called sum_blocks; nvcc found {found}")
    kernel = kernels["sum_blocks"]
    if kernel.spills:
        fail(f"sum_blocks spills {kernel.spills} bytes of registers to memory")
    if kernel.registers > MAX_REGISTERS:
        fail(
            f"sum_blocks takes {kernel.registers} registers a thread: a block of 1,024 threads has {MAX_REGISTERS}"
        )


def test_launches(learner, rng):
    shapes = [
        (1, 32),
        (1, 1024),
        (3, 64),
        (500, 160),
        (int(rng.integers(2, 90)), 32 * int(rng.integers(1, 33))),
    ]
    sizes = (1, 33, 1000, 0, *rng.integers(100, 100_000, 2).tolist())
    check(learner, [draw(rng, "kernel", n, b, t) for b, t in shapes for n in sizes])


def test_sums(learner, rng):
    sizes = [1, 255, 256, 257, 0, *rng.integers(10_000, 300_000, 3).tolist()]
    cases = [draw(rng, "launch", n, room, offset=1) for n in sizes for room in (1, 50, 4096)]
    x = rng.normal(size=5_000_000) * 10.0 ** rng.integers(-4, 5, 5_000_000)
    check(learner, [*cases, Case("launch", x.astype(np.float32), 1024)])


def test_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(10_000, 100_000)), 1024)
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    n, count = 2**31 + int(rng.integers(1000, 10**7)), 64
    index = np.concatenate(
        [[0, 2**31 - 1, 2**31, n - 1], rng.integers(0, n, count - 24), rng.integers(2**31, n, 20)]
    )
    index = np.unique(index).astype(np.uint64)
    value = rng.integers(1, 1000, len(index)).astype(np.float32)
    pairs = np.rec.fromarrays([index, value], dtype=[("index", "<u8"), ("value", "<f4")]).tobytes()
    name = f"launch_sum on {n} elements"
    _, out = head(run(learner, [f"huge {n} {len(index)} 1024 0\n".encode(), pairs]), name)
    total = float(np.frombuffer(out, np.float32)[0]) if len(out) == 4 else math.nan
    if total != float(value.sum()):
        fail(
            f"{name}: the sum is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=total,
            expected=float(value.sum()),
        )


def test_fast(learner, measure):
    n = 2**27
    measure.program(
        "sum of 2^27 float32",
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        n,
        inputs=[("float32", n)],
        outputs=[("float32", 1)],
        reference=lambda x: torch.sum(x, dtype=torch.float64).float().reshape(1),
        baseline="copy",
        bytes=4 * n,
        flops=n,
        dtype="float32",
        at_least=0.6,
        star=0.9,
        rtol=0,
        # sums of uniform numbers from -1 to 1 come to some 7,000, and their roundings to less than 0.02
        atol=0.1,
    )
