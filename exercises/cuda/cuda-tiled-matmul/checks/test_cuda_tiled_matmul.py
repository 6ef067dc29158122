from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, assert_close, fail

SOURCE = "matmul.cu"
OK = "cudaSuccess"
UNTOUCHED = np.frombuffer(b"\xa5" * 4, np.uint32)[0]
FUNCTIONS = {"tiled": "launch_tiled", "launch": "launch_matmul", "stream": "launch_matmul"}
SMALL_TILE, LARGE_TILE = 16, 64  # sides of the tiles of C whose traffic is allowed in the two steps
MOST_PASSES = 0.5  # through shared memory, for a warp's multiply-add: a micro-tile of 4 x 4
WIDE = 15  # bytes a load, on average; those of a float4 are 16


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    a: np.ndarray
    b: np.ndarray
    exact: bool = True
    kernels: int = 0

    @property
    def shape(self):
        return self.a.shape[0], self.b.shape[1], self.a.shape[1]

    @property
    def products(self):
        m, n, k = self.shape
        return m * n * k

    def request(self):
        m, n, k = self.shape
        return f"{self.mode} {m} {n} {k} 0\n".encode() + self.a.tobytes() + self.b.tobytes()

    def name(self):
        m, n, k = self.shape
        name = f"{FUNCTIONS[self.mode]} with m = {m}, n = {n}, k = {k}"
        return name + (", captured into a graph," if self.mode == "stream" else "")


def draw(rng, mode, m, n, k, exact=True):
    """A case with small integers, whose sums of products are exact in every order; or with any numbers."""
    if exact:
        a, b = rng.integers(-9, 10, (m, k)), rng.integers(-9, 10, (k, n))
    else:
        a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    return Case(mode, a.astype(np.float32), b.astype(np.float32), exact)


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
    """The results of all cases against products in float64."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        m, n, k = case.shape
        c, out = np.frombuffer(out[: 4 * m * n], np.float32), out[4 * m * n :]
        if c.size != m * n:
            fail(f"{case.name()}: the program ended in the middle of its answer")
        c = c.reshape(m, n)
        missing = np.argwhere(c.view(np.uint32) == UNTOUCHED)
        if len(missing):
            row, column = missing[0]
            fail(
                f"{case.name()}: {len(missing)} elements of C were never written, the first is [{row}, {column}]"
            )
        expected = case.a.astype(np.float64) @ case.b.astype(np.float64)
        # a dozen roundings of sums that grow like the root of k; those of TF32 are a hundred times larger
        atol = 0.0 if case.exact else 1e-5 * (k + 1) ** 0.5
        assert_close(
            c,
            expected.astype(np.float32),
            rtol=0 if case.exact else 1e-5,
            atol=atol,
            tile=(32, 32),
            what=f"{case.name()}: C",
        )
        if inputs:
            fail(f"{case.name()}: {inputs} elements of A and B were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the matrices were written")


def measured(learner, rng, mode, unit, k):
    """What the kernel did with matrices of whole tiles: their case, and the counts."""
    m, n = rng.permutation([unit, 2 * unit]).tolist()
    case = draw(rng, mode, m, n, k)
    kernel = "tiled_matmul" if mode == "tiled" else "register_matmul"
    return case, check_emulated(learner, [case]).kernel(kernel)


def demand_traffic(case, kernel, tile, stores_used=0.9):
    """Global memory: no more than tiles of this size need, and whole sectors."""
    loads, stores = kernel.global_loads, kernel.global_stores
    whole, allowed = case.a.nbytes + case.b.nbytes, 8 * case.products // tile
    if loads.bytes < whole:
        fail(f"{case.name()}: {kernel.name} reads {loads.bytes} bytes, and A and B have {whole}")
    if loads.bytes > allowed:
        fail(
            f"{case.name()}: {kernel.name} reads {loads.bytes:,} bytes from global memory, "
            f"{loads.bytes / case.products:.2f} for each multiply-add. "
            f"Tiles of {tile} × {tile} read {allowed:,}, {8 / tile:.3g} for each"
        )
    if stores.bytes != 4 * case.products // case.shape[2]:
        fail(
            f"{case.name()}: {kernel.name} writes {stores.bytes} bytes, and C has {4 * case.products // case.shape[2]}"
        )
    for what, traffic, least in (("loads", loads, 0.9), ("stores", stores, stores_used)):
        if traffic.efficiency < least:
            fail(
                f"{case.name()}: the {what} of a warp touch {traffic.sectors_per_request:.1f} sectors of 32 bytes, and use "
                f"{traffic.efficiency:.1%} of what these move\n{traffic.where()}"
            )


def demand_no_conflicts(case, kernel):
    """Shared memory: each request in as few passes as its bytes need."""
    for what, traffic in (("loads", kernel.shared_loads), ("stores", kernel.shared_stores)):
        if traffic.conflicts:
            fail(
                f"{case.name()}: {what} of a warp in shared memory meet up to {traffic.conflict_ways_max} times in one "
                f"bank: {traffic.requests} of them took {traffic.wavefronts} passes, {traffic.conflicts} too many\n"
                f"{traffic.where()}"
            )


# --- step 1: tiles in shared memory -------------------------------------------------------------------------


def test_builds(learner):
    emulated(learner)


def test_tiled_whole(learner, rng):
    shapes = [(64, 64, 64), (128, 64, 64), (64, 128, 64), (64, 64, 128)]
    check_emulated(learner, [draw(rng, "tiled", *shape) for shape in shapes])


def test_tiled_any_shape(learner, rng):
    shapes = [(64, 64, 37), (45, 64, 64), (64, 45, 64), (1, 1, 1), (1, 70, 5), (70, 1, 33), (33, 31, 1)]
    shapes += rng.integers(2, 80, (3, 3)).tolist()
    check_emulated(learner, [draw(rng, "tiled", *shape) for shape in shapes])


def test_tiled_traffic(learner, rng):
    case, kernel = measured(learner, rng, "tiled", 64, 64)
    demand_traffic(case, kernel, SMALL_TILE)
    demand_no_conflicts(case, kernel)


# --- step 2: tiles in registers -----------------------------------------------------------------------------


def test_registers_whole(learner, rng):
    shapes = [(128, 128, 64), (256, 128, 32), (128, 256, 128)]
    check_emulated(learner, [draw(rng, "launch", *shape) for shape in shapes])


def test_registers_any_shape(learner, rng):
    shapes = [
        (128, 128, 37),
        (128, 128, 36),
        (93, 128, 32),
        (128, 92, 32),
        (128, 93, 32),
        (93, 91, 64),
        (5, 6, 7),
    ]
    shapes += [(1, 1, 1), (1, 300, 5), (300, 1, 9), (3, 129, 1), *rng.integers(2, 200, (4, 3)).tolist()]
    check_emulated(learner, [draw(rng, "launch", *shape) for shape in shapes])


def test_empty(learner, rng):
    shapes = [(0, 0, 0), (0, 7, 5), (40, 0, 5), (9, 12, 0), (6, 40, 3)]
    check_emulated(learner, [draw(rng, mode, *shape) for mode in ("tiled", "launch") for shape in shapes])


def test_registers_traffic(learner, rng):
    # eight neighbours of a thread are two float4s, and each request uses half a sector; the cache joins them
    demand_traffic(*measured(learner, rng, "launch", 128, 64), LARGE_TILE, stores_used=0.45)


def test_micro_tile(learner, rng, measure):
    case, kernel = measured(learner, rng, "launch", 128, 64)
    passes = 32 * kernel.shared_loads.requests / case.products
    least = 32 * (kernel.shared_loads.wavefronts - kernel.shared_loads.conflicts) / case.products
    measure.value("shared memory passes for a multiply-add of a warp", least)
    measure.value("shared memory loads for a multiply-add of a warp", passes)
    if least > MOST_PASSES:
        fail(
            f"{case.name()}: for a multiply-add of a warp, shared memory is passed {least:.2f} times. A micro-tile of "
            f"4 × 4 in the registers of a thread comes to {MOST_PASSES}, one of 8 × 8 to 0.25"
        )


def test_wide(learner, rng):
    case, kernel = measured(learner, rng, "launch", 128, 64)
    for what, loads in (("global", kernel.global_loads), ("shared", kernel.shared_loads)):
        width = loads.bytes / max(loads.lanes, 1)
        if width < WIDE:
            fail(
                f"{case.name()}: a load of a thread from {what} memory brings {width:.1f} bytes on average, "
                f"and a float4 16: {loads.requests} instructions of a warp, where {loads.bytes // 512} would do"
            )


def test_no_conflicts(learner, rng):
    demand_no_conflicts(*measured(learner, rng, "launch", 128, 64))


def test_given_stream(learner, rng):
    case = draw(rng, "stream", *rng.integers(20, 100, 3).tolist())
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


# --- the real compiler, and a GPU ---------------------------------------------------------------------------


def test_compiles(learner, measure):
    kernels = learner.compile(SOURCE, target="sm_90").kernels
    for name in ("tiled_matmul", "register_matmul"):
        if name not in kernels:
            found = ", ".join(kernels) or "no kernel at all"
            fail(f"there should be a kernel (__global__) called {name}; nvcc found {found}")
        kernel = kernels[name]
        measure.resources(kernel)
        if kernel.spills:
            fail(
                f"{name} spills {kernel.spills} bytes of a thread to memory: {kernel.registers} registers are not enough"
            )


def test_shapes(learner, rng):
    shapes = [
        (128, 128, 37),
        (257, 129, 65),
        (1, 1, 1),
        (1, 3000, 50),
        (3000, 1, 50),
        (512, 640, 768),
        (8, 12, 0),
    ]
    shapes += [(0, 9, 4), (9, 0, 4), *rng.integers(2, 700, (5, 3)).tolist()]
    check(learner, [draw(rng, mode, *shape) for mode in ("tiled", "launch") for shape in shapes])
    check(
        learner,
        [draw(rng, "launch", *shape, exact=False) for shape in ((1000, 1024, 1028), (333, 1000, 2001))],
    )


def test_tall_and_wide(learner, rng):
    # with tiles of 64 or 128 that is more than 65,535 of them along one side
    long = 8_600_000 + int(rng.integers(1, 1000))
    # one at a time: a program may print 64 MB
    check(learner, [draw(rng, "launch", long, 1, 2)])
    check(learner, [draw(rng, "launch", 1, long, 2)])


def test_stream(learner, rng):
    case = draw(rng, "stream", *rng.integers(100, 900, 3).tolist())
    check_captured(run(learner, [case.request()]), case)


def test_huge(learner, rng):
    # A has more than 2**31 elements, and all but a few of them are zero
    m, n, k, count = 67_000 + int(rng.integers(1, 100)), int(rng.integers(2, 9)), 32_768, 40
    rows = rng.choice(m, count, replace=False)
    rows[:20] = m - 1 - np.arange(20)
    rows = np.unique(rows)
    columns = rng.integers(0, k, len(rows))
    values = rng.integers(1, 100, len(rows)).astype(np.float32)
    b = rng.integers(1, 100, (k, n)).astype(np.float32)
    triples = np.rec.fromarrays(
        [rows.astype(np.uint64), columns.astype(np.uint64), values],
        dtype=[("row", "<u8"), ("column", "<u8"), ("value", "<f4")],
    ).tobytes()
    name = f"launch_matmul with m = {m}, n = {n}, k = {k}"
    head_line = f"huge {m} {n} {k} {len(rows)}\n".encode()
    _, out = head(run(learner, [head_line, b.tobytes(), triples]), name)
    c, expected = np.frombuffer(out, np.float32), values[:, None] * b[columns]
    if c.size != expected.size:
        fail(f"{name}: the program ended in the middle of its answer")
    wrong = np.argwhere(c.reshape(expected.shape) != expected)
    if len(wrong):
        i, j = wrong[0]
        fail(
            f"{name}: C[{rows[i]}, {j}] is wrong. An index must hold numbers beyond 2**31 - 1 = 2147483647",
            got=float(c.reshape(expected.shape)[i, j]),
            expected=float(expected[i, j]),
        )


def test_fast(learner, measure):
    n = 4096
    measure.program(
        "matmul 4096³ float32",
        learner.build("main.cu", SOURCE, flags=["-O3", "-arch=native"]),
        "time",
        n,
        n,
        n,
        inputs=[("float32", n * n), ("float32", n * n)],
        outputs=[("float32", n * n)],
        reference=lambda a, b: torch.matmul(a.view(n, n), b.view(n, n)),
        baseline="torch",
        bytes=3 * 4 * n * n,
        flops=2 * n**3,
        dtype="float32",
        at_least=0.4,
        star=0.75,
        rtol=1e-4,
        # sums of 4,096 products come to some 20, their roundings to less than 0.001; those of TF32 would be 0.02
        atol=4e-3,
    )
