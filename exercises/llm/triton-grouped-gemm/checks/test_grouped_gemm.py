import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail


def between(low, high):
    return int(torch.randint(low, high, ()))


def odd(low, high):
    """A number that no block size divides."""
    return between(low // 2, high // 2) * 2 + 1


def problem(sizes, k, n, dtype=torch.float32):
    """x, w and sizes as tensors."""
    x, w = torch.randn(sum(sizes), k), torch.randn(len(sizes), k, n) / max(k, 1) ** 0.5
    return x.to(dtype), w.to(dtype), torch.tensor(sizes, dtype=torch.int32)


def reference(x, w, sizes):
    """Group by group, in float64, rounded once."""
    parts = x.double().split(sizes.tolist())
    return torch.cat([part @ each for part, each in zip(parts, w.double(), strict=True)]).to(x.dtype)


def row_of(row, sizes):
    """A row in words: which group it belongs to."""
    first = 0
    for group, size in enumerate(sizes):
        if row < first + size:
            return f"row {row}, which is row {row - first} of the {size} of group {group}"
        first += size
    return f"row {row}"


def same(got, x, w, sizes):
    expected = reference(x, w, sizes)
    rtol = {torch.float32: 1e-4, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[x.dtype]
    what = f"grouped_gemm() of groups of {sizes.tolist()} rows"
    if got.shape == expected.shape and got.dtype == expected.dtype:
        wrong = ((got.double() - expected.double()).abs() > 1e-3 + 1e-2 * expected.double().abs()).any(1)
        if wrong.any():
            what += f", in {row_of(int(wrong.nonzero()[0]), sizes.tolist())}"
    assert_close(got, expected, rtol=rtol, atol=1e-4, what=what)


def check(learner, sizes, k, n, dtype=torch.float32, programs=None):
    x, w, sizes = problem(sizes, k, n, dtype)
    same(learner.grouped_gemm(x, w, sizes, programs), x, w, sizes)


# --- level correct ------------------------------------------------------------------------------------------


def test_one_group(learner):
    check(learner, [256], 64, 512, programs=2)


def test_equal_groups(learner):
    check(learner, [128, 128, 128], 64, 128)


def test_ragged_groups(learner):
    ragged = [odd(10, 60), odd(70, 120), odd(10, 60), odd(130, 200)]
    x, w, sizes = problem(ragged, odd(34, 60), odd(70, 140))
    got, times, _tiles = learner.harness("drive").watched(x, w, sizes, 3)
    if got.shape == times.shape and (times > 1).any():
        row = int((times > 1).any(1).nonzero()[0])
        fail(
            f"groups of {ragged} rows: elements of {row_of(row, ragged)}, are stored {int(times[row].max())} times. "
            "On a GPU nobody knows which store comes last: a tile may write rows of its own group alone"
        )
    same(got, x, w, sizes)


def test_empty_groups(learner):
    for sizes in ([0, 0, odd(20, 60), 0, odd(70, 90), 0], [0, 0, 0], [odd(20, 60)]):
        check(learner, sizes, 33, odd(20, 60))


def test_host_asks_nothing(learner):
    x, w, sizes = problem([odd(10, 60), 0, odd(70, 120)], 32, 64)
    got, asked = learner.harness("drive").with_questions(x, w, sizes)
    same(got, x, w, sizes)
    if asked:
        fail(
            f"grouped_gemm() asks a tensor for its values on the host: `{asked[0]}`. On a GPU that waits until all work "
            "before it is done, and leaves the GPU idle until the next launch: let the kernel read `sizes`"
        )


def test_shares(learner, measure):
    ragged = [odd(130, 260), 3, 0, odd(270, 400), odd(10, 30)]
    x, w, sizes = problem(ragged, 20, odd(290, 400))
    drive = learner.harness("drive")
    total = sum(drive.watched(x, w, sizes, 1)[2])
    # so that equal shares, rounded up, would leave the last program far behind; and more programs than tiles
    uneven = next((n for n in range(5, total) if 0 < total % n < n - 2), 5)
    for programs in (uneven, total + 2):
        _out, _times, tiles = drive.watched(x, w, sizes, programs)
        assert_equal(len(tiles), programs, f"the number of programs that run for programs={programs}")
        if max(tiles) - min(tiles) > 1:
            fail(
                f"groups of {ragged} rows over {programs} programs: they store {tiles} tiles. Shares may differ by one "
                "tile, as the launch is over when the last program is"
            )
    measure.value("tiles", total)


def test_layouts(learner):
    ragged, k, n = [odd(10, 60), odd(70, 90)], odd(34, 60), odd(70, 100)
    x, w, sizes = problem(ragged, k, n)
    by_column = w.transpose(1, 2).contiguous().transpose(1, 2)
    same(learner.grouped_gemm(x, by_column, sizes), x, w, sizes)
    wide = torch.randn(sum(ragged), 2 * k)
    every_other = torch.randn(2 * len(ragged), k, n)[::2]
    same(learner.grouped_gemm(wide[:, ::2], every_other, sizes), wide[:, ::2], every_other, sizes)


def test_sums_in_float32(learner):
    m, n, k = odd(20, 40), odd(20, 40), odd(1000, 1400)
    # one term of about 5000, and then many that are each too small to move a float16 of that size
    x, w = 0.12 + 0.02 * torch.rand(m, k), 0.12 + 0.02 * torch.rand(1, k, n)
    x[:, 0], w[:, 0] = 70 + torch.rand(m), 70 + torch.rand(n)
    x, w, sizes = x.half(), w.half(), torch.tensor([m], dtype=torch.int32)
    same(learner.grouped_gemm(x, w, sizes), x, w, sizes)


@settings(max_examples=8)
@given(
    sizes=st.lists(st.integers(0, 90), min_size=1, max_size=5),
    k=st.integers(1, 70),
    n=st.integers(1, 100),
    dtype=st.sampled_from([torch.float32, torch.float16]),
    programs=st.integers(1, 6),
)
def test_any(learner, sizes, k, n, dtype, programs):
    check(learner, sizes, k, n, dtype, programs)


# --- level compiles -----------------------------------------------------------------------------------------

TENSOR_CORES = {
    "cuda:80": "mma.sync",
    "cuda:90": "wgmma",
    "cuda:100": "tcgen05.mma",
}  # of each, the instruction


def compiled(learner, groups, target):
    x, w, sizes = problem([64] * groups, 256, 512, torch.float16)
    kernels = learner.compile("grouped_gemm", x, w, sizes, target=target)
    names = [kernel.name for kernel in kernels]
    if names != ["grouped_kernel"]:
        fail(
            f"for {groups} groups, grouped_gemm() must launch grouped_kernel once",
            got=names,
            expected=["grouped_kernel"],
        )
    return kernels[0]


def test_one_launch(learner, measure):
    for groups in (1, 40):
        kernel = compiled(learner, groups, "cuda:90")
    measure.value("registers per thread", kernel.registers)
    measure.value("shared memory", kernel.shared, unit="B")
    if "cp.async" not in kernel.ptx:
        fail("the PTX has no asynchronous copy (`cp.async`): each step along K waits for its own loads")


def test_tensor_cores(learner):
    for target, instruction in TENSOR_CORES.items():
        if instruction not in compiled(learner, 8, target).ptx:
            fail(f"the PTX for {target} has no `{instruction}`: the products do not run on tensor cores")


# --- level gpu ----------------------------------------------------------------------------------------------


def routed(rows, groups):
    """Sizes as a router makes them: uneven, some of them 0."""
    popularity = torch.rand(groups) ** 3
    popularity[between(0, groups)] = 0
    chosen = torch.multinomial(popularity, rows, replacement=True)
    return torch.bincount(chosen, minlength=groups).tolist()


def test_gpu_ragged(learner):
    check(learner, routed(2000, 64), 256, 512, torch.float16)
    check(learner, routed(700, 7), odd(100, 300), odd(100, 300), torch.float16)
    check(learner, routed(300, 5), 128, 256, torch.float32)
    check(learner, routed(1000, 16), 256, 256, torch.bfloat16, programs=9)
    check(learner, [0, 0, 1, 0], 64, 64, torch.float16)


def test_gpu_does_not_wait(learner):
    x, w, sizes = problem(routed(2000, 16), 256, 512, torch.float16)
    same(learner.harness("drive").without_waiting(x, w, sizes), x, w, sizes)


# --- level fast ---------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    groups, rows, k, n = 64, 16_384, 2048, 2816

    def inputs():
        half = {"dtype": torch.float16}
        chosen = torch.multinomial(0.3 + torch.rand(groups), rows, replacement=True)
        sizes = torch.bincount(chosen, minlength=groups).to(torch.int32)
        return (torch.randn(rows, k, **half), torch.randn(groups, k, n, **half) / 45, sizes)

    def loop(x, w, sizes):
        out = torch.empty(rows, n, dtype=x.dtype, device=x.device)
        first = 0
        for group, size in enumerate(sizes.tolist()):
            torch.mm(x[first : first + size], w[group], out=out[first : first + size])
            first += size
        return out

    measure.kernel(
        "64 experts, 16384 rows, 2048 → 2816, float16",
        learner,
        "grouped_gemm",
        inputs=inputs,
        reference=loop,
        rtol=1e-2,
        atol=1e-2,
        baseline="torch",
        bytes=2 * (rows * k + groups * k * n + rows * n),
        flops=2 * rows * k * n,
        dtype="float16",
        at_least=1.0,
        star=2.0,
    )
