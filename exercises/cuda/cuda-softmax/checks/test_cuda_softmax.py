from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, assert_close, fail

SOURCE = "softmax.cu"
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\xa5" * 4, np.uint32)[0]
READ_ONCE = 8193  # the widest row that has to be read only once
MOST_BARRIERS = 4  # for a row: two for the maximum and two for the sum
WIDE = 15  # bytes an access, on average; those of a float4 are 16
RTOL = 3e-5  # the fast exponential is wrong by a hundred roundings at -80


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    x: np.ndarray
    kernels: int = 0

    def request(self):
        rows, cols = self.x.shape
        return f"{self.mode} {rows} {cols} 0\n".encode() + self.x.tobytes()

    def name(self):
        rows, cols = self.x.shape
        return f"launch_softmax on {rows} rows of {cols}" + (
            ", captured into a graph," if self.mode == "stream" else ""
        )


def draw(rng, rows, cols, mode="launch"):
    """A case with scores as those of attention."""
    return Case(mode, (3 * rng.normal(size=(rows, cols))).astype(np.float32))


def softmax(x):
    """The expected rows, in float64; zeros for a row of nothing but minus infinity."""
    x = x.astype(np.float64)
    if not x.size:
        return x.astype(np.float32)
    largest = x.max(1, keepdims=True)
    e = np.exp(x - np.where(np.isfinite(largest), largest, 0))
    total = e.sum(1, keepdims=True)
    return (e / np.where(total > 0, total, 1)).astype(np.float32)


def run(learner, requests):
    """The bytes that harness/main.cu answers on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"])
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
    """The results of all cases against a softmax in float64."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        y, out = np.frombuffer(out[: case.x.nbytes], np.float32), out[case.x.nbytes :]
        if y.size != case.x.size:
            fail(f"{case.name()}: the program ended in the middle of its answer")
        y = y.reshape(case.x.shape)
        missing = np.argwhere(y.view(np.uint32) == UNTOUCHED)
        if len(missing):
            row, column = missing[0]
            fail(
                f"{case.name()}: {len(missing)} elements of y were never written, the first is [{row}, {column}]"
            )
        strange = np.argwhere(np.isnan(y))
        if len(strange):
            row, column = strange[0]
            fail(
                f"{case.name()}: y[{row}, {column}] is NaN, for x[{row}, {column}] = {case.x[row, column]} in a row "
                f"whose largest element is {case.x[row].max()}"
            )
        assert_close(y, softmax(case.x), rtol=RTOL, atol=1e-30, what=f"{case.name()}: y")
        if inputs:
            fail(f"{case.name()}: {inputs} elements of x were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the arrays were written")


def odd(rng, low, high):
    """A width that is not even."""
    return 2 * int(rng.integers(low // 2, high // 2)) + 1


def test_builds(learner):
    emulated(learner)


def test_one_warp(learner, rng):
    check_emulated(learner, [draw(rng, 1, 32), draw(rng, 9, 32)])


def test_one_block(learner, rng):
    widths = [64, 256, 1024, 4096, 8192, 128 * int(rng.integers(2, 40))]
    check_emulated(learner, [draw(rng, int(rng.integers(1, 4)), cols) for cols in widths])


def test_any_width(learner, rng):
    widths = [1, 2, 3, 4, 5, 31, 33, 63, 100, 1023, 1025, 8193, *rng.integers(6, 3000, 4).tolist()]
    check_emulated(learner, [draw(rng, int(rng.integers(1, 7)), cols) for cols in widths])


def special(rng, cols):
    """Rows in which exp(x) is too large or too small, or which grow, so that each new element is the largest."""
    x = 3 * rng.normal(size=(7, cols))
    x[0] *= 100
    x[1] += 1e4
    x[2] -= 1e4
    x[3] *= 1e37
    x[4] = np.sort(x[4]) * 20
    x[5] = -np.sort(-x[5]) * 20
    x[6] = x[6, 0]
    return Case("launch", x.astype(np.float32))


def masked(rng, cols):
    """Rows with minus infinity: in places, at both ends, everywhere but in one element, everywhere."""
    x = draw(rng, 7, cols)
    x.x[0, ::2] = -np.inf
    x.x[1, cols // 2 :] = -np.inf
    x.x[2, : cols - 1] = -np.inf
    x.x[3, 1:] = -np.inf
    x.x[4] = -np.inf
    x.x[5, rng.random(cols) < 0.99] = -np.inf
    return x


def test_large_values(learner, rng):
    check_emulated(learner, [special(rng, cols) for cols in (32, odd(rng, 300, 900), 2048)])


def test_minus_infinity(learner, rng):
    check_emulated(learner, [masked(rng, cols) for cols in (32, odd(rng, 300, 900), 2048)])


def test_empty(learner, rng):
    check_emulated(learner, [draw(rng, *shape) for shape in ((0, 0), (0, 7), (40, 0), (3, 40))])


def moved(report):
    """The bytes that all kernels have loaded, and stored."""
    kernels = report.kernels.values()
    return sum(k.global_loads.bytes for k in kernels), sum(k.global_stores.bytes for k in kernels)


def demand_moved(learner, case, most):
    """Loads of at most so many times the matrix, and stores of it once."""
    loaded, stored = moved(check_emulated(learner, [case]))
    size = case.x.nbytes
    if loaded < size:
        fail(f"{case.name()}: the kernels load {loaded} bytes, and x has {size}")
    if loaded > most * size:
        fail(
            f"{case.name()}: the kernels load {loaded:,} bytes, {loaded / size:.2f} times what x has; "
            f"{'once' if most == 1 else 'twice'} is enough"
        )
    if stored != size:
        fail(f"{case.name()}: the kernels store {stored:,} bytes, and y has {size:,}")


def test_read_once(learner, rng):
    for cols in (32, 2048, READ_ONCE - 1, READ_ONCE, odd(rng, 1000, 8000)):
        demand_moved(learner, draw(rng, 2, cols), 1)


def test_wide_rows(learner, rng):
    # as wide as the vocabulary of a language model: whatever a block keeps of a row, it is not all of it
    for cols in (4 * int(rng.integers(32_000, 34_000)), odd(rng, 100_000, 130_000)):
        demand_moved(learner, draw(rng, 2, cols), 2)


def test_coalesced(learner, rng):
    # rows of odd widths begin anywhere in a sector: a warp's 128 bytes lie in five of them
    for cols, least in ((2048, 0.9), (8 * int(rng.integers(500, 1000)), 0.9), (odd(rng, 2000, 8000), 0.7)):
        case = draw(rng, 3, cols)
        kernel = check_emulated(learner, [case]).kernel("softmax")
        for what, traffic in (("loads", kernel.global_loads), ("stores", kernel.global_stores)):
            if traffic.efficiency < least:
                fail(
                    f"{case.name()}: the {what} of a warp touch {traffic.sectors_per_request:.1f} sectors of 32 bytes, "
                    f"and use {traffic.efficiency:.1%} of what these move\n{traffic.where()}"
                )


def test_wide_accesses(learner, rng):
    for cols in (2048, 4 * int(rng.integers(500, 2000))):
        case = draw(rng, 2, cols)
        kernel = check_emulated(learner, [case]).kernel("softmax")
        for what, traffic in (("load", kernel.global_loads), ("store", kernel.global_stores)):
            width = traffic.bytes / max(traffic.lanes, 1)
            if width < WIDE:
                fail(
                    f"{case.name()}: a {what} of a thread moves {width:.1f} bytes on average, and a float4 16: "
                    f"{traffic.requests} instructions of a warp, where {-(-traffic.bytes // 512)} would do"
                )


def test_few_barriers(learner, rng):
    case = draw(rng, 3, 4096)
    kernel = check_emulated(learner, [case]).kernel("softmax")
    rows = len(case.x)
    if kernel.barriers > MOST_BARRIERS * rows:
        fail(
            f"{case.name()}: {kernel.barriers / rows:.0f} barriers for each row. With shuffles inside of a warp, "
            f"one reduction needs one or two"
        )


def test_given_stream(learner, rng):
    case = draw(rng, *rng.integers(20, 100, 2).tolist(), mode="stream")
    check_captured(emulated(learner).run(stdin=case.request(), timeout=20).stdout, case)


def check_captured(out, case):
    """A launch that waits has a word of its own; the stream that was given must have got the kernel."""
    words = out.partition(b"\n")[0].decode("latin-1").split()
    if words and words[0].startswith("cudaErrorStreamCapture"):
        fail(
            f"{case.name()} does something that cannot be recorded ({words[0]}): it waits for the GPU, "
            "or uses the default stream"
        )
    compare(out, [case])
    if case.kernels < 1:
        fail(f"{case.name()[:-1]}: the stream that it was given got no kernel")


def test_compiles(learner, measure):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "softmax" not in kernels:
        found = ", ".join(kernels) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called softmax; nvcc found {found}")
    measure.resources(*kernels.values())
    for kernel in kernels.values():
        if kernel.spills:
            fail(
                f"{kernel.name} spills {kernel.spills} bytes of a thread to memory: {kernel.registers} registers are "
                "not enough for what it keeps of a row"
            )


def test_shapes(learner, rng):
    widths = [1, 2, 3, 31, 32, 33, 1000, 1023, 1024, 4096, 8192, 8193, 12_288, 32_768, 128_256, 151_937]
    cases = [draw(rng, int(rng.integers(1, 70)), cols) for cols in [*widths, *rng.integers(2, 20_000, 4)]]
    check(learner, [*cases, draw(rng, 0, 9), draw(rng, 9, 0), draw(rng, 3000, 100)])


def test_special_rows(learner, rng):
    widths = (32, odd(rng, 300, 900), 2048, 12_288, 140_000)
    check(learner, [kind(rng, cols) for cols in widths for kind in (special, masked)])


def test_many_rows(learner, rng):
    rows = 4_200_000 + int(rng.integers(1, 1000))
    check(learner, [draw(rng, rows, int(rng.integers(1, 6)))])


def test_stream(learner, rng):
    case = draw(rng, *rng.integers(100, 900, 2).tolist(), mode="stream")
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    rows, cols, count = 67_000 + int(rng.integers(1, 100)), 32_768, 24  # beyond 2**31 elements
    number = np.unique([*(rows - 1 - np.arange(12)), *rng.integers(0, rows, count - 12)])
    x = (3 * rng.normal(size=(len(number), cols))).astype(np.float32)
    data = b"".join(np.uint64(n).tobytes() + row.tobytes() for n, row in zip(number.tolist(), x, strict=True))
    name = f"launch_softmax on {rows} rows of {cols}"
    _, out = head(run(learner, [f"huge {rows} {cols} {len(number)}\n".encode(), data]), name)
    y, expected = np.frombuffer(out, np.float32), softmax(x)
    if y.size != expected.size:
        fail(f"{name}: the program ended in the middle of its answer")
    y = y.reshape(expected.shape)
    wrong = np.argwhere(~(np.abs(y - expected) <= RTOL * expected))
    if len(wrong):
        i, j = wrong[0]
        fail(
            f"{name}: y[{number[i]}, {j}] is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=float(y[i, j]),
            expected=float(expected[i, j]),
        )


def test_fast(learner, measure):
    rows, cols = 4096, 12_288
    measure.program(
        "softmax 4096×12288 float32",
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        rows,
        cols,
        inputs=[("float32", rows * cols)],
        outputs=[("float32", rows * cols)],
        reference=lambda x: torch.softmax(x.view(rows, cols), 1),
        baseline="copy",
        bytes=8 * rows * cols,
        flops=5 * rows * cols,
        dtype="float32",
        at_least=0.6,
        star=0.88,
        rtol=RTOL,
        # of numbers from -1 to 1 the smallest result is some 2.5e-5
        atol=1e-9,
    )
