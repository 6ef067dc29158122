import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail

HALVES = (torch.float16, torch.bfloat16)
# relative, and absolute for each unit of the values' own size; the interpreter cuts bfloat16 off instead of rounding
TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float16: (2e-3, 2e-3), torch.bfloat16: (1.6e-2, 1.6e-2)}
MARGIN = 64


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    """A width that is no power of two, nor even."""
    return 2 * between(low // 2, high // 2) + 1


def randn(*shape, dtype=torch.float32):
    return torch.randn(shape).to(dtype)


class Case:
    """Inputs of both passes and, in float64, what must come out."""

    def __init__(self, rows, columns, dtype=torch.float32, weights=None, x=None, dy=None, eps=1e-5):
        weights = weights or dtype
        self.x = randn(rows, columns, dtype=dtype) * 2 + 1 if x is None else x
        self.dy = randn(rows, columns, dtype=dtype) if dy is None else dy
        self.weight, self.bias = randn(columns, dtype=weights), randn(columns, dtype=weights)
        self.eps = eps
        self.size = f"{rows} × {columns}"
        leaves = [one.double().requires_grad_() for one in (self.x, self.weight, self.bias)]
        mean = leaves[0].mean(1)
        centred = leaves[0] - mean[:, None]
        rstd = (centred.square().mean(1) + eps).rsqrt()
        y = centred * rstd[:, None] * leaves[1] + leaves[2]
        self.mean, self.rstd = mean.detach().float(), rstd.detach().float()
        self.y = y.detach()
        self.dx, self.dweight, self.dbias = torch.autograd.grad(y, leaves, self.dy.double())

    def near(self, got, name, what, tolerance=None):
        like = self.x if name in ("y", "dx") else self.weight
        rtol, atol = tolerance or TOLERANCE[like.dtype]
        expected = getattr(self, name)
        # a sum of many rows has elements of any size: what is small there was rounded like what is large
        atol *= max(1.0, float(expected.abs().max())) if expected.numel() else 1.0
        assert_close(got, expected.to(like.dtype), rtol=rtol, atol=atol, what=f"{what} of {self.size}")

    def forward(self, learner, tolerance=None):
        got = learner.layer_norm(self.x, self.weight, self.bias, self.eps)
        if not (isinstance(got, (tuple, list)) and len(got) == 3):
            fail("layer_norm() must return (y, mean, rstd)", got=got)
        self.near(got[0], "y", "y", tolerance)
        for value, name in ((got[1], "mean"), (got[2], "rstd")):
            assert_close(value, getattr(self, name), rtol=1e-4, atol=1e-4, what=f"{name} of {self.size}")

    def backward(self, learner, programs=None, names=("dx", "dweight", "dbias")):
        got = learner.layer_norm_backward(self.dy, self.x, self.weight, self.mean, self.rstd, programs)
        self.gradients(got, names, f" with {programs} programs" if programs else "")

    def gradients(self, got, names=("dx", "dweight", "dbias"), how=""):
        if not (isinstance(got, (tuple, list)) and len(got) == 3):
            fail("layer_norm_backward() must return (dx, dweight, dbias)", got=got)
        for value, name in zip(got, ("dx", "dweight", "dbias"), strict=True):
            if name in names:
                self.near(value, name, name + how)


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_forward(learner):
    Case(5, 64).forward(learner)


def test_odd_widths(learner):
    for columns in (odd(33, 63), odd(300, 900)):
        Case(between(2, 4), columns).forward(learner)


def test_epsilon(learner):
    rows, columns = between(3, 6), odd(20, 50)
    flat = randn(rows, 1).expand(rows, columns).contiguous()  # no deviation: eps alone keeps rstd finite
    Case(rows, columns, x=flat, eps=1e-2).forward(learner)
    Case(rows, columns, x=flat + 0.1 * randn(rows, columns), eps=0.1).forward(learner)


def test_large_mean(learner):
    rows, columns = 4, odd(300, 600)
    x = randn(rows, columns) + 1000 * torch.tensor([[1.0], [-2.0], [3.0], [-4.0]])
    Case(rows, columns, x=x).forward(learner, tolerance=(2e-3, 1e-3))


def test_dx(learner):
    for columns in (64, odd(100, 250)):
        Case(between(2, 4), columns).backward(learner, names=("dx",))


def test_parameter_gradients(learner):
    Case(between(20, 30), odd(10, 30)).backward(learner)
    Case(3, odd(150, 300)).backward(learner)


def test_few_programs(learner):
    rows = between(7, 11)
    for programs in (1, 2, between(3, 6), rows + 3):
        Case(rows, odd(10, 60)).backward(learner, programs)


def test_one_and_none(learner):
    for rows, columns in ((1, 1), (between(2, 5), 1), (1, odd(500, 1500)), (0, odd(5, 30))):
        case = Case(rows, columns)
        case.forward(learner)
        case.backward(learner)


def test_dtypes(learner):
    for dtype in HALVES:
        rows, columns = between(10, 14), odd(700, 1000)
        x = (50 * randn(rows, columns) + 150).to(dtype)  # the sum of a row is beyond the largest float16
        for weights in (dtype, torch.float32):
            case = Case(rows, columns, dtype, weights, x=x)
            case.forward(learner)
            case.backward(learner, programs=2)


def test_strides(learner):
    rows, columns = between(3, 6), odd(30, 90)
    case = Case(rows, columns)
    steps = [columns + between(1, 20), columns + between(21, 40)]
    starts = [MARGIN + 16 * between(0, 3) for _ in steps]
    buffers = [randn(start + rows * step + MARGIN) for start, step in zip(starts, steps, strict=True)]
    for buffer, start, step, rows_of in zip(buffers, starts, steps, (case.x, case.dy), strict=True):
        torch.as_strided(buffer, (rows, columns), (step, 1), start)[:] = rows_of
    at = [[start, step] for start, step in zip(starts, steps, strict=True)]
    *got, x_after, dy_after = learner.harness("drive").on_slices(
        *buffers, case.weight, case.bias, case.mean, case.rstd, [rows, columns], *at
    )
    case.near(got[0], "y", f"y with a row stride of {steps[0]}")
    case.gradients(got[1:], how=f" with row strides of {steps[1]} (dy) and {steps[0]} (x)")
    assert_equal(x_after, buffers[0], "the memory around x after the call")
    assert_equal(dy_after, buffers[1], "the memory around dy after the call")
    one = randn(1, columns).expand(rows, columns)  # the gradient of y.sum(0) · v: one row seen several times
    Case(rows, columns, dy=one).backward(learner)


def check_far_rows(learner):
    case = Case(3, odd(30, 90), torch.float16)
    distance = 2**30 + 16 * between(1, 100)
    got = learner.harness("drive").far_rows(
        case.x, case.dy, case.weight, case.bias, case.mean, case.rstd, distance
    )
    case.near(got[0], "y", f"y of rows that lie {distance} elements apart")
    case.gradients(got[1:], how=f" of rows that lie {distance} elements apart")


def test_far_rows(learner):
    check_far_rows(learner)


def same_bits(runs, case, how):
    case.gradients(runs[0])
    for number, run in enumerate(runs[1:], 2):
        for name, first, other in zip(("dx", "dweight", "dbias"), runs[0], run, strict=True):
            bits = (first.view(torch.int32) != other.view(torch.int32)).flatten()
            if bits.any():
                index = int(bits.nonzero()[0])
                fail(
                    f"{name} differs between two runs on the same inputs, {how}: "
                    f"{int(bits.sum())} of {bits.numel()} elements have other bits in run {number}",
                    got=float(other.flatten()[index]),
                    expected=float(first.flatten()[index]),
                )


def test_same_bits(learner):
    case = Case(between(16, 20), odd(15, 30))
    runs = learner.harness("drive").again_in_any_order(
        10, case.dy, case.x, case.weight, case.mean, case.rstd, between(7, 9)
    )
    same_bits(runs, case, "with the programs of each launch in another order")


def test_each_row_once(learner):
    rows, columns, programs = between(7, 10), odd(40, 90), 2
    case, drive = Case(rows, columns), learner.harness("drive")
    seen = drive.moved("forward", {"x": case.x, "weight": case.weight, "bias": case.bias})
    if seen["x"] != rows * columns:
        fail(
            f"layer_norm() loads x {seen['x'] / (rows * columns):.2f} times, once is enough",
            got=seen["x"],
            expected=rows * columns,
        )
    if seen["stored"] != rows * columns + 2 * rows:
        fail(
            "layer_norm() should store each element of y, mean and rstd once",
            got=seen["stored"],
            expected=rows * columns + 2 * rows,
        )
    names = ("dy", "x", "weight", "mean", "rstd")
    seen = drive.moved("backward", {name: getattr(case, name) for name in names}, programs=programs)
    for name in ("x", "dy"):
        if seen[name] != rows * columns:
            fail(
                f"layer_norm_backward() loads {name} {seen[name] / (rows * columns):.2f} times, once is enough",
                got=seen[name],
                expected=rows * columns,
            )
    most = (rows + 2 * programs + 2) * columns
    if seen["stored"] > most:
        fail(
            f"with {programs} programs and {rows} rows of {columns} columns there are {most} elements to store: dx, "
            f"{programs} partial sums of each parameter, and dweight and dbias",
            got=seen["stored"],
            expected=most,
        )


@settings(max_examples=8)
@given(
    rows=st.integers(0, 6),
    columns=st.integers(1, 200),
    dtype=st.sampled_from((torch.float32, *HALVES)),
    weights=st.sampled_from((None, torch.float32)),
    programs=st.one_of(st.none(), st.integers(1, 8)),
)
def test_any_shape(learner, rows, columns, dtype, weights, programs):
    case = Case(rows, columns, dtype, weights)
    case.forward(learner)
    case.backward(learner, programs)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------

KERNELS = ["forward_kernel", "backward_kernel", "sum_kernel"]


def compiled(learner, rows, columns, dtype=torch.float16, weights=None, target="cuda:90"):
    case = Case(rows, columns, dtype, weights)
    kernels = learner.compile("forward_backward", case.x, case.weight, case.bias, case.dy, target=target)
    if [kernel.name for kernel in kernels] != KERNELS:
        fail(
            "forward_backward() must launch three kernels, one after another, each once",
            got=[kernel.name for kernel in kernels],
            expected=KERNELS,
        )
    return kernels


def test_three_kernels(learner):
    for kernel in compiled(learner, 5, odd(100, 250)):
        found = sorted(set(re.findall(r"tt\.atomic\w*", kernel.ttir)))
        if found:
            fail(
                f"{kernel.name} adds with atomics: their order, and so the result's bits, is left to chance",
                got=found,
            )


def test_wide_accesses(learner, measure):
    for kernel in compiled(learner, 4, 4096)[:2]:
        measure.value(f"registers per thread, {kernel.name}", kernel.registers)
        for access, fewest in (("ld", 2), ("st", 1)):
            found = re.findall(rf"{access}\.global[.\w]*", kernel.ptx)
            wide = [text for text in found if text.endswith((".v4.b32", ".v2.b64"))]
            # what is left is mean and rstd, one number each
            if len(wide) < fewest or len(found) - len(wide) > 2:
                fail(
                    f"{kernel.name}: rows of 4096 float16 should be moved 16 bytes at a time, `{access}.global.v4.b32`",
                    got=found,
                )


def test_wide_rows_stay_in_registers(learner):
    columns = 8192
    for kernel in compiled(learner, 2, columns):
        if kernel.spills:
            threads = int((re.findall(r"\.(?:reqntid|maxntid) (\d+)", kernel.ptx) or ["0"])[0])
            fail(
                f"{kernel.name}: a row of {columns} spread over {threads} threads is {columns // max(threads, 1)} "
                f"elements a thread, of each block that you keep: {kernel.spills} bytes are spilled to memory"
            )


def test_every_kind_compiles(learner):
    compiled(learner, 3, odd(100, 250), torch.bfloat16, torch.float32, "cuda:80")
    compiled(learner, 3, odd(100, 250), torch.float32, torch.float32, "cuda:90")


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_shapes(learner):
    for rows, columns in ((1823, 781), (1, 1), (0, 7), (between(2000, 5000), odd(10, 90)), (37, 8192)):
        case = Case(rows, columns)
        case.forward(learner)
        case.backward(learner)
    for programs in (1, 7, odd(200, 400)):
        Case(odd(300, 600), odd(300, 900)).backward(learner, programs)


def test_gpu_dtypes(learner):
    for dtype in HALVES:
        for weights in (dtype, torch.float32):
            case = Case(odd(300, 600), odd(700, 2000), dtype, weights)
            case.forward(learner)
            case.backward(learner)


def test_gpu_strides(learner):
    test_strides(learner)


def test_gpu_far_rows(learner):
    check_far_rows(learner)


def test_gpu_same_bits(learner):
    case = Case(odd(3000, 5000), odd(500, 1000))
    runs = learner.harness("drive").again(10, case.dy, case.x, case.weight, case.mean, case.rstd, None)
    same_bits(runs, case, "on this GPU")


# --- level fast -------------------------------------------------------------------------------------------


def torch_step(x, weight, bias, dy):
    """Both passes by torch's own kernels, without the time that autograd takes on the host."""
    columns = [x.shape[1]]
    y, mean, rstd = torch.native_layer_norm(x, columns, weight, bias, 1e-5)
    gradients = torch.ops.aten.native_layer_norm_backward(
        dy, x, columns, mean, rstd, weight, bias, [True, True, True]
    )
    return y, *gradients


def test_fast(learner, measure):
    rows, columns = 8192, 4096
    measure.kernel(
        "layer norm forward and backward, 8192×4096 float16",
        learner,
        "forward_backward",
        inputs=lambda: (
            randn(rows, columns, dtype=torch.float16),
            randn(columns, dtype=torch.float16),
            randn(columns, dtype=torch.float16),
            randn(rows, columns, dtype=torch.float16),
        ),
        reference=torch_step,
        rtol=4e-3,
        atol=2e-3,
        baseline="torch",
        bytes=4 * 2 * rows * columns,
        flops=20 * rows * columns,
        dtype="float16",
        at_least=1.0,
        star=1.2,
    )
