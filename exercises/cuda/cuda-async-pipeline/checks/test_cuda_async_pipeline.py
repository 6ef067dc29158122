import re
from dataclasses import dataclass

import numpy as np

from mlsys_path.checking.testing import assert_close, fail

SOURCE = "pipeline.cu"
ROWS, COLS, DEPTH = 128, 256, 32  # of harness/tile.cuh
TILE = 2 * (ROWS + COLS) * DEPTH  # bytes of a tile of a and one of b
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\xa5" * 4, np.uint32)[0]


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    a: np.ndarray
    b: np.ndarray
    kernels: int = 0

    @property
    def shape(self):
        """m, n, k."""
        return self.a.shape[0], self.b.shape[1], self.a.shape[1]

    def request(self):
        m, n, k = self.shape
        return f"{self.mode} {m} {n} {k}\n".encode() + self.a.tobytes() + self.b.tobytes()

    def name(self):
        m, n, k = self.shape
        captured = ", captured into a graph," if self.mode == "stream" else ""
        return f"launch_matmul of {m} × {k} and {k} × {n}{captured}"


def draw(rng, m, n, k, mode="launch"):
    """A case with small whole numbers, whose sums are exact in any order."""
    a, b = rng.integers(-4, 5, (m, k)), rng.integers(-4, 5, (k, n))
    return Case(mode, a.astype(np.float16), b.astype(np.float16))


def run(learner, cases):
    """The bytes that harness/main.cu answers on the GPU."""
    program = learner.build("main.cu", SOURCE, flags=["-arch=native"])
    return program.run(stdin=b"".join(case.request() for case in cases), timeout=40).stdout


def check(learner, cases):
    """Run all cases in one process on the GPU, and compare the results in turn."""
    compare(run(learner, cases), cases)


def check_emulated(learner, cases):
    """The same on the CPU; what the emulation saw of the kernel."""
    program = learner.emulate("main.cu", SOURCE)
    done = program.run(stdin=b"".join(case.request() for case in cases), timeout=40)
    compare(done.stdout, cases)
    return done.report


def head(out, name):
    """The first line of an answer: three numbers; and the rest."""
    line, _, rest = out.partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) != 5:
        fail(f"{name}: the program ended without an answer. Does your code print, or end the program?")
    launched, finished, *numbers = words
    if launched != OK:
        fail(f"{name}: starting it returned {launched}")
    if finished != OK:
        fail(f"{name}: it ended with {finished}")
    return [int(number) for number in numbers], rest


def compare(out, cases):
    """The results of all cases against numpy's."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        m, n, _k = case.shape
        c, out = np.frombuffer(out[: 4 * m * n], np.float32), out[4 * m * n :]
        if c.size != m * n:
            fail(f"{case.name()}: the program ended in the middle of its answer")
        c = c.reshape(m, n)
        missing = np.argwhere(c.view(np.uint32) == UNTOUCHED)
        if len(missing):
            row, column = missing[0]
            fail(
                f"{case.name()}: {len(missing)} elements of c were never written, the first is [{row}, {column}]"
            )
        expected = case.a.astype(np.float32) @ case.b.astype(np.float32)
        assert_close(c, expected, rtol=0, atol=0, tile=(ROWS, COLS), what=f"{case.name()}: c")
        if inputs:
            fail(f"{case.name()}: {inputs} bytes of a and b were changed")
        if guards:
            fail(f"{case.name()}: {guards} bytes outside of the arrays were written")


def test_builds(learner):
    learner.emulate("main.cu", SOURCE)


def test_one_tile(learner, rng):
    kernel = check_emulated(learner, [draw(rng, ROWS, COLS, DEPTH)]).kernel("matmul")
    loaded, brought = kernel.global_loads.bytes, kernel.async_copies.bytes
    if loaded != TILE:
        fail(f"matmul loads {loaded} bytes, and the tiles of a and b have {TILE}")
    if brought != loaded:
        fail(
            f"of {loaded} bytes that matmul loads, asynchronous copies bring {brought}. The others go through "
            "registers: their thread stands still until they have come, and only then stores them"
        )


def test_many_tiles(learner, rng):
    check_emulated(learner, [draw(rng, ROWS, COLS, DEPTH * int(rng.integers(9, 14)))])


def test_few_tiles(learner, rng):
    lengths = [0, 8, 24, 40, 64, 72, 96, 128, 136, int(rng.integers(20, 30)) * 8]
    check_emulated(learner, [draw(rng, ROWS, COLS, k) for k in rng.permutation(lengths).tolist()])


def test_every_shape(learner, rng):
    shapes = [(16, 16, 32), (16, 272, 40), (144, 16, 200), (240, 304, 64)]
    shapes += (rng.integers(1, 17, (3, 3)) * [16, 16, 8]).tolist()
    check_emulated(learner, [draw(rng, *shape) for shape in shapes])


def test_empty(learner, rng):
    check_emulated(
        learner, [draw(rng, *shape) for shape in [(0, 0, 0), (0, 48, 16), (64, 0, 8), (16, 32, 0)]]
    )


def measured(learner, rng, tiles):
    """What the kernel did with a long product of whole tiles."""
    return check_emulated(learner, [draw(rng, ROWS, COLS, DEPTH * tiles)]).kernel("matmul")


def test_wide_copies(learner, rng):
    loads = measured(learner, rng, 8).global_loads
    wide = loads.bytes / loads.lanes
    if wide != 16:
        fail(
            f"a copy moves {wide:.3g} bytes on average. One of 16 costs as much as one of 4, "
            "and only copies of 16 go past the L1 cache"
        )
    if loads.efficiency < 0.9:
        fail(
            f"the copies of a warp touch {loads.sectors_per_request:.1f} sectors of 32 bytes where 16 would do: "
            f"{loads.efficiency:.1%} of the bytes that move are used\n{loads.where()}"
        )


def test_under_way(learner, rng):
    copies = measured(learner, rng, 24).async_copies
    if copies.under_way < 1.5 * TILE:
        fail(
            f"while the block reads its tiles, {copies.under_way / 1024:.1f} KB are on their way on average: "
            f"{copies.under_way / TILE:.2f} tiles of {TILE // 1024} KB. At least 1.5 tiles should be"
        )


def test_given_stream(learner, rng):
    case = draw(rng, 144, 32, 104, mode="stream")
    check_captured(learner.emulate("main.cu", SOURCE).run(stdin=case.request(), timeout=20).stdout, case)


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
    for target in ("sm_80", "sm_90"):
        compiled = learner.compile(SOURCE, target=target)
        if "matmul" not in compiled.kernels:
            found = ", ".join(compiled.kernels) or "no kernel at all"
            fail(f"there should be a kernel (__global__) called matmul; nvcc found {found}")
        kernel = compiled.kernels["matmul"]
        if target == "sm_90":
            measure.resources(kernel)
        if not re.search(r"\bcp\.async\.c[ag]\.shared\.global\b[^;]*, 16", compiled.ptx):
            fail(f"{target}: the PTX has no asynchronous copy of 16 bytes (cp.async)")
        if "cp.async.commit_group" not in compiled.ptx:
            fail(f"{target}: the PTX commits no group of copies (cp.async.commit_group)")
        waits = [int(n) for n in re.findall(r"\bcp\.async\.wait_group\s+(\d+)", compiled.ptx)]
        if not any(waits):
            fail(
                f"{target}: no wait in the PTX lets a copy go on (cp.async.wait_group with a number above 0): "
                f"found {', '.join(f'wait_group {n}' for n in waits) or 'none'}"
            )
        if not re.search(r"\bw?mma\.", compiled.ptx):
            fail(f"{target}: the PTX has no products of tensor cores; tile::Sums::add makes them")
        if kernel.spills:
            fail(f"{target}: matmul spills {kernel.spills} bytes of registers to memory")


def test_shapes(learner, rng):
    shapes = [(16, 16, 8), (128, 128, 0), (1024, 512, 4096), (2064, 16, 136), (16, 2064, 72)]
    shapes += (rng.integers(1, 60, (5, 3)) * [16, 16, 8]).tolist()
    check(learner, [draw(rng, *shape) for shape in [*shapes, (0, 16, 8), (16, 0, 8), (256, 128, 96)]])


def test_stream(learner, rng):
    case = draw(rng, *(rng.integers(10, 40, 3) * 16).tolist(), mode="stream")
    check_captured(run(learner, [case]), case)


def test_fast(learner, measure):
    n = 4096
    program = learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"])
    common = {
        "inputs": [("float16", n * n)] * 2,
        "outputs": [("float32", n * n)],
        "reference": lambda a, b: a.view(n, n).float() @ b.view(n, n).float(),
        "baseline": lambda a, b: a.view(n, n) @ b.view(n, n),
        "bytes": 8 * n * n,
        "flops": 2 * n**3,
        "dtype": "float16",
        "rtol": 1e-3,
        "atol": 0.05,
    }
    plain = measure.program("the same tiles without a pipeline, 4096³ float16", program, "plain", n, **common)
    mine = measure.program("matmul 4096³ float16", program, "time", n, at_least=0.25, star=0.33, **common)
    # both were timed in alternation with the same baseline
    gain = mine.ratio / plain.ratio
    measure.value("gain of the pipeline", gain, unit="×")
    if gain < 1.2:
        fail(
            f"the pipeline makes the product {gain:.2f} times as fast as the same tiles without one; asked for 1.2"
        )
