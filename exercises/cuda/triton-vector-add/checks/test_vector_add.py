import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

DTYPES = (torch.float32, torch.float16, torch.int32)
MARGIN = 4096  # elements around a slice: more than a block, so that what strays is seen and harms nothing


def vector(n, dtype=torch.float32, seed=None):
    """n random values; int32 over its whole range, so that sums wrap around as the hardware does it."""
    generator = torch.Generator()
    generator.manual_seed(int(torch.randint(1 << 62, ())) if seed is None else seed)
    if dtype is torch.int32:
        return torch.randint(-(1 << 31), 1 << 31, (n,), generator=generator).to(dtype)
    return (100 * torch.randn(n, generator=generator)).to(dtype)


def exact(got, expected, what):
    """One addition is rounded once: there is nothing to be tolerant about."""
    assert_close(got, expected, rtol=0, atol=0, what=what)


def check_add(learner, n, dtype=torch.float32):
    x, y = vector(n, dtype), vector(n, dtype)
    exact(learner.add(x, y), x + y, "add(x, y)")


def check_slices(learner, n, strides=(1, 1, 1), dtype=torch.float32):
    """add_into() on slices of larger buffers: right inside, and nothing else is touched."""
    starts = [MARGIN + 16 * int(torch.randint(9, ())) for _ in strides]
    before = [
        vector(start + max(n - 1, 0) * stride + 1 + MARGIN, dtype)
        for start, stride in zip(starts, strides, strict=True)
    ]
    after = learner.harness("drive").into_slices(*before, n, starts, list(strides))
    x, y, out = [
        torch.as_strided(b, (n,), (stride,), start)
        for b, start, stride in zip([*before[:2], after[2]], starts, strides, strict=True)
    ]
    exact(out, x + y, f"out for n = {n} and strides {strides}")
    for name, was, now, start, stride in zip(["x", "y", "out"], before, after, starts, strides, strict=True):
        touched = was != now
        if name == "out":
            torch.as_strided(touched, (n,), (stride,), start)[:] = False
        if touched.any():
            first, last = int(touched.nonzero()[0]) - start, max(n - 1, 0) * stride
            fail(
                f"n = {n}: {int(touched.sum())} elements have changed that are not add_into()'s to write; "
                f"the first lies {first} elements behind {name}[0], and {name}[{n - 1}] lies {last} behind it"
            )


def size_with_a_tail(low, high):
    """A size that no block size divides."""
    return int(torch.randint(low // 2, high // 2, ())) * 2 + 1


# --- level correct: Triton's interpreter; a program costs milliseconds there, so the sizes are small --------


def test_whole_blocks(learner):
    check_add(learner, 2048)


def test_tail(learner):
    check_slices(learner, size_with_a_tail(1030, 2040))


def test_one_and_none(learner):
    for n in (1, 0):
        check_slices(learner, n)
    check_add(learner, 0)


def test_reads_stay_inside(learner):
    n = size_with_a_tail(300, 900)
    x, y = vector(n), vector(n)
    exact(learner.harness("drive").before_walls(x, y), x + y, "out")


def test_dtypes(learner):
    for dtype in (torch.float16, torch.int32):
        check_add(learner, size_with_a_tail(100, 900), dtype)


def test_strides(learner):
    check_slices(learner, size_with_a_tail(100, 900), (2, 1, 3))
    n = size_with_a_tail(100, 900)
    one_number, backwards = vector(1).expand(n), vector(3 * n)[::3]
    exact(learner.add(one_number, backwards), one_number + backwards, "add() of vectors with strides 0 and 3")


def test_inputs_stay(learner):
    n = size_with_a_tail(100, 900)
    x, y = vector(n), vector(n)
    answer, x_after, y_after = learner.harness("drive").keeps_its_inputs(x, y, float(vector(1)))
    exact(answer, x + y, "add(x, y)")
    exact(x_after, x, "x after the call")
    exact(y_after, y, "y after the call")


@settings(max_examples=8)
@given(n=st.integers(0, 1200), dtype=st.sampled_from(DTYPES), seed=st.integers(0, 1 << 60))
def test_any_size(learner, n, dtype, seed):
    x, y = vector(n, dtype, seed), vector(n, dtype, seed + 1)
    exact(learner.add(x, y), x + y, "add(x, y)")


# --- level compiles: Triton's compiler for an H100 or H200 (sm_90), with no GPU -----------------------------


def compiled(learner, n, dtype=torch.float32, step=1):
    vectors = vector(n * step, dtype)[::step], vector(n, dtype)
    return learner.compile("add", *vectors, target="cuda:90", kernel="add_kernel")


def test_masks_in_the_ir(learner):
    for kernel in compiled(learner, size_with_a_tail(1030, 2040)):
        for operation, operands, fewest in (("tt.load", 2, 2), ("tt.store", 3, 1)):
            found = re.findall(rf"{re.escape(operation)} (%[^:\n]*)", kernel.ttir)
            if len(found) < fewest:
                fail(f"the kernel's TTIR has {len(found)} × {operation}, expected at least {fewest}")
            for text in found:
                if text.count("%") < operands:
                    fail(f"a {operation} in the kernel's TTIR has no mask: `{operation} {text.strip()}`")


def test_wide_accesses(learner, measure):
    for kernel in compiled(learner, 16 * size_with_a_tail(70, 140)):
        measure.resources(kernel)
        for access in ("ld", "st"):
            found = re.findall(rf"{access}\.global[.\w]*", kernel.ptx)
            narrow = [text for text in found if not text.endswith((".v4.b32", ".v2.b64"))]
            if narrow or not found:
                wide = f"{access}.global.v4.b32"
                fail(f"float32 vectors with stride 1 should be moved 16 bytes at a time: `{wide}`", got=found)
        if kernel.spills:
            fail(f"the kernel spills {kernel.spills} bytes of registers to memory")


def test_every_kind_compiles(learner):
    for dtype in (torch.float16, torch.int32):
        compiled(learner, size_with_a_tail(1030, 2040), dtype, step=2)


# --- level gpu: the same behaviours on the device, where size costs nothing ---------------------------------


def test_gpu_sizes(learner):
    for n in (2048, 1, 0, size_with_a_tail(1030, 2040), 1 << 20, size_with_a_tail(1 << 20, 1 << 21)):
        check_add(learner, n)
        check_slices(learner, n)


def test_gpu_dtypes_and_strides(learner):
    for dtype in DTYPES:
        check_add(learner, size_with_a_tail(1 << 16, 1 << 17), dtype)
        check_slices(learner, size_with_a_tail(1 << 16, 1 << 17), (2, 1, 3), dtype)


@given(n=st.integers(0, 20_000), dtype=st.sampled_from(DTYPES), seed=st.integers(0, 1 << 60))
def test_gpu_any_size(learner, n, dtype, seed):
    x, y = vector(n, dtype, seed), vector(n, dtype, seed + 1)
    exact(learner.add(x, y), x + y, "add(x, y)")
