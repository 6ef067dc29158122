import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail

VOCABULARY = 128_256
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    return 2 * between(low // 2, high // 2) + 1


def expected(x, k):
    """A stable sort: of equal elements the first comes first; NaN is larger than all."""
    values, positions = torch.sort(x, dim=1, descending=True, stable=True)
    return values[:, :k], positions[:, :k]


def same(got, x, k, what=""):
    rows, columns = x.shape
    of = f"of the {k} largest of {rows} × {columns}{what}"
    if not (isinstance(got, (tuple, list)) and len(got) == 2):
        fail("topk() must return (values, positions)", got=got)
    values, positions = expected(x, k)
    assert_close(got[0], values, rtol=0, atol=0, what=f"the values {of}")
    assert_close(got[1], positions, rtol=0, atol=0, what=f"the positions {of}")


def check(learner, x, k, what=""):
    same(learner.topk(x, k), x, k, what)


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def distinct(rows, columns):
    """Numbers of 8 significant bits, up to 256 of them, each once in a row."""
    return torch.stack([torch.randperm(256)[:columns] for _ in range(rows)]).float()


def test_one_block(learner):
    check(learner, distinct(3, 64), 4)


def test_any_k(learner):
    columns = odd(65, 120)
    for k in (1, between(2, 30), columns):
        check(learner, distinct(2, columns), k)
    check(learner, distinct(2, 256), 256)


def test_close_numbers(learner):
    columns = odd(200, 400)
    x = 1 + torch.randperm(columns)[None, :] * 2**-23  # neighbours among float32, each number once
    check(learner, x, between(5, 20), " that differ in their last bits")
    check(learner, torch.rand(2, columns), between(30, 90))


def test_negative_numbers(learner):
    for scale in (1.0, 1e30):
        check(learner, torch.randn(2, odd(100, 200)) * scale, between(3, 9))
    check(learner, -torch.rand(2, odd(100, 200)) - 1, between(3, 9), ", all negative")


def test_long_rows(learner):
    check(learner, torch.randn(2, odd(9000, 17_000)), between(20, 60))
    x = torch.randn(1, VOCABULARY)
    x[0] += torch.linspace(0, 3, VOCABULARY)  # the largest come late
    check(learner, x, 50)


def test_equal_numbers(learner):
    for columns, k in ((odd(100, 200), between(30, 90)), (odd(9000, 13_000), between(100, 256))):
        x = torch.randint(-2, 3, (4, columns)).float()
        # ones make half of the result: the other half are zeros, of either sign
        x[1:3] = (torch.rand(2, columns) < k / columns / 2).float()
        x[1:3] *= torch.where(x[1:3] == 0, torch.randn(2, columns).sign(), 1.0)
        x[3] = 7
        check(learner, x, k, " with many equal ones")


def test_infinities(learner):
    columns = odd(300, 500)
    x = torch.full((3, columns), -torch.inf)
    x[0, torch.randperm(columns)[:3]] = torch.randn(
        3
    )  # a mask leaves three: the rest of the five are the first others
    x[1] = torch.randn(columns)
    x[1, between(0, columns - 1)] = torch.inf
    check(learner, x, 5, " with infinities")


def test_nan(learner):
    columns = odd(300, 500)
    for dtype in DTYPES:
        x = torch.randn(2, columns).to(dtype)
        for value in (torch.nan, -torch.nan, torch.inf):
            x[:, torch.randperm(columns)[:3]] = value
        check(learner, x, between(4, 12), f" with NaN, {dtype}")


def test_halves(learner):
    for dtype in (torch.float16, torch.bfloat16):
        for x in (torch.randn(1, odd(4000, 6000)), torch.rand(1, odd(4000, 6000)) - 2):
            check(learner, x.to(dtype), between(100, 256), f", {dtype}")


def test_row_strides(learner):
    rows, columns, k = 3, odd(100, 200), between(3, 9)
    step, start = columns + between(1, 20), between(1, 20)
    buffer = torch.randn(start + rows * step)
    *got, after = learner.harness("drive").of_slice(buffer, [rows, columns], step, start, k)
    same(got, torch.as_strided(buffer, (rows, columns), (step, 1), start), k, f" in rows of {step}")
    assert_equal(after, buffer, "the memory around x after the call")


def test_one_and_none(learner):
    for shape, k in (((0, 9), 3), ((2, 9), 0), ((2, 1), 1), ((1, 1), 1)):
        check(learner, torch.randn(shape), k)


def test_few_reads(learner):
    rows, columns, k = 2, odd(700, 900), between(20, 40)
    for dtype, most in ((torch.float32, 5), (torch.bfloat16, 3)):
        loads, stores = learner.harness("drive").moved(torch.randn(rows, columns).to(dtype), k)
        times = loads / (rows * columns)
        if times < 1:
            fail(f"kernels of yours should find the largest: they load {times:.2f} of the elements")
        # the chosen ones are looked at again to be put in order
        if loads > most * rows * columns + rows * k * (k + 1):
            fail(
                f"each row of {dtype} is read {times:.1f} times, {most} times are enough",
                got=loads,
                expected=most * rows * columns,
            )
        if stores > 4 * rows * k:
            fail(
                f"topk() stores {stores} elements for {rows} × {k} results: there is a copy or a sorted row among them",
                got=stores,
                expected=f"at most {4 * rows * k}",
            )


@settings(max_examples=10)
@given(
    rows=st.integers(0, 3),
    columns=st.integers(1, 400),
    share=st.floats(0, 1),
    dtype=st.sampled_from(DTYPES),
    coarse=st.booleans(),
)
def test_any_shape(learner, rows, columns, share, dtype, coarse):
    x = torch.randn(rows, columns)
    check(learner, (x.round() if coarse else x).to(dtype), min(256, round(share * columns)))


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, x, k, target="cuda:90"):
    kernels = learner.compile("topk", x, k, target=target)
    mine = {kernel.name: kernel for kernel in kernels}
    if not {"select_kernel", "order_kernel"} <= set(mine):
        fail(
            "topk() must launch select_kernel and order_kernel",
            got=[kernel.name for kernel in kernels],
            expected=["select_kernel", "order_kernel"],
        )
    return mine


def test_fits(learner, measure):
    for name, kernel in compiled(learner, torch.randn(1, VOCABULARY), 256).items():
        measure.value(f"registers per thread, {name}", kernel.registers)
        if kernel.spills or kernel.shared > 64 << 10:
            fail(
                f"{name}: a row of {VOCABULARY} does not fit on an SM, nor do 256 × 256 comparisons at a time: "
                f"{kernel.spills} bytes are spilled, {kernel.shared} bytes of shared memory are used"
            )


def test_wide_accesses(learner):
    kernel = compiled(learner, torch.randn(2, VOCABULARY).to(torch.bfloat16), 64)["select_kernel"]
    found = re.findall(r"ld\.global[.:\w]*", kernel.ptx)
    if not any(re.search(r"\.(v4\.b32|v2\.b64)$", text) for text in found):
        fail(
            "select_kernel should read rows of bfloat16 16 bytes at a time: `ld.global.v4.b32`",
            got=sorted(set(found)),
        )


def test_every_kind_compiles(learner):
    compiled(learner, torch.randn(2, odd(3000, 5000)).to(torch.float16), 7, "cuda:80")


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_shapes(learner):
    for rows, columns, k in (
        (64, VOCABULARY, 50),
        (odd(300, 900), odd(2000, 5000), 8),
        (3, 256, 256),
        (1, 1, 1),
    ):
        check(learner, torch.randn(rows, columns), k)
    test_any_k(learner)


def test_gpu_special_numbers(learner):
    for part in (test_negative_numbers, test_close_numbers, test_equal_numbers, test_infinities, test_nan):
        part(learner)


def test_gpu_halves_and_strides(learner):
    test_halves(learner)
    test_row_strides(learner)


# --- level fast -------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    rows, k = 64, 64
    measure.kernel(
        f"top {k} of {rows}×{VOCABULARY} bfloat16",
        learner,
        "topk",
        kwargs={"k": k},
        inputs=lambda: (torch.randn(rows, VOCABULARY).to(torch.bfloat16),),
        reference=expected,
        rtol=0,
        atol=0,
        baseline=torch.topk,
        bytes=2 * rows * VOCABULARY,
        dtype="bfloat16",
        at_least=0.2,
        star=0.8,
    )
