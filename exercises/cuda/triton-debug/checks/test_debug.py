import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail

MARGIN = 512


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    return 2 * between(low // 2, high // 2) + 1


def whole(*shape, low=-8, high=9):
    """Small whole numbers as float32: sums of them are exact in any order."""
    return torch.randint(low, high, shape).float()


def exact(got, expected, what):
    assert_close(got, expected, rtol=0, atol=0, what=what)


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_friendly_inputs(learner):
    """What the kernels' authors have tried: all five are right here, also with their bugs."""
    x = torch.randn(between(2, 4), 512)
    exact(learner.row_max(x), x.amax(1), "row_max(x)")
    learner.demand_launch("row_max_kernel")
    x, s = torch.randn(between(33, 60), odd(65, 120)), torch.randn(64)
    s = s[: len(x)].clone()
    exact(learner.scale_rows(x, s), x * s[:, None], "scale_rows(x, s)")
    learner.demand_launch("scale_rows_kernel")
    x = whole(odd(65, 120), odd(65, 120))
    exact(learner.column_sums(x), x.sum(0), "column_sums(x)")
    learner.demand_launch("column_sums_kernel")
    table, ids = torch.randn(between(5, 9), odd(257, 400)), torch.randint(5, (between(3, 6),)).int()
    exact(learner.take_rows(table, ids), table[ids], "take_rows(table, ids)")
    learner.demand_launch("take_rows_kernel")
    x = whole(between(2, 4), odd(257, 800))
    assert_close(learner.row_means(x), x.mean(1), what="row_means(x)")
    learner.demand_launch("row_means_kernel")


@settings(max_examples=12)
@given(
    rows=st.integers(1, 3),
    columns=st.integers(1, 600),
    top=st.sampled_from((100.0, -1.0, -3e38, -torch.inf)),
    seed=st.integers(0, 1 << 60),
)
def test_row_max(learner, rows, columns, top, seed):
    generator = torch.Generator()
    generator.manual_seed(seed)
    x = top - 50 * torch.rand(rows, columns, generator=generator)
    exact(learner.row_max(x), x.amax(1), f"row_max() of rows of {columns} elements, none above {top}")


def check_slice(learner, rows, columns, strides, what):
    """scale_rows() of a slice of a larger buffer, of which nothing may change."""
    start = between(0, 9) + MARGIN
    n = start + (rows - 1) * strides[0] + (columns - 1) * strides[1] + 1 + MARGIN
    buffer, s = torch.randn(n), torch.randn(rows)
    got, after = learner.harness("drive").scaled_slice(buffer, s, [rows, columns], list(strides), start)
    x = torch.as_strided(buffer, (rows, columns), strides, start)
    exact(got, x * s[:, None], f"scale_rows() of {what}, {rows} × {columns} with strides {strides},")
    exact(after, buffer, "the memory around x")


def test_scale_rows(learner):
    rows, columns = odd(34, 60), odd(66, 120)
    check_slice(learner, rows, columns, (1, rows), "a transposed matrix")
    check_slice(learner, rows, columns, (columns + between(1, 40), 1), "some columns of a wider matrix")
    check_slice(learner, rows, columns, (2 * columns, 2), "every second column")
    check_slice(learner, rows, columns, (0, 1), "one row seen many times")


def races(accesses):
    """The first two accesses that race, as (element, one, other), or None.

    Programs have no order: if two of them touch an element, both must do so atomically, or both only read.
    """
    seen = {}
    for what, program, elements in accesses:
        for element in elements:
            for other_what, other in seen.get(element, ()):
                if other != program and not (what == other_what and what in ("atomic", "load")):
                    return element, (other_what, other), (what, program)
            if (what, program) not in seen.setdefault(element, []):
                seen[element].append((what, program))
    return None


def test_column_sums(learner):
    rows, columns = odd(70, 120), odd(70, 120)
    for x in (whole(rows, columns), whole(1, 1), whole(0, columns)):
        sums, accesses = learner.harness("drive").accesses_to_the_sums(x)
        exact(sums, x.sum(0), f"column_sums() of {len(x)} × {x.shape[1]}")
        found = races(accesses)
        if found:
            element, (what, one), (other_what, other) = found
            fail(
                f"a race: program {tuple(one)} and program {tuple(other)} both touch element {element} of the sums, one "
                f"with a {what}, one with a {other_what}, and nothing says which of them comes first"
            )
        if x.numel() and not accesses:
            fail("no program of yours touches the result of column_sums()")


def check_far(learner, distance):
    rows, columns = 4, odd(257, 400)
    table = torch.randint(-128, 128, (rows, columns)).to(torch.int8)
    ids = torch.tensor([3, 0, 2, 1, 3]).int()[: between(3, 5)]
    got = learner.harness("drive").take_far(table, ids, distance)
    assert_equal(got.dtype, table.dtype, "the result's dtype")
    exact(got, table[ids], f"take_rows() from rows that lie {distance} elements apart, ids {ids.tolist()},")


def test_take_rows(learner):
    check_far(learner, 2**30 + 16 * between(1, 1000))


def check_means(learner, dtype):
    blocks = between(3, 6)
    # a large number first, in every lane of any block up to 1024, then many ones
    x = torch.cat([torch.full((2, 1024), 2048.0), torch.ones(2, 1024 * blocks + odd(1, 900))], 1).to(dtype)
    x[1] = -x[1]
    assert_close(
        learner.row_means(x),
        x.double().mean(1).float(),
        rtol=1e-4,
        what=f"row_means() of 1024 × 2048, then {x.shape[1] - 1024} × 1, {dtype},",
    )


def test_row_means(learner):
    check_means(learner, torch.float16)
    check_means(learner, torch.bfloat16)
    x = 40_000 + 20_000 * torch.rand(2, odd(3000, 5000))
    x = x.half()
    assert_close(
        learner.row_means(x), x.double().mean(1).float(), rtol=1e-4, what="row_means() of float16 near 50,000"
    )


def test_no_copies(learner):
    x = torch.randn(odd(34, 60), odd(300, 400))
    for name, *inputs in (
        ("row_max", x),
        ("scale_rows", x.T, torch.randn(x.shape[1])),
        ("column_sums", x),
        ("take_rows", x, torch.arange(len(x)).int()),
        ("row_means", x.half()),
    ):
        reads = learner.harness("drive").reads_of(name, *inputs)
        if reads < x.numel():
            fail(
                f"{name}() lets its kernel read a copy: the bug is in the kernel, and a copy only hides it",
                got=f"{reads} elements read from the input itself",
                expected=f"{x.numel()} elements",
            )


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, target, name, *inputs):
    (kernel, *_) = learner.compile(name, *inputs, target=target, kernel=f"{name}_kernel")
    if kernel.spills:
        fail(f"{name}_kernel spills {kernel.spills} bytes of registers for {target}")
    return kernel


def test_compiles(learner):
    x, ids = torch.randn(odd(64, 90), odd(400, 600)), torch.randint(9, (3,)).int()
    compiled(learner, "cuda:90", "row_means", x.half())
    compiled(learner, "cuda:80", "row_means", x.bfloat16())
    compiled(learner, "cuda:90", "row_max", x)
    compiled(learner, "cuda:90", "scale_rows", x.T, torch.randn(x.shape[1]))
    compiled(learner, "cuda:90", "take_rows", x.half(), ids)
    compiled(learner, "cuda:90", "column_sums", x)
    compiled(learner, "cuda:80", "column_sums", x)


# --- level gpu: the same on the device, where programs do run at the same time -----------------------------


def test_gpu_inputs(learner):
    test_friendly_inputs(learner)
    test_scale_rows(learner)
    for columns in (1, 255, 257, odd(1000, 9000)):
        x = -1 - torch.rand(between(100, 300), columns)
        exact(learner.row_max(x), x.amax(1), f"row_max() of rows of {columns} negative elements")
    test_row_means(learner)


def test_gpu_race(learner):
    for _ in range(5):
        x = whole(odd(8000, 16_000), odd(70, 120))
        exact(learner.column_sums(x), x.sum(0), f"column_sums() of {len(x)} × {x.shape[1]}")


def test_gpu_far_rows(learner):
    check_far(learner, 2**30 + 16 * between(1, 1000))
