import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

ACTIVATIONS = {
    "none": lambda x: x,
    "relu": torch.relu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
}
# what torch may do for linear(): memory, and other views of it
FREE = {"empty", "empty_strided", "empty_like", "new_empty", "set_", "fill_", "detach", "view", "as_strided"}
FREE |= {"expand", "t", "transpose", "permute", "select", "slice", "unsqueeze", "squeeze", "alias", "unbind"}


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
    if layout == "one row":
        return matrix(1, columns, dtype).expand(rows, columns)
    return torch.randn(rows, columns).to(dtype)


def vector(n, dtype=torch.float32, layout="dense"):
    if layout == "every third":
        return vector(3 * n, dtype)[::3]
    if layout == "one number":
        return vector(1, dtype).expand(n)
    return torch.randn(n).to(dtype)


def reference(x, w, bias=None, residual=None, activation="none", dtype=None):
    """In float64, rounded once."""
    total = x.double() @ w.double()
    total = ACTIVATIONS[activation](total if bias is None else total + bias.double())
    return (total if residual is None else total + residual.double()).to(dtype or x.dtype)


def same(got, expected, k, what):
    rtol = {torch.float32: 1e-4, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[expected.dtype]
    assert_close(got, expected, rtol=rtol, atol=1e-5 * max(k, 1) ** 0.5, what=what)


def check(learner, x, w, bias=None, residual=None, activation="none", dtype=None, note=""):
    given = [("bias", bias), ("residual", residual)]
    words = ["x", "w", *(f"{name}={name}" for name, value in given if value is not None)]
    words += [f'activation="{activation}"'] if activation != "none" else []
    words += [f"dtype={dtype}"] if dtype else []
    got = learner.linear(x, w, bias, residual, activation, dtype)
    same(
        got,
        reference(x, w, bias, residual, activation, dtype),
        x.shape[1],
        f"linear({', '.join(words)}){note}",
    )


# --- level correct ------------------------------------------------------------------------------------------


def test_product(learner):
    check(learner, matrix(128, 192), matrix(192, 64))


def test_bias(learner):
    n = between(65, 130)
    x, w = matrix(n, 20), matrix(20, n)
    for layout in ("dense", "every third", "one number"):
        bias = vector(n, layout=layout)
        check(learner, x, w, bias, note=f" for a bias with stride {bias.stride(0)}")


def test_activations(learner):
    m, n = odd(20, 60), odd(20, 60)
    x, w = torch.diag(torch.linspace(-12, 12, m)), 10 * torch.rand(m, n)
    for activation in ("relu", "gelu", "silu"):
        check(learner, x, w, activation=activation)
        check(learner, matrix(m, 9), matrix(9, n), 2 * vector(n), activation=activation)


def test_residual(learner):
    m, n, k = odd(70, 100), odd(70, 100), 30
    x, w = matrix(m, k), matrix(k, n)
    check(learner, x, w, vector(n), matrix(m, n), "relu")
    for layout in ("column", "slice", "one row"):
        residual = matrix(m, n, layout=layout)
        check(learner, x, w, None, residual, note=f" for a residual with strides {residual.stride()}")


def test_rounds_once(learner):
    m, n, k = odd(20, 40), odd(20, 40), 64
    x, w = 4 * matrix(m, k, torch.float16), 4 * matrix(k, n, torch.float16)
    check(learner, x, w, vector(n, torch.float32), dtype=torch.float32, note=" of float16 x and w")
    check(learner, x, w, None, matrix(m, n, torch.float32), dtype=torch.bfloat16, note=" of float16 x and w")
    # the residual takes away what float16 can hold of the product: what is left is what it cannot
    product = x.double() @ w.double()
    residual = -product.half()
    assert_close(
        learner.linear(x, w, None, residual),
        (product + residual.double()).half(),
        rtol=1e-2,
        atol=1e-3,
        what="linear(x, w, residual=r) for an r that is -x @ w, rounded to float16",
    )


def test_edges(learner):
    m, n, k = odd(66, 126), odd(66, 126), odd(34, 60)
    x, w, bias = matrix(m, k, torch.float16), matrix(k, n, torch.float16), vector(n, torch.float16)
    check(learner, x, w, bias, matrix(m, n, torch.float16), "silu")


def test_small_and_empty(learner):
    check(learner, matrix(1, 1), matrix(1, 1), vector(1), matrix(1, 1), "gelu")
    m, n = odd(3, 70), odd(3, 70)
    what = f"linear() of [{m}, 0] and [0, {n}] matrices with bias, residual and relu"
    bias, residual = vector(n), matrix(m, n)
    got = learner.linear(torch.empty(m, 0), torch.empty(0, n), bias, residual, "relu")
    same(got, torch.relu(bias) + residual, 0, what)
    for m, n in ((0, 5), (5, 0)):
        check(learner, matrix(m, 3), matrix(3, n), vector(n), matrix(m, n))


def test_arguments_stay(learner):
    m, n, k = odd(20, 90), odd(20, 90), odd(20, 90)
    arguments = {"x": matrix(m, k), "w": matrix(k, n), "bias": vector(n), "residual": matrix(m, n)}
    answer, *after = learner.harness("drive").with_arguments(*arguments.values(), float(torch.randn(())))
    same(answer, reference(*arguments.values()), k, "linear(x, w, bias, residual)")
    for (name, before), now in zip(arguments.items(), after, strict=True):
        assert_close(now, before, rtol=0, atol=0, what=f"{name} after the call")


def test_torch_does_nothing(learner):
    m, n, k = odd(20, 90), odd(20, 90), odd(20, 90)
    for activation in ("relu", "silu"):
        x, w, bias, residual = matrix(m, k), matrix(k, n), vector(n), matrix(m, n, layout="column")
        got, names = learner.harness("drive").with_operations(x, w, bias, residual, activation)
        same(got, reference(x, w, bias, residual, activation), k, "linear(x, w, bias, residual, activation)")
        extra = [name for name in names if re.sub(r"^\w+::|\..*", "", name) not in FREE]
        if extra:
            fail(
                f"linear() asks torch for `{extra[0]}`: that is a kernel of its own, and another pass over memory"
            )


LAYOUT = st.sampled_from(["row", "column", "slice"])


@settings(max_examples=8)
@given(
    size=st.tuples(st.integers(1, 100), st.integers(1, 100), st.integers(1, 70)),
    dtype=st.sampled_from([torch.float32, torch.float16]),
    layouts=st.tuples(LAYOUT, LAYOUT),
    bias=st.sampled_from([None, "dense", "every third", "one number"]),
    residual=st.sampled_from([None, "row", "column", "slice", "one row"]),
    activation=st.sampled_from(list(ACTIVATIONS)),
)
def test_any(learner, size, dtype, layouts, bias, residual, activation):
    m, n, k = size
    check(
        learner,
        matrix(m, k, dtype, layouts[0]),
        matrix(k, n, dtype, layouts[1]),
        bias and vector(n, dtype, bias),
        residual and matrix(m, n, dtype, residual),
        activation,
    )


# --- level compiles -----------------------------------------------------------------------------------------


def compiled(learner, bias=True, residual=True, activation="none", target="cuda:90"):
    half, n = torch.float16, 512
    arguments = [matrix(n, n, half), matrix(n, n, half), vector(n, half) if bias else None]
    arguments += [matrix(n, n, half) if residual else None, activation]
    kernels = learner.compile("linear", *arguments, target=target)
    names = [kernel.name for kernel in kernels]
    if names != ["linear_kernel"]:
        fail("linear() must launch one kernel, linear_kernel", got=names, expected=["linear_kernel"])
    return kernels[0]


def accesses(kernel):
    """Loads and stores in the TTIR, of pointers or of tensor descriptors."""
    loads = re.findall(r"tt\.(?:descriptor_)?load\b", kernel.ttir)
    stores = re.findall(r"tt\.(?:descriptor_)?store\b", kernel.ttir)
    return len(loads), len(stores)


def test_one_pass(learner, measure):
    for activation in ("relu", "gelu", "silu"):
        kernel = compiled(learner, activation=activation)
        measure.value(f"registers spilled, {activation}", kernel.spills, unit="B")
        loads, stores = accesses(kernel)
        loops = len(re.findall(r"\bscf\.(?:for|while)\b", kernel.ttir))
        if stores != 1:
            fail(
                f"the TTIR for {activation} has {stores} stores, expected one: the tile is written when it is finished"
            )
        if loads != 4:
            fail(
                f"the TTIR for {activation} has {loads} loads, expected four: x and w in the loop, bias and residual after it"
            )
        if loops != 1:
            fail(f"the TTIR for {activation} has {loops} loops, expected one: that along K")


def test_pays_for_what_it_uses(learner):
    for bias, residual in ((False, False), (True, False), (False, True)):
        kernel = compiled(learner, bias, residual)
        loads, _stores = accesses(kernel)
        if loads != 2 + bias + residual:
            without = " and ".join(
                name for name, is_given in (("bias", bias), ("residual", residual)) if not is_given
            )
            fail(
                f"compiled without {without}, the kernel has {loads} loads in its TTIR, expected {2 + bias + residual}"
            )
        work = re.findall(r"math\.\w+|arith\.(?:max|divf)\w*|tt\.extern_elementwise|tt\.call\b", kernel.ttir)
        if work:
            fail(
                f'compiled for activation="none", the TTIR still holds `{work[0]}`: an activation that nobody asked for'
            )


def test_tensor_cores(learner):
    for target, instruction in {"cuda:80": "mma.sync", "cuda:90": "wgmma", "cuda:100": "tcgen05.mma"}.items():
        if instruction not in compiled(learner, activation="gelu", target=target).ptx:
            fail(f"the PTX for {target} has no `{instruction}`: the products do not run on tensor cores")


# --- level gpu ----------------------------------------------------------------------------------------------


def gpu_case(m, n, k, dtype=torch.float16):
    return matrix(m, k, dtype), matrix(k, n, dtype) / k**0.5, vector(n, dtype), matrix(m, n, dtype)


def test_gpu_epilogues(learner):
    x, w, bias, residual = gpu_case(512, 768, 1024)
    for activation, b, r in (
        ("relu", bias, residual),
        ("gelu", bias, None),
        ("silu", None, residual),
        ("none", None, None),
    ):
        check(learner, x, w, b, r, activation)
    check(learner, x, w, bias, residual, dtype=torch.float32)


def test_gpu_edges_and_layouts(learner):
    x, w, bias, residual = gpu_case(odd(300, 600), odd(300, 600), odd(300, 600))
    check(learner, x, w, bias, residual, "gelu")
    check(learner, x, w, bias[:1].expand(w.shape[1]), residual[:1].expand(x.shape[0], -1), "silu")
    check(learner, *gpu_case(odd(100, 200), odd(100, 200), odd(100, 200), torch.float32), "gelu")
    check(learner, *gpu_case(256, 256, 256, torch.bfloat16), "relu")


# --- level fast ---------------------------------------------------------------------------------------------


def check_fast(learner, measure, name, activation, with_residual, at_least, star):
    m, k, n = 8192, 1024, 4096

    def inputs():
        half = {"dtype": torch.float16}
        x, w, bias = torch.randn(m, k, **half), torch.randn(k, n, **half) / 32, torch.randn(n, **half)
        return (x, w, bias, torch.randn(m, n, **half) if with_residual else None)

    def torch_linear(x, w, bias, residual, activation):
        out = ACTIVATIONS[activation](torch.addmm(bias, x, w))
        return out if residual is None else out + residual

    measure.kernel(
        f"{name} [8192×1024]@[1024×4096] float16",
        learner,
        "linear",
        inputs=inputs,
        kwargs={"activation": activation},
        reference=torch_linear,
        rtol=1e-2,
        atol=1e-2,
        baseline="torch",
        bytes=2 * (m * k + k * n + n + m * n * (2 if with_residual else 1)),
        flops=2 * m * n * k,
        dtype="float16",
        at_least=at_least,
        star=star,
    )


def test_fast_residual(learner, measure):
    check_fast(learner, measure, "bias, relu, residual", "relu", with_residual=True, at_least=0.6, star=1.15)


def test_fast_gelu(learner, measure):
    check_fast(learner, measure, "bias, gelu", "gelu", with_residual=False, at_least=0.5, star=None)
