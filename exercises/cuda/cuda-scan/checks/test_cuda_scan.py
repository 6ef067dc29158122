from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, fail

SOURCE = "scan.cu"
OK = "cudaSuccess"
MAX_REGISTERS = 128
MAX_MOVED = 4  # passes over the array, reads and writes together
MAX_SHARED = 6  # passes through shared memory for the 32 elements of a warp
UNTOUCHED = 0x7F7F7F7F


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    x: np.ndarray
    exclusive: bool = False
    in_place: bool = False
    earlier: np.ndarray | None = None
    kernels: int = 0

    def request(self):
        head = f"{self.mode} {len(self.x)} {int(self.exclusive)} {int(self.in_place)} 0\n".encode()
        return head + (b"" if self.earlier is None else self.earlier.tobytes()) + self.x.tobytes()

    def name(self):
        words = [f"launch_scan on {len(self.x)} elements"]
        words += ["exclusive"] * self.exclusive + ["y = x"] * self.in_place
        words += ["called again with the same scratch memory"] * (self.mode == "again")
        words += ["captured into a graph"] * (self.mode == "stream")
        return ", ".join(words)

    def expected(self):
        sums = np.cumsum(self.x, dtype=np.uint32)
        return sums - self.x if self.exclusive else sums


def draw(rng, mode, n, below=100, **more):
    """A case with numbers from 1 to below `below`."""
    earlier = rng.integers(1, below, n, np.uint32) if mode == "again" else None
    return Case(mode, rng.integers(1, below, n, np.uint32), earlier=earlier, **more)


def run(learner, requests):
    """The bytes that harness/main.cu answers on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-arch=native"])
    return program.run(stdin=b"".join(requests), timeout=40).stdout


def emulated(learner, flags=()):
    """The same program for the CPU."""
    return learner.emulate("main.cu", SOURCE, flags=list(flags))


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


def check_emulated(learner, cases, flags=()):
    """The same on the CPU; what the emulation saw."""
    done = emulated(learner, flags).run(stdin=b"".join(case.request() for case in cases), timeout=30)
    compare(done.stdout, cases)
    needed = sum(case.x.nbytes for case in cases)
    for what, array, traffic in (("read", "x", "global_loads"), ("wrote", "y", "global_stores")):
        got = total(done.report, traffic, "bytes")
        if got < needed:
            fail(
                f"the kernels {what} {got} bytes of global memory in all, and {array} has {needed}: who did the rest?"
            )
    return done.report


def total(report, traffic, number):
    """Of all kernels together."""
    return sum(getattr(getattr(kernel, traffic), number) for kernel in report.kernels.values())


def compare(out, cases):
    """The results of all cases against the exact sums."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        expected, size = case.expected(), case.x.nbytes
        got, out = np.frombuffer(out[: size - len(out[:size]) % 4], np.uint32), out[size:]
        if len(got) != len(expected):
            fail(f"{case.name()}: the program ended without an answer")
        wrong = np.flatnonzero(got != expected)
        if len(wrong):
            tell(case, got, expected, wrong)
        if inputs:
            fail(f"{case.name()}: {inputs} bytes of x were changed")
        if guards:
            fail(f"{case.name()}: {guards} bytes outside of the arrays were written")


def tell(case, got, expected, wrong):
    """Fail with the first wrong element."""
    i = int(wrong[0])
    if got[i] == UNTOUCHED and not case.in_place:
        fail(f"{case.name()}: y[{i}] was never written ({len(wrong)} of {len(got)} elements are wrong)")
    of = f"of x[0] to x[{i - case.exclusive}]" if i or not case.exclusive else "of nothing, 0"
    before = f", and y[{i - 1}] is right" if i else ""
    fail(
        f"{case.name()}: y[{i}] is wrong{before}. It is the sum {of}",
        got=int(got[i]),
        expected=int(expected[i]),
    )


def test_builds(learner):
    emulated(learner)


def test_one_warp(learner, rng):
    check_emulated(learner, [draw(rng, "clean", n) for n in (4, 16, 32)])


def test_one_block(learner, rng):
    sizes = [64, 128, 256, 1024, 4 * int(rng.integers(9, 256))]
    check_emulated(learner, [draw(rng, "clean", n) for n in sizes])


def test_many_blocks(learner, rng):
    sizes = [4096, 16_384, 4 * int(rng.integers(8000, 12_000))]
    check_emulated(learner, [draw(rng, "clean", n) for n in sizes])


def test_exclusive(learner, rng):
    sizes = [4, 32, 256, 4 * int(rng.integers(5000, 6000))]
    check_emulated(learner, [draw(rng, "clean", n, exclusive=True) for n in sizes])


def test_every_length(learner, rng):
    sizes = [1, 2, 3, 31, 33, 1023, 1025, 4095, 4097, 8191, *rng.integers(5, 9000, 4).tolist(), 0]
    cases = [draw(rng, "clean", n, below=2**32, exclusive=bool(rng.integers(2))) for n in sizes]
    cases += [
        draw(rng, "clean", n, exclusive=e, in_place=True) for n in (1, 777, 8229) for e in (False, True)
    ]
    check_emulated(learner, cases)


def test_dirty_scratch(learner, rng):
    sizes = (1, 20_000 + int(rng.integers(100)))
    check_emulated(learner, [draw(rng, mode, n) for mode in ("dirty", "again") for n in sizes])


def test_slow_blocks(learner, rng):
    # a block stands still at its barriers for as long as it takes others to begin
    flags = ["-include", "slow.h", f"-DSALT={rng.integers(1000)}u"]
    check_emulated(learner, [draw(rng, "dirty", 160_000 + int(rng.integers(1000))) for _ in range(2)], flags)


def measured(learner, rng):
    """What the kernels did with a number of elements that is a multiple of 16,384, and this number."""
    n = 16_384 * int(rng.integers(5, 9))
    return check_emulated(learner, [draw(rng, "dirty", n)]), n


def test_traffic(learner, rng):
    report, n = measured(learner, rng)
    moved = sum(total(report, traffic, "bytes") for traffic in ("global_loads", "global_stores"))
    if moved > 1.1 * MAX_MOVED * 4 * n:
        fail(
            f"the kernels read and wrote {moved / (4 * n):.1f} times the bytes of x; three kernels need 3, a single "
            f"one 2, and {MAX_MOVED} are allowed"
        )


def test_a_million(learner, rng):
    # in blocks of 256 threads 64 fit at once; a tile has hardly more than 16,384 elements
    check_emulated(learner, [draw(rng, "dirty", 1_050_000 + int(rng.integers(10_000)))])


def test_coalesced(learner, rng):
    report, _ = measured(learner, rng)
    for what, traffic in (("loads", "global_loads"), ("stores", "global_stores")):
        for kernel in report.kernels.values():
            of = getattr(kernel, traffic)
            # what is read or written once a tile is not worth a word
            if of.sectors > 2000 and of.efficiency < 0.8:
                fail(
                    f"of the bytes that the {what} of {kernel.name} move, {of.efficiency:.0%} are used: "
                    f"the lanes of a warp touch elements far apart\n{of.where()}"
                )


def test_shuffles(learner, rng):
    report, n = measured(learner, rng)
    passes = sum(total(report, traffic, "wavefronts") for traffic in ("shared_loads", "shared_stores"))
    atomics = total(report, "shared_atomics", "operations")
    if passes + atomics > MAX_SHARED * n / 32:
        where = max(
            (getattr(k, t) for k in report.kernels.values() for t in ("shared_loads", "shared_stores")),
            key=lambda traffic: traffic.wavefronts,
        )
        fail(
            f"for each 32 elements there are {(passes + atomics) * 32 / n:.1f} passes through shared memory, and "
            f"{MAX_SHARED} are allowed: the lanes of a warp can read each other's registers\n{where.where()}".rstrip()
        )


def test_given_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(5000, 20_000)))
    check_captured(emulated(learner).run(stdin=case.request(), timeout=20).stdout, case)


def check_captured(out, case):
    """A launch that waits has a word of its own; the stream that was given must have got the kernels."""
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
    if not kernels:
        fail("nvcc found no kernel (__global__) at all")
    for name, kernel in kernels.items():
        if kernel.spills:
            fail(f"{name} spills {kernel.spills} bytes of registers to memory")
        if kernel.registers > MAX_REGISTERS:
            fail(
                f"{name} takes {kernel.registers} registers a thread: few threads fit at once, and few loads"
            )


def test_lengths(learner, rng):
    sizes = [1, 3, 4095, 4097, *rng.integers(10_000, 500_000, 4).tolist(), 0]
    cases = [draw(rng, "dirty", n, below=2**32, exclusive=e) for n in sizes for e in (False, True)]
    cases += [draw(rng, "dirty", n, in_place=True) for n in rng.integers(1, 1_000_000, 3).tolist()]
    check(learner, [*cases, draw(rng, "again", 2_000_000 + int(rng.integers(100)))])


def test_many_times(learner, rng):
    # a race between blocks shows now and then
    check(learner, [draw(rng, "again", 60_000 + int(rng.integers(60_000))) for _ in range(40)])


def test_stream(learner, rng):
    case = draw(rng, "stream", int(rng.integers(100_000, 1_000_000)))
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    n, count = 2**31 + int(rng.integers(1000, 10**7)), 64
    index = np.unique(np.concatenate([[0, 2**31 - 1, 2**31, n - 1], rng.integers(0, n, count)]))
    value = rng.integers(1, 1000, len(index))
    places = np.unique(np.concatenate([index, index[1:] - 1, rng.integers(0, n, count)]))
    expected = np.cumsum(value)[np.searchsorted(index, places, side="right") - 1]
    name = f"launch_scan on {n} elements, y = x"
    pairs = np.stack([index, value], 1).astype(np.uint64).tobytes()
    request = f"huge {n} 0 {len(index)} {len(places)}\n".encode() + pairs + places.astype(np.uint64).tobytes()
    _, out = head(run(learner, [request]), name)
    got = np.frombuffer(out, np.uint32)
    wrong = np.flatnonzero(got != expected) if len(got) == len(expected) else [0]
    if len(wrong):
        k = wrong[0]
        fail(
            f"{name}: y[{places[k]}] is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=int(got[k]) if len(got) == len(expected) else None,
            expected=int(expected[k]),
        )


def test_fast(learner, measure):
    n = 2**26
    measure.program(
        "scan of 2^26 uint32",
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        n,
        # sums stay below 2^31, so that int32 holds them
        inputs=[("int32", n, 0, 32)],
        outputs=[("int32", n)],
        reference=lambda x: torch.cumsum(x, 0, dtype=torch.int64).to(torch.int32),
        baseline="copy",
        bytes=8 * n,
        flops=n,
        dtype="float32",
        at_least=0.4,
        star=0.6,
        rtol=0,
        atol=0,
    )
