from dataclasses import dataclass

import numpy as np

from mlsys_path.checking.testing import Open, assert_close, fail

SOURCE = "transpose.cu"
MAX_REGISTERS = 96
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\xa5" * 4, np.uint32)[0]


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
        return f"launch_transpose on {rows} rows of {cols}" + (
            ", captured into a graph," if self.mode == "stream" else ""
        )


def draw(rng, rows, cols, mode="launch"):
    """A case with numbers that all differ, so that an exchange of any two shows."""
    numbers = rng.permutation(rows * cols) + int(rng.integers(1, 1000))
    return Case(mode, numbers.astype(np.float32).reshape(rows, cols))


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
    """The results of all cases against the transposed inputs."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        y, out = np.frombuffer(out[: case.x.nbytes], np.float32), out[case.x.nbytes :]
        if y.size != case.x.size:
            fail(f"{case.name()}: the program ended in the middle of its answer")
        y = y.reshape(case.x.shape[::-1])
        missing = np.argwhere(y.view(np.uint32) == UNTOUCHED)
        if len(missing):
            row, column = missing[0]
            fail(
                f"{case.name()}: {len(missing)} elements of y were never written, the first is "
                f"[{row}, {column}], which is x[{column}, {row}]"
            )
        assert_close(y, case.x.T.copy(), rtol=0, atol=0, tile=(32, 32), what=f"{case.name()}: y")
        if inputs:
            fail(f"{case.name()}: {inputs} elements of x were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the arrays were written")


def whole_tiles(rng):
    """Two different sides that every sensible tile divides."""
    rows, cols = rng.permutation([1, 2, 3])[:2] * 128
    return int(rows), int(cols)


def test_builds(learner):
    emulated(learner)


def test_one_square(learner, rng):
    check_emulated(learner, [draw(rng, 32, 32), draw(rng, 64, 64), draw(rng, 128, 128)])


def test_rectangles(learner, rng):
    check_emulated(learner, [draw(rng, 64, 128), draw(rng, 128, 64), draw(rng, *whole_tiles(rng))])


def test_every_shape(learner, rng):
    sides = [(1, 1), (1, 70), (70, 1), (31, 33), (33, 31), (65, 127), (32, 5), (5, 32), (3, 257)]
    sides += rng.integers(2, 150, (4, 2)).tolist()
    check_emulated(learner, [draw(rng, rows, cols) for rows, cols in sides])


def test_empty(learner, rng):
    cases = [draw(rng, 0, 0), draw(rng, 0, 7), draw(rng, 40, 0), draw(rng, 6, 40)]
    check_emulated(learner, cases)


def measured(learner, rng):
    """What the kernel did with a matrix of whole tiles, and the bytes of the matrix."""
    case = draw(rng, *whole_tiles(rng))
    return check_emulated(learner, [case]).kernel("transpose"), case.x.nbytes


def test_coalesced(learner, rng):
    kernel, size = measured(learner, rng)
    for what, array, traffic in (
        ("loads", "x", kernel.global_loads),
        ("stores", "y", kernel.global_stores),
    ):
        if traffic.bytes != size:
            fail(f"the {what} of transpose ask for {traffic.bytes} bytes, and {array} has {size}")
        if traffic.efficiency < 0.9:
            fail(
                f"the {what} of a warp touch {traffic.sectors_per_request:.1f} sectors of 32 bytes where 4 "
                f"would do: {traffic.efficiency:.1%} of the bytes that move are used\n{traffic.where()}"
            )


def test_no_conflicts(learner, rng):
    kernel, _ = measured(learner, rng)
    for what, traffic in (("loads", kernel.shared_loads), ("stores", kernel.shared_stores)):
        if traffic.conflicts:
            fail(
                f"the {what} of a warp in shared memory meet up to {traffic.conflict_ways_max} times in one bank: "
                f"{traffic.requests} of them took {traffic.wavefronts} passes\n{traffic.where()}"
            )


def test_given_stream(learner, rng):
    case = draw(rng, *rng.integers(20, 100, 2).tolist(), mode="stream")
    out = emulated(learner).run(stdin=case.request(), timeout=20).stdout
    check_captured(out, case)


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


def test_compiles(learner):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    if "transpose" not in kernels:
        found = ", ".join(kernels) or "no kernel at all"
        fail(f"there should be a kernel (__global__) called transpose; nvcc found {found}")
    kernel = kernels["transpose"]
    if kernel.spills:
        fail(f"transpose spills {kernel.spills} bytes of registers to memory")
    if kernel.registers > MAX_REGISTERS:
        fail(f"transpose takes {kernel.registers} registers a thread: few threads fit at once, and few loads")


def test_shapes(learner, rng):
    sides = [(1, 1), (1, 5000), (5000, 1), (31, 33), (65, 127), (128, 384), (2048, 1024)]
    sides += rng.integers(2, 2000, (5, 2)).tolist()
    check(learner, [draw(rng, rows, cols) for rows, cols in [*sides, (0, 9), (9, 0), (40, 50)]])


def test_tall_and_wide(learner, rng):
    # with tiles of 32 or 64 that is more than 65,535 of them along one side
    long, short = 4_200_000 + int(rng.integers(1, 1000)), int(rng.integers(1, 4))
    # one at a time: a program may print 64 MB
    check(learner, [draw(rng, long, short)])
    check(learner, [draw(rng, short, long)])


def test_stream(learner, rng):
    case = draw(rng, *rng.integers(100, 900, 2).tolist(), mode="stream")
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    rows, cols, count = 46_400 + int(rng.integers(1, 100)), 46_400 + int(rng.integers(1, 100)), 64
    column, row = rng.integers(0, cols, count), rng.integers(0, rows, count)
    row[:24], column[:24] = rows - 1 - np.arange(24), cols - 1 - rng.integers(0, 9, 24)
    start = np.unique(row * cols + column)  # rows * cols is beyond 2**31
    row, column = start // cols, start % cols
    value = rng.integers(1, 1000, len(start)).astype(np.float32)
    triples = np.rec.fromarrays(
        [start.astype(np.uint64), (column * rows + row).astype(np.uint64), value],
        dtype=[("from", "<u8"), ("to", "<u8"), ("value", "<f4")],
    ).tobytes()
    name = f"launch_transpose on {rows} rows of {cols}"
    _, out = head(run(learner, [f"huge {rows} {cols} {len(start)}\n".encode(), triples]), name)
    y = np.frombuffer(out, np.float32)
    wrong = np.flatnonzero(y != value) if len(y) == len(value) else [0]
    if len(wrong):
        k = wrong[0]
        fail(
            f"{name}: y[{column[k]}, {row[k]}] is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=float(y[k]) if len(y) == len(value) else None,
            expected=float(value[k]),
        )


def test_fast(learner, measure):
    n = 8192
    measure.program(
        "transpose 8192² float32",
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        n,
        n,
        inputs=[("float32", n * n)],
        outputs=[("float32", n * n)],
        reference=lambda x: x.view(n, n).T,
        baseline="copy",
        bytes=8 * n * n,
        dtype="float32",
        at_least=0.5,
        star=0.9,
        rtol=0,
        atol=0,
    )
