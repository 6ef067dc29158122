import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

HALVES = (torch.float16, torch.bfloat16)
# relative, and absolute for values of size 1; the interpreter cuts bfloat16 off instead of rounding
TOLERANCE = {torch.float32: (1e-5, 1e-4), torch.float16: (2e-3, 2e-3), torch.bfloat16: (1.6e-2, 1.6e-2)}
MARGIN = 64


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    return 2 * between(low // 2, high // 2) + 1


def integers(rows, columns, dtype=torch.int32, size=1000):
    return torch.randint(-size, size, (rows, columns)).to(dtype)


def exact(got, x, what):
    """Sums of integers leave nothing to be tolerant about."""
    assert_close(got, x.long().cumsum(1).to(x.dtype), rtol=0, atol=0, what=what)


def near(got, expected, dtype, what):
    rtol, atol = TOLERANCE[dtype]
    assert_close(got, expected.to(dtype), rtol=rtol, atol=atol, what=what)


def steps(rows, columns, dtype=torch.float32):
    """Factors and terms of a recurrence whose state stays around 1: half of the factors are close to 1."""
    a = 1 - torch.rand(rows, columns) ** 3 * 0.9
    return (a * torch.randn(rows, columns).sign()).to(dtype), torch.randn(rows, columns).to(dtype)


def states(a, x, start, reverse=False):
    """The recurrence, step by step in float64."""
    a, x, h = a.double(), x.double(), start.double()
    out = torch.empty_like(x)
    columns = range(x.shape[1])
    for i in reversed(columns) if reverse else columns:
        h = a[:, i] * h + x[:, i]
        out[:, i] = h
    return out


def check_recurrence(learner, a, x, start=None, reverse=False, what=""):
    start = torch.randn(len(x)) if start is None else start
    got = learner.recurrence(a, x, start, reverse)
    how = "in reverse, " if reverse else ""
    near(got, states(a, x, start, reverse), x.dtype, f"recurrence() {how}of {x.shape[1]} steps{what}")


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_one_block(learner):
    for rows, columns in ((4, 64), (between(2, 4), odd(30, 90))):
        x = integers(rows, columns)
        exact(learner.cumsum(x), x, f"cumsum() of {rows} × {columns} integers")


def test_many_blocks(learner):
    for columns in (8192, odd(9000, 20_000)):
        x = integers(2, columns)
        exact(learner.cumsum(x), x, f"cumsum() of 2 × {columns} integers")


def test_every_length(learner):
    around = [2**power + shift for power in range(9, 15) for shift in (-1, 0, 1)]
    for columns in (1, 2, *around):
        x = integers(1, columns)
        exact(learner.cumsum(x), x, f"cumsum() of {columns} integers")
    for shape in ((0, 5), (5, 0)):
        exact(learner.cumsum(integers(*shape)), integers(*shape), f"cumsum() of an empty matrix {shape}")


def test_large_integers(learner):
    columns = odd(3000, 6000)
    for dtype, size in ((torch.int32, 1 << 17), (torch.int64, 1 << 48)):
        x = integers(2, columns, dtype, size)
        exact(learner.cumsum(x), x, f"cumsum() of 2 × {columns} large {dtype}")


def test_floats(learner):
    columns = odd(20_000, 30_000)
    for dtype in (torch.float32, *HALVES):
        x = torch.rand(2, columns).to(dtype)  # grows to some 12,000: float16 there goes in steps of 8
        near(learner.cumsum(x), x.double().cumsum(1), dtype, f"cumsum() of 2 × {columns} positive {dtype}")


def test_strides(learner):
    rows, columns = between(3, 6), odd(1100, 1300)
    for strides in ((columns + 7, 1), (1, rows), (3 * columns, 3)):
        start = MARGIN + between(0, 9)
        span = 1 + (rows - 1) * strides[0] + (columns - 1) * strides[1]
        buffer = integers(1, start + span + MARGIN)[0]
        got, after = learner.harness("drive").cumsum_of_slice(buffer, [rows, columns], list(strides), start)
        x = torch.as_strided(buffer, (rows, columns), strides, start)
        exact(got, x, f"cumsum() of a {rows} × {columns} matrix with strides {strides}")
        if (after != buffer).any():
            fail("cumsum() has changed its input")


def test_recurrence(learner):
    for rows, columns in ((3, 64), (2, odd(20, 60))):
        check_recurrence(learner, *steps(rows, columns))
    check_recurrence(learner, *steps(2, 1))
    for shape in ((0, 5), (3, 0)):
        check_recurrence(learner, *steps(*shape))


def test_recurrence_over_blocks(learner):
    columns = odd(4200, 4600)
    a = 1 - torch.rand(1, columns) / 1000  # remembers for thousands of steps
    check_recurrence(learner, a, torch.randn(1, columns) / 50)


def test_factors_of_zero(learner):
    columns = odd(150, 250)
    a, x = steps(3, columns)
    a[0, ::10] = 0
    a[1] /= 1000  # their product is 0 after a few steps
    a[2] = 0
    check_recurrence(learner, a, x, what=" with factors of 0 and small ones")


def test_reverse(learner):
    for columns in (64, odd(20, 60), odd(200, 300)):
        check_recurrence(learner, *steps(2, columns), reverse=True)
    columns = odd(2100, 2300)
    a = 1 - torch.rand(1, columns) / 1000
    check_recurrence(learner, a, torch.randn(1, columns) / 50, reverse=True)


def test_states_in_half(learner):
    columns = odd(300, 400)
    for dtype in HALVES:
        a = torch.full((2, columns), 1.0).to(dtype)
        check_recurrence(learner, a, torch.rand(2, columns).to(dtype) / 64 + 1, what=f" in {dtype}")


def test_shared_factors(learner):
    rows, columns = 3, odd(30, 60)
    a, x = steps(rows, columns + 9)
    check_recurrence(
        learner, a[:1, :columns].expand(rows, columns), x[:, :columns], what=", one row of factors for all"
    )


def test_each_element_once(learner):
    rows, columns, drive = 2, odd(5000, 6000), learner.harness("drive")
    x = integers(rows, columns)
    a, terms = steps(rows, odd(300, 600))
    for what, tensors in (
        ("cumsum", {"x": x}),
        ("recurrence", {"a": a, "x": terms, "start": torch.randn(rows)}),
    ):
        seen = drive.moved(what, tensors)
        size = tensors["x"].numel()
        for name in ("a", "x"):
            if name in tensors and seen[name] != size:
                fail(
                    f"the kernel of {what}() should load {name} once, and loads it {seen[name] / size:.2f} times",
                    got=seen[name],
                    expected=size,
                )
        if seen["stored"] != size:
            fail(
                f"the kernel of {what}() should store each result once, and stores {seen['stored'] / size:.2f} as many",
                got=seen["stored"],
                expected=size,
            )


@settings(max_examples=10)
@given(
    rows=st.integers(0, 3),
    columns=st.integers(0, 3000),
    dtype=st.sampled_from((torch.int32, torch.int64, torch.float32)),
    transposed=st.booleans(),
)
def test_any_shape(learner, rows, columns, dtype, transposed):
    x = integers(rows, columns, dtype, 1000)  # small enough for float32 to be exact
    exact(learner.cumsum(x.T.contiguous().T if transposed else x), x, f"cumsum() of {rows} × {columns}")


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, function, *args, target="cuda:90"):
    kernels = learner.compile(function, *args, target=target)
    if [kernel.name for kernel in kernels] != [f"{function}_kernel"]:
        fail(
            f"{function}() must launch one kernel, called {function}_kernel",
            got=[kernel.name for kernel in kernels],
            expected=[f"{function}_kernel"],
        )
    return kernels[0]


def long_rows(columns):
    return (("cumsum", [torch.randn(2, columns)]), ("recurrence", [*steps(2, columns), torch.randn(2)]))


def test_scan_in_the_ir(learner):
    for function, args in long_rows(odd(9000, 20_000)):
        kernel = compiled(learner, function, *args)
        if "tt.scan" not in kernel.ttir:
            fail(
                f"{kernel.name} has no tt.scan in its TTIR: it goes through its row one element after another"
            )


def test_rows_of_any_length(learner):
    columns = odd(150_000, 250_000)
    for function, args in long_rows(columns):
        kernel = compiled(learner, function, *args)
        if kernel.spills or kernel.shared > 64 << 10:
            fail(
                f"{kernel.name}: a row of {columns} elements does not fit on an SM: {kernel.spills} bytes are spilled, "
                f"{kernel.shared} bytes of shared memory are used; go through it a block at a time"
            )


def test_wide_accesses(learner, measure):
    for function, args in long_rows(64 * between(150, 300)):
        kernel = compiled(learner, function, *args)
        measure.value(f"registers per thread, {kernel.name}", kernel.registers)
        if kernel.spills:
            fail(f"{kernel.name} spills {kernel.spills} bytes of registers to memory: its block is too large")
        for access, others in (("ld", 1), ("st", 0)):
            found = re.findall(rf"{access}\.global[.:\w]*", kernel.ptx)
            wide = [text for text in found if re.search(r"\.(v4\.b32|v2\.b64)$", text)]
            # what is left is one number: the start of the recurrence
            if not wide or len(found) - len(wide) > others:
                fail(
                    f"{kernel.name}: rows of float32 should be moved 16 bytes at a time, `{access}.global.v4.b32`",
                    got=sorted(set(found)),
                )


def test_every_kind_compiles(learner):
    columns = odd(3000, 5000)
    compiled(learner, "cumsum", integers(3, columns, torch.int64), target="cuda:80")
    compiled(learner, "cumsum", torch.randn(columns, 3).to(torch.bfloat16).T)
    compiled(learner, "recurrence", *steps(2, columns, torch.float16), torch.randn(2), True, target="cuda:80")


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_integers(learner):
    test_every_length(learner)
    test_large_integers(learner)
    for rows, columns in ((odd(300, 600), odd(3000, 9000)), (1, odd(300_000, 600_000))):
        x = integers(rows, columns)
        exact(learner.cumsum(x), x, f"cumsum() of {rows} × {columns} integers")


def test_gpu_floats_and_strides(learner):
    test_floats(learner)
    test_strides(learner)


def test_gpu_recurrence(learner):
    for reverse in (False, True):
        for rows, columns in ((2, 64), (odd(200, 400), odd(3000, 9000))):
            check_recurrence(learner, *steps(rows, columns), reverse=reverse)
    test_factors_of_zero(learner)
    test_states_in_half(learner)


# --- level fast -------------------------------------------------------------------------------------------


def doubling(a, x, start):
    """The recurrence in float64 by log2(columns) rounds of doubling, for a reference on the device."""
    a, x = a.double(), x.double()
    x[:, 0] += a[:, 0] * start.double()
    distance = 1
    while distance < x.shape[1]:
        x = torch.cat([x[:, :distance], a[:, distance:] * x[:, :-distance] + x[:, distance:]], 1)
        a = torch.cat([a[:, :distance], a[:, distance:] * a[:, :-distance]], 1)
        distance *= 2
    return x.float()


def test_fast_cumsum(learner, measure):
    rows, columns = 4096, 16_384
    measure.kernel(
        f"cumsum {rows}×{columns} float32",
        learner,
        "cumsum",
        inputs=lambda: (torch.randn(rows, columns),),
        reference=lambda x: x.double().cumsum(1).float(),
        rtol=1e-4,
        atol=1e-2,
        baseline="copy",
        bytes=2 * 4 * rows * columns,
        flops=rows * columns,
        dtype="float32",
        at_least=0.6,
        star=0.88,
    )


def test_fast_recurrence(learner, measure):
    rows, columns = 4096, 8192
    measure.kernel(
        f"linear recurrence {rows}×{columns} float32",
        learner,
        "recurrence",
        inputs=lambda: (torch.rand(rows, columns), torch.randn(rows, columns), torch.randn(rows)),
        reference=doubling,
        rtol=1e-4,
        atol=1e-4,
        baseline="copy",
        bytes=3 * 4 * rows * columns,
        flops=2 * rows * columns,
        dtype="float32",
        at_least=0.6,
        star=0.88,
    )
