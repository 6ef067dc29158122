import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

HALF = torch.float16
SHARED = 227 << 10  # bytes that one program may have on an H100 and a B200


def between(low, high):
    return int(torch.randint(low, high, ()))


def odd(low, high):
    """A number that no block size divides, nor the 8 elements of a line of 16 bytes."""
    return between(low // 2, high // 2) * 2 + 1


def lines(low, high):
    """A number of elements that makes whole lines of 16 bytes, and that no block size divides."""
    return (between(low // 8, high // 8) | 1) * 8


def matrix(rows, columns, dtype=HALF, layout="row"):
    """Small whole numbers, whose sums are exact, in one of the ways in which a matrix may lie in memory."""
    if layout == "column":
        return matrix(columns, rows, dtype).T
    if layout == "gaps":  # rows begin where a descriptor wants them, and there is something between them
        return matrix(rows, columns + 8 + -columns % 8, dtype)[:, :columns]
    if layout == "slice":
        return matrix(rows + 2, columns + 3, dtype)[1 : 1 + rows, 1 : 1 + columns]
    if layout == "every other":
        return matrix(rows, 2 * columns, dtype)[:, ::2]
    return torch.randint(-3, 4, (rows, columns)).to(dtype)


def same(got, a, b, what="matmul(a, b)"):
    """What roundings of products in float32 and one of the result may do, and nothing else."""
    expected = (a.double() @ b.double()).to(a.dtype)
    rtol = {torch.float16: 2e-3, torch.bfloat16: 1e-2}[a.dtype]
    assert_close(got, expected, rtol=rtol, atol=1e-4 * max(a.shape[1], 1) ** 0.5, what=what)


def into(learner, a, b, programs):
    """`out` of matmul_into()."""
    out = torch.empty(a.shape[0], b.shape[1], dtype=a.dtype)
    return learner.harness("drive").into(a, b, out, programs)


def check(learner, m, n, k, dtype=HALF, programs=None):
    a, b = matrix(m, k, dtype), matrix(k, n, dtype)
    same(learner.matmul(a, b, programs), a, b)


# --- level correct --------------------------------------------------------------------------------------------


def test_whole_tiles(learner):
    a, b = matrix(256, 128), matrix(128, 512)
    got = into(learner, a, b, 64)
    learner.demand_launch("matmul_kernel")
    same(got, a, b, "out, after matmul_into(a, b, out, programs=64)")


def watched(learner, tall, wide, programs):
    """What the programs did for a product of many tiles: each one's numbers, and how many tiles there are."""
    m, n = between(tall - 50, tall), lines(wide - 50, wide)
    a, b = matrix(m, 16), matrix(16, n)
    out, times, numbers, tiles = learner.harness("drive").watched(a, b, programs)
    launch = f"[{m}, 16] @ [16, {n}] by {programs} programs"
    if len(tiles) != 1:
        fail(
            f"{launch}: the kernel must take its tiles from tile_of(number, tiles_m, tiles_n, GROUP)",
            got=tiles,
        )
    return a, b, out, times, numbers, tiles[0], launch


def test_each_tile_once(learner):
    # one program for each of the tiles, and far fewer: it does not matter who computes what
    for programs in (400, between(2, 6)):
        *_, times, numbers, tiles, launch = watched(learner, 600, 1100, programs)
        owner = {}
        for program, mine in enumerate(numbers):
            for number in mine:
                where = f"{launch}: program {program} asks tile_of() for tile {number}"
                if not 0 <= number < tiles:
                    fail(f"{where}, and there are {tiles}, from 0 on")
                if number in owner:
                    fail(f"{where}, which program {owner[number]} computes as well")
                owner[number] = program
        missing = sorted(set(range(tiles)) - set(owner))
        if missing:
            fail(
                f"{launch}: there are {tiles} tiles, and nobody computes number {missing[0]} ({len(missing)} are missing). "
                "A program that has stored its tile goes on to its next one, until there is none"
            )
        wrong = (times != 1).nonzero()
        if len(wrong):
            i, j = wrong[0].tolist()
            fail(f"{launch}: element [{i}, {j}] of out is stored {int(times[i, j])} times, and must be once")


def test_later_tiles(learner):
    a, b, out, _times, _numbers, tiles, launch = watched(learner, 600, 700, 1)
    expected = (a.double() @ b.double()).to(HALF)
    assert_close(out, expected, rtol=2e-3, atol=1e-3, what=f"{launch}, {tiles} tiles one after the other")


def test_edges(learner):
    for m, n, k in ((odd(130, 250), lines(80, 180), 64), (64, 64, lines(130, 200)), (odd(2, 9), 8, 8)):
        a, b = matrix(m, k), matrix(k, n)
        same(into(learner, a, b, 3), a, b, f"[{m}, {k}] @ [{k}, {n}]")


def test_rows_with_gaps(learner):
    m, n, k = odd(70, 130), lines(80, 130), lines(40, 90)
    for one, other in (("gaps", "row"), ("row", "gaps")):
        a, b = matrix(m, k, layout=one), matrix(k, n, layout=other)
        what = f"matmul_into() for a with strides {a.stride()} and b with strides {b.stride()}"
        same(into(learner, a, b, 3), a, b, what)
    a, b, out = matrix(m, k), matrix(k, n), matrix(m, n, layout="gaps")
    got = learner.harness("drive").into(a, b, out, 3)
    same(got, a, b, f"out with strides {out.stride()}, after matmul_into()")


def test_fixed_programs(learner, measure):
    *_, tiles, _launch = watched(learner, 900, 1500, 1)
    # so that equal shares, rounded up, would leave the last program far behind
    programs = next((n for n in range(between(4, 8), tiles) if 0 < tiles % n < n - 2), 4)
    *_, numbers, tiles, launch = watched(learner, 900, 1500, programs)
    if len(numbers) > programs:
        fail(
            f"{launch}: {len(numbers)} programs were launched; the number is the caller's to say, whatever the tiles"
        )
    shares = [len(mine) for mine in numbers]
    measure.value("tiles of a program", max(shares))
    if max(shares) - min(shares) > 1:
        fail(
            f"{launch}: they compute {shares} of the {tiles} tiles. Shares may differ by one tile, as the launch is over "
            "when the last program is"
        )


def test_neighbours_at_a_time(learner):
    programs = between(5, 12)
    *_, numbers, _tiles, launch = watched(learner, 900, 1500, programs)
    for turn in range(max(map(len, numbers))):
        now = [mine[turn] for mine in numbers if len(mine) > turn]
        if max(now) - min(now) >= programs:
            fail(
                f"{launch}: their tiles number {turn + 1} are {now}. What is computed at the same time has to lie together, "
                f"so that it finds in the L2 cache what a neighbour has read: {programs} consecutive numbers"
            )


def test_any_rows(learner):
    m, n, k = odd(30, 130), odd(30, 130), odd(30, 130)
    for one, other in (("row", "row"), ("slice", "column"), ("column", "every other")):
        a, b = matrix(m, k, layout=one), matrix(k, n, layout=other)
        what = f"matmul(a, b) for a with shape {tuple(a.shape)} and strides {a.stride()}, b with {tuple(b.shape)} and {b.stride()}"
        same(learner.matmul(a, b), a, b, what)


def test_small_and_empty(learner):
    for m, n, k in ((1, 1, 1), (1, odd(70, 90), 17), (0, 5, 3), (5, 0, 3)):
        check(learner, m, n, k)
    m, n = odd(2, 90), odd(2, 90)
    what = f"the [{m}, {n}] product over K = 0"
    got = learner.matmul(torch.empty(m, 0, dtype=HALF), torch.empty(0, n, dtype=HALF))
    assert_close(got, torch.zeros(m, n, dtype=HALF), what=what)


def test_sums_in_float32(learner):
    m, n, k = odd(20, 40), odd(20, 40), odd(3000, 4000)
    # one term of about 5000, and then thousands that are each too small to move a float16 of that size
    a, b = 0.08 + 0.02 * torch.rand(m, k), 0.08 + 0.02 * torch.rand(k, n)
    a[:, 0], b[0] = 70 + torch.rand(m), 70 + torch.rand(n)
    a, b = a.half(), b.half()
    assert_close(
        learner.matmul(a, b), (a.double() @ b.double()).half(), rtol=1.5e-3, atol=0, what="matmul(a, b)"
    )


LAYOUT = st.sampled_from(["row", "column", "gaps", "slice", "every other"])


@settings(max_examples=8)
@given(
    m=st.integers(1, 200),
    n=st.integers(1, 300),
    k=st.integers(1, 140),
    programs=st.integers(1, 6),
    layouts=st.tuples(LAYOUT, LAYOUT),
)
def test_any(learner, m, n, k, programs, layouts):
    a, b = matrix(m, k, layout=layouts[0]), matrix(k, n, layout=layouts[1])
    same(learner.matmul(a, b, programs), a, b)


# --- level compiles -------------------------------------------------------------------------------------------


def compiled(learner, target, dtype=HALF):
    a, b = matrix(1024, 512, dtype), matrix(512, 1024, dtype)
    kernels = learner.compile("matmul", a, b, 132, target=target)
    names = [kernel.name for kernel in kernels]
    if names != ["matmul_kernel"] or kernels[0].launches != 1:
        fail("matmul() must launch one kernel, matmul_kernel, once", got=names, expected=["matmul_kernel"])
    return kernels[0]


def no_spills(kernel):
    if kernel.spills:
        fail(
            f"for {kernel.target}, {kernel.spills} bytes of registers are spilled to memory, with {kernel.registers} "
            "registers a thread: the tile is too large for its warps"
        )


def test_moves_by_descriptor(learner, measure):
    for dtype in (HALF, torch.bfloat16):
        kernel = compiled(learner, "cuda:90", dtype)
        if "wgmma" not in kernel.ptx:
            fail("the PTX for sm_90 has no `wgmma`: the products do not run on tensor cores")
        if not re.search(r"cp\.async\.bulk\.tensor\.\dd\.shared", kernel.ptx):
            fail(
                "the PTX for sm_90 has no copy by the TMA to shared memory (`cp.async.bulk.tensor.2d.shared…`): load the "
                "tiles by descriptors"
            )
        no_spills(kernel)
        if kernel.shared > SHARED:
            fail(
                f"a program asks for {kernel.shared} bytes of shared memory and may have {SHARED} on sm_90: fewer stages, "
                "or smaller tiles"
            )
    measure.resources(kernel)


def test_other_gpus(learner):
    for target, instruction in (("cuda:80", "mma.sync"), ("cuda:100", "tcgen05.mma")):
        if instruction not in compiled(learner, target).ptx:
            fail(f"the PTX for {target} has no `{instruction}`: the products do not run on tensor cores")


# --- level gpu ------------------------------------------------------------------------------------------------


def test_gpu_shapes(learner):
    for m, n, k in (
        (1024, 2048, 512),
        (odd(700, 1100), odd(700, 1100), odd(700, 1100)),
        (1, 1, 1),
        (0, 5, 3),
    ):
        check(learner, m, n, k)
    check(learner, odd(500, 900), odd(500, 900), odd(100, 300), torch.bfloat16)
    zeros = torch.zeros(9, 7, dtype=HALF)
    assert_close(learner.matmul(zeros[:, :0], zeros[:0]), zeros, what="a product over K = 0")


def test_gpu_programs(learner):
    for programs in (1, between(2, 20), 1000):
        check(learner, odd(900, 1300), odd(900, 1300), odd(100, 300), programs=programs)


def test_gpu_layouts(learner):
    for one, other in (("column", "row"), ("row", "column"), ("gaps", "slice"), ("every other", "gaps")):
        m, n, k = odd(200, 400), odd(200, 400), odd(200, 400)
        a, b = matrix(m, k, layout=one), matrix(k, n, layout=other)
        same(learner.matmul(a, b), a, b)


@settings(max_examples=6)
@given(m=st.integers(1, 700), n=st.integers(1, 700), k=st.integers(1, 700))
def test_gpu_any(learner, m, n, k):
    check(learner, m, n, k)


# --- level fast -----------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    n = 8192
    measure.kernel(
        f"matmul {n}³ float16",
        learner,
        "matmul",
        inputs=lambda: (torch.randn(n, n, dtype=HALF), torch.randn(n, n, dtype=HALF)),
        reference=torch.matmul,
        rtol=2e-3,
        atol=1e-3 * n**0.5,
        baseline="torch",
        bytes=3 * n * n * 2,
        flops=2 * n**3,
        dtype="float16",
        at_least=0.6,
        star=0.98,
    )
