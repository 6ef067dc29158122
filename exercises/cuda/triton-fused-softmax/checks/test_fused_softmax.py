import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
# half a unit in the last place of the result, and what float32 loses on the way; the interpreter cuts bfloat16 off
TOLERANCE = {torch.float32: (1e-5, 1e-7), torch.float16: (1e-3, 1e-7), torch.bfloat16: (8.5e-3, 1e-7)}
MARGIN = 2048  # elements around a slice: more than what a forgotten mask reaches


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    """A width that is no power of two, nor even."""
    return 2 * between(low // 2, high // 2) + 1


def matrix(*shape, dtype=torch.float32, seed=None):
    generator = torch.Generator()
    generator.manual_seed(int(torch.randint(1 << 62, ())) if seed is None else seed)
    return (3 * torch.randn(shape, generator=generator)).to(dtype)


def near(got, x, what):
    rtol, atol = TOLERANCE[x.dtype]
    assert_close(got, torch.softmax(x.double(), 1).to(x.dtype), rtol=rtol, atol=atol, what=what)


def check(learner, x):
    near(learner.softmax(x), x, f"softmax(x) of a {x.shape[0]} × {x.shape[1]} matrix")


def span(shape, strides):
    return 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))


def check_slices(learner, shape, x_strides=None, out_strides=None, programs=None, dtype=torch.float32):
    """softmax_into() on slices of larger buffers: right inside, and nothing else is touched."""
    strides = [s or (shape[1], 1) for s in (x_strides, out_strides)]
    starts = [MARGIN + 16 * between(0, 8) for _ in strides]
    before = [
        matrix(start + span(shape, s) + MARGIN, dtype=dtype) for s, start in zip(strides, starts, strict=True)
    ]
    after = learner.harness("drive").into_slices(*before, list(shape), starts, *map(list, strides), programs)
    x = torch.as_strided(before[0], shape, strides[0], starts[0])
    out = torch.as_strided(after[1], shape, strides[1], starts[1])
    how = f" with {programs} programs" if programs else ""
    how += f" and strides {strides[0]} and {strides[1]}" if x_strides or out_strides else ""
    near(out, x, f"out for a {shape[0]} × {shape[1]} matrix{how}")
    for name, was, now, s, start in zip(("x", "out"), before, after, strides, starts, strict=True):
        touched = was != now
        if name == "out":
            torch.as_strided(touched, shape, s, start)[:] = False
        if touched.any():
            fail(
                f"{shape[0]} × {shape[1]}: {int(touched.sum())} elements have changed that are not softmax_into()'s "
                f"to write; the first lies {int(touched.nonzero()[0]) - start} elements behind {name}[0, 0]"
            )


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_whole_blocks(learner):
    check(learner, matrix(5, 128))


def test_odd_widths(learner):
    for low, high in ((100, 250), (300, 900)):
        check_slices(learner, (between(3, 5), odd(low, high)))


def test_large_values(learner):
    x = matrix(6, odd(40, 100))
    x[0] *= 100  # exp(300) is no float32
    x[1] += 1e4
    x[2] -= 1e4  # exp of these is 0, and so is their sum
    x[3, ::2] = -torch.inf  # masked positions of attention
    x[4] *= 1e37
    check(learner, x)


def test_few_programs(learner):
    rows = between(7, 11)
    for programs in (1, 2, between(3, 6), rows + 3):
        check_slices(learner, (rows, odd(10, 60)), programs=programs)


def test_one_and_none(learner):
    for shape in ((1, 1), (between(2, 9), 1), (1, odd(500, 1500)), (0, 7), (7, 0), (0, 0)):
        check(learner, matrix(*shape))


def test_dtypes(learner):
    for dtype in (torch.float16, torch.bfloat16):
        check(learner, matrix(3, odd(700, 2000), dtype=dtype))
        check(learner, matrix(20, odd(30, 60), dtype=dtype))


def test_strides(learner):
    rows, columns = between(4, 7), odd(30, 90)
    check_slices(learner, (rows, columns), (columns + 5, 1), (columns + 3, 1))  # a part of a wider matrix
    check_slices(learner, (rows, columns), (1, rows), (2 * columns, 2))  # a transposed matrix
    check(learner, matrix(1, columns).expand(rows, columns))  # one row seen several times
    check(learner, matrix(columns, rows).T)


def test_far_rows(learner):
    x = matrix(3, odd(30, 90), dtype=torch.float16)
    distance = 2**30 + 16 * between(1, 100)
    near(learner.harness("drive").far_rows(x, distance), x, f"rows that lie {distance} elements apart")


@settings(max_examples=12)
@given(
    shape=st.tuples(st.integers(0, 6), st.integers(0, 300)),
    dtype=st.sampled_from(DTYPES),
    transposed=st.booleans(),
    seed=st.integers(0, 1 << 60),
)
def test_any_shape(learner, shape, dtype, transposed, seed):
    x = matrix(*shape, dtype=dtype, seed=seed)
    check(learner, x.T.contiguous().T if transposed else x)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, x, target="cuda:90"):
    kernels = learner.compile("softmax", x, target=target)
    mine = [kernel for kernel in kernels if kernel.name == "softmax_kernel"]
    if len(mine) != 1 or len(kernels) != 1:
        fail(
            "softmax() must launch one kernel, called softmax_kernel, and launch it once",
            got=[kernel.name for kernel in kernels],
            expected=["softmax_kernel"],
        )
    return mine[0]


def test_loop_over_rows(learner):
    kernel = compiled(learner, matrix(5, odd(100, 250)))
    if "scf.for" not in kernel.ttir and "scf.while" not in kernel.ttir:
        fail(
            "the kernel's TTIR has no loop: a program must go from row to row, whatever the number of programs"
        )


def test_one_load(learner):
    kernel = compiled(learner, matrix(5, odd(1000, 2000)))
    for operation, moved in (("tt.load", "read"), ("tt.store", "written")):
        found = len(re.findall(rf"{re.escape(operation)}\b", kernel.ttir))
        if found != 1:
            fail(
                f"each row must be {moved} once: the kernel's TTIR has {found} × {operation}",
                got=found,
                expected=1,
            )


def test_wide_accesses(learner, measure):
    kernel = compiled(learner, matrix(4, 1024 * between(9, 12)))
    measure.value("registers per thread", kernel.registers)
    for access in ("ld", "st"):
        found = re.findall(rf"{access}\.global[.\w]*", kernel.ptx)
        narrow = [text for text in found if not text.endswith((".v4.b32", ".v2.b64"))]
        if narrow or not found:
            fail(
                f"rows of float32 with stride 1 should be moved 16 bytes at a time: `{access}.global.v4.b32`",
                got=found,
            )


def test_wide_rows_stay_in_registers(learner):
    for columns in (12 * 1024, 32 * 1024):
        kernel = compiled(learner, matrix(2, columns))
        if kernel.spills:
            threads = int((re.findall(r"\.(?:reqntid|maxntid) (\d+)", kernel.ptx) or ["0"])[0])
            fail(
                f"a row of {columns} float32 spread over {threads} threads is {columns // max(threads, 1)} values a "
                f"thread: it does not fit into registers, {kernel.spills} bytes are spilled to memory"
            )


def test_every_kind_compiles(learner):
    for target in ("cuda:80", "cuda:90"):
        for dtype in (torch.float16, torch.bfloat16):
            compiled(learner, matrix(odd(100, 250), 6, dtype=dtype).T, target)


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_shapes(learner):
    for shape in (
        (1823, 781),
        (1, 1),
        (0, 7),
        (7, 0),
        (1, odd(20_000, 32_000)),
        (odd(3000, 9000), odd(10, 300)),
    ):
        check(learner, matrix(*shape))
    for programs in (1, 7, odd(200, 400)):
        check_slices(learner, (odd(300, 600), odd(300, 900)), programs=programs)


def test_gpu_dtypes_and_strides(learner):
    for dtype in DTYPES:
        rows, columns = odd(100, 400), odd(300, 900)
        check(learner, matrix(rows, 32 * 1024, dtype=dtype))
        check_slices(learner, (rows, columns), (columns + 5, 1), (columns + 3, 1), dtype=dtype)
        check_slices(learner, (rows, columns), (1, rows), (2 * columns, 2), dtype=dtype)


def test_gpu_large_values(learner):
    test_large_values(learner)


def test_gpu_far_rows(learner):
    test_far_rows(learner)


# --- level fast -------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    rows, columns = 4096, 12_288
    measure.kernel(
        "softmax 4096×12288 float32",
        learner,
        "softmax",
        inputs=lambda: (torch.randn(rows, columns),),
        reference=lambda x: torch.softmax(x, 1),
        rtol=1e-4,
        atol=1e-7,
        baseline="copy",
        bytes=2 * 4 * rows * columns,
        flops=5 * rows * columns,
        dtype="float32",
        at_least=0.6,
        star=0.88,
    )
