import struct
from dataclasses import dataclass

import numpy as np
import torch

from mlsys_path.checking.testing import Open, assert_close, fail

SOURCE = "matmul.cu"
OK = "cudaSuccess"
UNTOUCHED = 0xA5A5
LANES = range(32)
HMMA, LDSM, LDGSTS = (
    0x23C,
    0x83B,
    0xFAE,
)  # the lowest 12 bits of these machine instructions, from sm_80 to sm_90
TILE = 64  # side of the tiles of C whose traffic is allowed


# --- where things lie ---------------------------------------------------------------------------------------


def places(learner):
    """What fragments.cuh says: {what: {(lane, i): (row, column)}}."""
    said = {}
    for line in learner.emulate("places.cu").run(timeout=10).stdout.decode("latin-1").splitlines():
        what, *numbers = line.split()
        lane, i, row, column = map(int, numbers)
        said.setdefault(what, {})[lane, i] = row, column
    return said


def a_element(lane, i):
    return lane // 4 + 8 * (i // 2 % 2), 2 * (lane % 4) + i % 2 + 8 * (i // 4)


def b_element(lane, i):
    return 2 * (lane % 4) + i % 2 + 8 * (i // 2), lane // 4


def c_element(lane, i):
    return lane // 4 + 8 * (i // 2), 2 * (lane % 4) + i % 2


def check_fragment(learner, name, rows, columns, element):
    said = places(learner)[name]
    owner = {}
    for (lane, i), place in said.items():
        what = f"{name}_place({lane}, {i}) is row {place[0]}, column {place[1]}"
        if not (0 <= place[0] < rows and 0 <= place[1] < columns):
            fail(f"{what}, and {name.upper()} is {rows} × {columns}")
        if place in owner:
            other, j = owner[place]
            fail(
                f"{what}, which is {name}_place({other}, {j}) as well; some other element is then held by nobody"
            )
        owner[place] = lane, i
    for (lane, i), place in said.items():
        if place != element(lane, i):
            # no two of them are the same, so that what is there is held by another
            fail(
                f"{name}_place({lane}, {i}) is not where mma.sync has it: each element is held once, but by another lane, or "
                "as another of its values",
                got=f"row {place[0]}, column {place[1]}",
                expected=f"row {element(lane, i)[0]}, column {element(lane, i)[1]}",
            )


def test_builds(learner):
    learner.emulate("places.cu")


def test_c_fragment(learner):
    check_fragment(learner, "c", 16, 8, c_element)


def test_a_fragment(learner):
    check_fragment(learner, "a", 16, 16, a_element)


def test_b_fragment(learner):
    check_fragment(learner, "b", 16, 8, b_element)


def test_swizzle(learner):
    said = {at: place[0] for at, place in places(learner)["swizzled"].items()}
    for row in range(64):
        mine = [said[row, piece] for piece in range(8)]
        if sorted(mine) != list(range(8)):
            fail(
                f"row {row}: its eight pieces are kept at {mine}. Each of the positions 0 to 7 has room for one of them"
            )
    for first in range(0, 64, 8):
        for piece in range(8):
            at = [said[row, piece] for row in range(first, first + 8)]
            if len(set(at)) < 8:
                fail(
                    f"rows {first} to {first + 7} keep piece {piece} at the positions {at}. ldmatrix reads these eight "
                    f"together, and the same position of two rows is in the same four banks: {8 - len(set(at))} of them wait"
                )


def test_ldmatrix(learner):
    said = places(learner)
    for name, rows, element in (("a", "rows of A", a_element), ("b", "columns of B", b_element)):
        for lane, matrix in ((lane, matrix) for matrix in range(4) for lane in LANES):
            # what register `matrix` of this lane gets: two halves of a row that another lane has named
            row, piece = said[f"{name}_row"][8 * matrix + lane // 4, 0]
            got = row, piece * 8 + 2 * (lane % 4)
            if name == "a":
                wanted = element(lane, 2 * matrix)
            else:
                along_k, column = element(lane, matrix % 2 * 2)
                wanted = column + matrix // 2 * 8, along_k
            if got != wanted:
                fail(
                    f"{name}_row({8 * matrix + lane // 4}) is row {row}, piece {piece}: with that, ldmatrix puts into register "
                    f"{matrix} of lane {lane} the halves from column {got[1]} on of row {got[0]} of the tile ({rows} by K)",
                    got=got,
                    expected=wanted,
                )


# --- the matrix multiply -------------------------------------------------------------------------------------


@dataclass
class Case:
    """One request to harness/main.cu and, after the run, what it reported."""

    mode: str
    a: np.ndarray
    b: np.ndarray
    kernels: int = 0

    @property
    def shape(self):
        return self.a.shape[0], self.b.shape[0], self.a.shape[1]

    def request(self):
        m, n, k = self.shape
        return f"{self.mode} {m} {n} {k}\n".encode() + self.a.tobytes() + self.b.tobytes()

    def name(self):
        m, n, k = self.shape
        name = f"launch_matmul with m = {m}, n = {n}, k = {k}"
        return name + (", captured into a graph," if self.mode == "stream" else "")


def draw(rng, m, n, k, mode="launch"):
    """A case with small integers, whose sums of products are exact in float32 in every order."""
    a, b = rng.integers(-3, 4, (m, k)), rng.integers(-3, 4, (n, k))
    return Case(mode, a.astype(np.float16), b.astype(np.float16))


def lines(rng, low, high):
    """A multiple of 8 that is none of 16."""
    return (int(rng.integers(low // 8, high // 8)) | 1) * 8


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


def compare(out, cases):
    """The results of all cases against products in float64."""
    for case in cases:
        (guards, inputs, case.kernels), out = head(out, case.name())
        m, n, _k = case.shape
        c, out = np.frombuffer(out[: 2 * m * n], np.float16), out[2 * m * n :]
        if c.size != m * n:
            fail(f"{case.name()}: the program ended in the middle of its answer")
        c = c.reshape(m, n)
        missing = np.argwhere(c.view(np.uint16) == UNTOUCHED)
        if len(missing):
            row, column = missing[0]
            fail(
                f"{case.name()}: {len(missing)} elements of C were never written, the first is [{row}, {column}]"
            )
        expected = (case.a.astype(np.float64) @ case.b.astype(np.float64).T).astype(np.float16)
        assert_close(c, expected, rtol=1e-3, atol=0, tile=(16, 8), what=f"{case.name()}: C")
        if inputs:
            fail(f"{case.name()}: {inputs} elements of A and B were changed")
        if guards:
            fail(f"{case.name()}: {guards} elements outside of the matrices were written")


def emulated(learner):
    """The program for the CPU, where the harness's instructions are programs as well."""
    return learner.emulate("main.cu", SOURCE)


def check_emulated(learner, cases):
    done = emulated(learner).run(stdin=b"".join(case.request() for case in cases), timeout=30)
    compare(done.stdout, cases)
    return done.report


def architecture():
    """What to compile for on this GPU: on Hopper with its own instructions, for who wants to try them."""
    return "-arch=sm_90a" if torch.cuda.get_device_capability() == (9, 0) else "-arch=native"


def run(learner, cases):
    program = learner.build("main.cu", SOURCE, flags=["-O3", architecture()])
    compare(program.run(stdin=b"".join(case.request() for case in cases), timeout=40).stdout, cases)


def test_whole_tiles(learner, rng):
    check_emulated(learner, [draw(rng, 128, 128, 64)])


def test_long_k(learner, rng):
    check_emulated(learner, [draw(rng, 64, 128, 64 * int(rng.integers(4, 7)))])


def test_any_shape(learner, rng):
    shapes = [
        (64, 64, 8 * int(rng.integers(2, 8))),
        (1, 8, 8),
        (int(rng.integers(60, 120)), lines(rng, 40, 120), lines(rng, 64, 100)),
    ]
    check_emulated(learner, [draw(rng, *shape) for shape in shapes])


def test_several_tiles(learner, rng):
    check_emulated(learner, [draw(rng, int(rng.integers(260, 300)), lines(rng, 130, 200), 16)])


def test_empty(learner, rng):
    shapes = [(0, 0, 0), (0, 16, 8), (40, 0, 8), (9, 16, 0), (16, 24, 16)]
    check_emulated(learner, [draw(rng, *shape) for shape in shapes])


def test_memory(learner, rng, measure):
    case = draw(rng, 128, 128, 128)
    kernel = check_emulated(learner, [case]).kernel("matmul_kernel")
    m, n, k = case.shape
    allowed = 2 * m * n * k * 2 // TILE
    if kernel.global_loads.bytes < case.a.nbytes + case.b.nbytes:
        fail(
            f"{case.name()}: matmul_kernel reads {kernel.global_loads.bytes} bytes, and A and B have {case.a.nbytes + case.b.nbytes}"
        )
    if kernel.global_loads.bytes > allowed:
        fail(
            f"{case.name()}: matmul_kernel reads {kernel.global_loads.bytes:,} bytes from global memory, and tiles of "
            f"{TILE} × {TILE} need {allowed:,}"
        )
    for what, traffic in (("loads from", kernel.shared_loads), ("stores to", kernel.shared_stores)):
        measure.value(f"bank conflicts, {what} shared memory", traffic.conflicts)
        if traffic.conflicts:
            fail(
                f"{case.name()}: {what} shared memory meet up to {traffic.conflict_ways_max} times in one bank: "
                f"{traffic.requests} of them took {traffic.wavefronts} passes, {traffic.conflicts} too many\n{traffic.where()}"
            )


def check_captured(learner, rng, program, m, n, k):
    """A launch that waits has a word of its own; the stream that was given must have got the kernel."""
    case = draw(rng, m, n, k, "stream")
    out = program.run(stdin=case.request(), timeout=30).stdout
    words = out.partition(b"\n")[0].decode("latin-1").split()
    if words and words[0].startswith("cudaErrorStreamCapture"):
        fail(
            f"{case.name()} does something that cannot be recorded ({words[0]}): it waits for the GPU, or uses the default "
            "stream"
        )
    compare(out, [case])
    if case.kernels < 1:
        fail(f"{case.name()[:-1]}: the stream that it was given got no kernel")


def test_given_stream(learner, rng):
    check_captured(learner, rng, emulated(learner), 40, 24, 32)


# --- the real compiler ---------------------------------------------------------------------------------------


def instructions(cubin, kernel):
    """The lowest 12 bits of each machine instruction of a kernel, which say what it is."""
    sections_at = struct.unpack_from("<Q", cubin, 40)[0]
    size, count, names = struct.unpack_from("<HHH", cubin, 58)
    sections = [struct.unpack_from("<IIQQQQ", cubin, sections_at + i * size) for i in range(count)]
    for name_at, _kind, _flags, _address, at, length in sections:
        begin = sections[names][4] + name_at
        name = cubin[begin : cubin.index(b"\0", begin)].decode()
        if name.startswith(".text.") and kernel in name:
            return np.frombuffer(cubin[at : at + length], "<u8")[::2] & 0xFFF
    return np.zeros(0, np.uint64)


def test_tensor_cores(learner, measure):
    for target in ("sm_80", "sm_90"):
        built = learner.compile(SOURCE, target=target)
        if "matmul_kernel" not in built.kernels:
            found = ", ".join(built.kernels) or "no kernel at all"
            fail(f"there should be a kernel (__global__) called matmul_kernel; nvcc found {found}")
        kernel = built.kernels["matmul_kernel"]
        found = instructions(built.cubin, "matmul_kernel")
        for code, name, why in (
            (HMMA, "HMMA", "its products do not run on tensor cores"),
            (LDSM, "LDSM", "it reads fragments from shared memory without ldmatrix"),
            (LDGSTS, "LDGSTS", "it copies through registers: no copy runs ahead of the products"),
        ):
            if not (found == code).any():
                fail(f"the machine code of matmul_kernel for {target} has no {name}: {why}")
        if kernel.spills:
            fail(
                f"for {target}, matmul_kernel spills {kernel.spills} bytes of a thread to memory: {kernel.registers} registers "
                "are not enough for the sums and fragments of one lane"
            )
    measure.resources(kernel)
    measure.value("HMMA instructions in the code", int((found == HMMA).sum()))


# --- a GPU ---------------------------------------------------------------------------------------------------


def test_shapes(learner, rng):
    shapes = [(128, 256, 64), (512, 640, 768), (1, 8, 8), (1, 3000, 64), (3000, 8, 72), (9, 16, 0), (0, 8, 8)]
    shapes += [(int(rng.integers(1, 700)), lines(rng, 8, 700), lines(rng, 8, 700)) for _ in range(5)]
    run(learner, [draw(rng, *shape) for shape in shapes])


def test_large(learner, rng):
    run(learner, [draw(rng, 4096 + int(rng.integers(1, 100)), lines(rng, 3000, 4000), lines(rng, 500, 1000))])


def test_stream(learner, rng):
    program = learner.build("main.cu", SOURCE, flags=["-O3", architecture()])
    check_captured(
        learner, rng, program, int(rng.integers(100, 900)), lines(rng, 100, 900), lines(rng, 100, 900)
    )


def test_fast(learner, measure):
    n = 4096
    measure.program(
        "matmul 4096³ float16",
        learner.build("main.cu", SOURCE, flags=["-O3", architecture()]),
        "time",
        n,
        n,
        n,
        inputs=[("float16", n * n), ("float16", n * n)],
        outputs=[("float16", n * n)],
        reference=lambda a, b: torch.matmul(a.view(n, n), b.view(n, n).T),
        baseline="torch",
        bytes=3 * 2 * n * n,
        flops=2 * n**3,
        dtype="float16",
        at_least=0.3,
        star=0.6,
        rtol=2e-3,
        # sums of 4,096 products of numbers up to 1 come to some 20: an order of additions of its own
        atol=0.02,
    )
