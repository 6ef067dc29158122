import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

WAVE = 132  # programs at a time in the model of the cache: the multiprocessors of an H100
ENOUGH = 0.6  # of what row by row fetches


def between(low, high):
    return int(torch.randint(low, high, ()))


def odd(low, high):
    """A number that no block size divides."""
    return between(low // 2, high // 2) * 2 + 1


def matrix(rows, columns, dtype=torch.float32, layout="row"):
    """Random numbers, in one of the ways in which a matrix may lie in memory."""
    if layout == "column":
        return matrix(columns, rows, dtype).T
    if layout == "slice":
        return matrix(rows + 2, 2 * columns + 3, dtype)[1 : 1 + rows, 2 : 2 + 2 * columns : 2]
    return torch.randn(rows, columns).to(dtype)


def tolerance(dtype, k):
    """What k roundings of products in float32 and one of the result may do, and the 10 bits of TF32 may not."""
    return {
        "rtol": {torch.float32: 1e-4, torch.float16: 2e-3, torch.bfloat16: 1e-2}[dtype],
        "atol": 1e-4 * k**0.5,
    }


def same(got, a, b, what="matmul(a, b)"):
    expected = (a.double() @ b.double()).to(a.dtype)
    assert_close(got, expected, what=what, **tolerance(a.dtype, a.shape[1]))


def check(learner, m, n, k, dtype=torch.float32):
    a, b = matrix(m, k, dtype), matrix(k, n, dtype)
    same(learner.matmul(a, b), a, b)


# --- level correct: Triton's interpreter, where a step along K costs milliseconds ----------------------------


@settings(max_examples=10)
@given(tiles_m=st.integers(1, 7), tiles_n=st.integers(1, 6), group=st.sampled_from([1, 2, 4, 8]))
def test_every_tile_once(learner, tiles_m, tiles_n, group):
    order = learner.harness("drive").order(tiles_m, tiles_n, group).tolist()
    owner = {}
    for pid, (row, column) in enumerate(order):
        call = f"tile_of({pid}, {tiles_m}, {tiles_n}, {group}) is ({row}, {column})"
        if not (0 <= row < tiles_m and 0 <= column < tiles_n):
            fail(f"{call}, which is no tile: there are {tiles_m} rows of {tiles_n} tiles")
        if (row, column) in owner:
            fail(
                f"{call}, the same tile as for program {owner[row, column]}; so some other tile is computed by nobody"
            )
        owner[row, column] = pid


def test_whole_tiles(learner):
    check(learner, 256, 256, 128)


def test_edges_of_c(learner):
    check(learner, odd(130, 250), odd(70, 190), 128)


def test_end_of_k(learner):
    check(learner, 64, 64, odd(130, 200))
    check(learner, 64, 64, odd(2, 14))


def test_layouts(learner):
    m, n, k = odd(70, 130), odd(70, 130), odd(34, 90)
    for one, other in (("row", "column"), ("column", "row"), ("slice", "column")):
        a, b = matrix(m, k, layout=one), matrix(k, n, layout=other)
        same(
            learner.matmul(a, b),
            a,
            b,
            f"matmul(a, b) for a with strides {a.stride()} and b with strides {b.stride()}",
        )
    a, b, out = matrix(m, k), matrix(k, n), matrix(n, m).T
    got = learner.harness("drive").into(a, b, out)
    same(got, a, b, f"out with strides {out.stride()}, after matmul_into(a, b, out)")


def test_sums_in_float32(learner):
    m, n, k = odd(20, 40), odd(20, 40), odd(3000, 4000)
    # one term of about 5000, and then thousands that are each too small to move a float16 of that size
    a, b = 0.08 + 0.02 * torch.rand(m, k), 0.08 + 0.02 * torch.rand(k, n)
    a[:, 0], b[0] = 70 + torch.rand(m), 70 + torch.rand(n)
    a, b = a.half(), b.half()
    assert_close(
        learner.matmul(a, b), (a.double() @ b.double()).half(), rtol=1.5e-3, atol=0, what="matmul(a, b)"
    )


def test_small_and_empty(learner):
    for m, n, k in ((1, 1, 1), (1, odd(70, 90), 17), (0, 5, 3), (5, 0, 3)):
        check(learner, m, n, k)
    m, n = odd(2, 90), odd(2, 90)
    what = f"the [{m}, {n}] product over K = 0"
    assert_close(learner.matmul(torch.empty(m, 0), torch.empty(0, n)), torch.zeros(m, n), what=what)


LAYOUT = st.sampled_from(["row", "column", "slice"])


@settings(max_examples=6)
@given(
    m=st.integers(1, 140),
    n=st.integers(1, 140),
    k=st.integers(1, 140),
    dtype=st.sampled_from([torch.float32, torch.float16]),
    layouts=st.tuples(LAYOUT, LAYOUT),
)
def test_any_shape(learner, m, n, k, dtype, layouts):
    a, b = matrix(m, k, dtype, layouts[0]), matrix(k, n, dtype, layouts[1])
    same(learner.matmul(a, b), a, b)


def fetched(order, wave=WAVE):
    """Tiles that come from memory in one step along K of every wave: each row of A's and column of B's once."""
    waves = [order[i : i + wave] for i in range(0, len(order), wave)]
    return sum(len({row for row, _ in w}) + len({column for _, column in w}) for w in waves)


def test_order_shares_tiles(learner, measure):
    tiles_m, tiles_n = between(44, 50), between(50, 58)
    order = [tuple(tile) for tile in learner.harness("drive").order(tiles_m, tiles_n, 8).tolist()]
    by_row = [(row, column) for row in range(tiles_m) for column in range(tiles_n)]
    mine, theirs = fetched(order), fetched(by_row)
    measure.value("tiles fetched, of row by row", mine / theirs)
    if mine > ENOUGH * theirs:
        fail(
            f"{tiles_m} × {tiles_n} tiles, {WAVE} programs at a time, GROUP = 8: for one step along K, your order fetches "
            f"{mine} tiles of A and B from memory and row by row {theirs}; asked for at most {ENOUGH:.0%} of it"
        )


def test_kernel_follows_the_order(learner):
    size = odd(514, 540)
    a, b = matrix(size, 20), matrix(20, size)
    out = torch.full((size, size), float("nan"))
    got = learner.harness("drive").into_first_tile(a, b, out)
    written = ~got.isnan()
    rows, columns = int(written.any(1).sum()), int(written.any(0).sum())
    if rows == size or columns == size:
        fail(
            f"tile_of() was replaced by one that sends every program to tile (0, 0), and yet {rows} × {columns} elements "
            f"of the {size} × {size} were written: the kernel must take its tile from tile_of()"
        )
    same(got[:rows, :columns], a[:rows], b[:, :columns], "tile (0, 0)")


# --- level compiles: Triton's compiler for three GPUs, with none here ----------------------------------------

TENSOR_CORES = {"cuda:80": "mma.sync", "cuda:90": "wgmma", "cuda:100": "tcgen05.mma"}
SHARED = {
    "cuda:80": 163 << 10,
    "cuda:90": 227 << 10,
    "cuda:100": 227 << 10,
}  # bytes that one program may have


def compiled(learner, a, b, target):
    kernels = learner.compile("matmul", a, b, target=target)
    names = [kernel.name for kernel in kernels]
    if names != ["matmul_kernel"]:
        fail("matmul() must launch one kernel, matmul_kernel", got=names, expected=["matmul_kernel"])
    return kernels[0]


def test_tensor_cores(learner, measure):
    for target, instruction in TENSOR_CORES.items():
        for dtype in (torch.float16, torch.bfloat16):
            kernel = compiled(learner, matrix(512, 512, dtype), matrix(512, 512, dtype), target)
            if instruction not in kernel.ptx:
                fail(f"the PTX for {target} has no `{instruction}`: the products do not run on tensor cores")
            if kernel.spills:
                fail(
                    f"for {target}, {kernel.spills} bytes of registers are spilled to memory, with {kernel.registers} "
                    "registers a thread: the tile is too large for its warps"
                )
            if kernel.shared > SHARED[target]:
                fail(
                    f"for {target}, a program asks for {kernel.shared} bytes of shared memory and may have "
                    f"{SHARED[target]}: fewer stages, or smaller tiles"
                )
            if target == "cuda:90" and dtype is torch.float16:
                measure.value("registers per thread", kernel.registers)
                measure.value("shared memory", kernel.shared, unit="B")


def test_loads_run_ahead(learner):
    kernel = compiled(learner, matrix(512, 512, torch.float16), matrix(512, 512, torch.float16), "cuda:90")
    if "cp.async" not in kernel.ptx:
        fail(
            "the PTX has no asynchronous copy (`cp.async`): each step along K waits for its own loads; "
            "num_stages must be 2 or more, and the loads must stand in the loop that they feed"
        )


def test_float32_stays_float32(learner):
    kernel = compiled(learner, matrix(512, 512), matrix(512, 512), "cuda:90")
    precisions = re.findall(r"tt\.dot [^\n]*inputPrecision = (\w+)", kernel.ttir)
    if "tf32" in precisions:
        fail(
            "float32 operands are cut to TF32, which keeps 10 of their 23 bits: the TTIR says `inputPrecision = tf32`, "
            'the default. Ask tl.dot for input_precision="tf32x3" or "ieee"'
        )


# --- level gpu ------------------------------------------------------------------------------------------------


def test_gpu_shapes(learner):
    for m, n, k in (
        (1024, 1024, 1024),
        (odd(700, 1100), odd(700, 1100), odd(700, 1100)),
        (1, 1, 1),
        (0, 5, 3),
    ):
        check(learner, m, n, k, torch.float16)
    assert_close(
        learner.matmul(torch.empty(9, 0), torch.empty(0, 7)), torch.zeros(9, 7), what="a product over K = 0"
    )


def test_gpu_dtypes_and_layouts(learner):
    for dtype in (torch.float32, torch.bfloat16):
        check(learner, 512, 768, 1024, dtype)
    for one, other in (("column", "row"), ("row", "column"), ("slice", "slice")):
        m, n, k = odd(200, 400), odd(200, 400), odd(200, 400)
        a, b = matrix(m, k, torch.float16, one), matrix(k, n, torch.float16, other)
        same(learner.matmul(a, b), a, b)


@settings(max_examples=6)
@given(m=st.integers(1, 700), n=st.integers(1, 700), k=st.integers(1, 700))
def test_gpu_any_shape(learner, m, n, k):
    check(learner, m, n, k, torch.float16)


# --- level fast -----------------------------------------------------------------------------------------------


def check_fast(learner, measure, n):
    measure.kernel(
        f"matmul {n}³ float16",
        learner,
        "matmul",
        inputs=lambda: (torch.randn(n, n, dtype=torch.float16), torch.randn(n, n, dtype=torch.float16)),
        reference=torch.matmul,
        rtol=2e-3,
        atol=1e-3 * n**0.5,
        baseline="torch",
        bytes=3 * n * n * 2,
        flops=2 * n**3,
        dtype="float16",
        at_least=0.5,
        star=0.95,
    )


def test_fast_4096(learner, measure):
    check_fast(learner, measure, 4096)


def test_fast_8192(learner, measure):
    check_fast(learner, measure, 8192)
