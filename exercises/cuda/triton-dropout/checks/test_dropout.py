import math
import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
# x * (1 / (1 - p)) and x / (1 - p) differ by a rounding; the interpreter cuts bfloat16 off
TOLERANCE = {torch.float32: (1e-6, 0), torch.float16: (1e-3, 1e-7), torch.bfloat16: (8.5e-3, 0)}
LOW = 0xFFFFFFFF


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def seed():
    return int(torch.randint(1 << 62, ()))


def vector(*shape, dtype=torch.float32):
    """Numbers none of which is 0, so that a zero in a result is an element that was dropped."""
    return ((0.5 + torch.rand(shape)) * (2 * torch.randint(2, shape) - 1)).to(dtype)


def uniforms(seed, n, device="cpu"):
    """The n numbers in [0, 1) that belong to a seed: Philox 4×32 with ten rounds, as tl.rand4x has it."""
    c0 = torch.arange(-(-n // 4), device=device)
    c1 = c2 = c3 = torch.zeros_like(c0)
    k0, k1 = seed & LOW, seed >> 32
    for _ in range(10):
        # of a product the lower 64 bits are there, whatever the sign that int64 gives them
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = ((b >> 32) & LOW) ^ c1 ^ k0, b & LOW, ((a >> 32) & LOW) ^ c3 ^ k1, a & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    bits = torch.stack((c0, c1, c2, c3), 1).flatten()[:n]
    signed = torch.where(bits > LOW // 2, bits - LOW - 1, bits)
    return torch.where(signed < 0, -signed - 1, signed).float() * 4.6566127342e-10


def exact(x, p, seed):
    kept = (uniforms(seed, x.numel(), x.device) >= torch.tensor(p, dtype=torch.float32)).view(x.shape)
    scaled = (x.double() / (1 - p)).to(x.dtype) if p < 1 else x
    return torch.where(kept, scaled, 0.0).to(x.dtype)


def check(learner, x, p, number, function="dropout", **block):
    rtol, atol = TOLERANCE[x.dtype]
    got = getattr(learner, function)(x, p, number, **block)
    assert_close(
        got,
        exact(x, p, number),
        rtol=rtol,
        atol=atol,
        what=f"{function} of {x.numel()} elements with p = {p:g}",
    )


def decisions(learner, n, p, number, block=256):
    """Which elements dropout() keeps; the others must be 0, and these divided by 1 - p."""
    x = vector(n)
    got = learner.dropout(x, p, number, block=block)
    if not isinstance(got, torch.Tensor) or got.shape != x.shape or got.dtype != x.dtype:
        assert_close(got, x, what="dropout(x)")  # which says what it should be
    assert_close(
        got, torch.where(got != 0, x / (1 - p), 0.0), rtol=1e-6, atol=0, what="an element that is not dropped"
    )
    return got != 0


def expect_share(draw, expected, what):
    """Demand that a share of events lies within four standard deviations; three draws in turn must be outside to fail."""
    for _turn in range(3):
        events = draw()
        share, sigma = float(events.float().mean()), math.sqrt(expected * (1 - expected) / events.numel())
        if abs(share - expected) <= 4 * sigma:
            return
    fail(
        f"{what}: {share:.1%} of {events.numel()}, expected {expected:.1%} with a standard deviation of {sigma:.1%}",
        got=round(share, 4),
        expected=round(expected, 4),
    )


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_zero_or_scaled(learner):
    n, p = 2048, between(3, 7) / 10
    kept = decisions(learner, n, p, seed())
    if kept.all() or not kept.any():
        fail(f"with p = {p}, {'all' if kept.all() else 'none'} of {n} elements are kept")
    decisions(learner, 4 * between(100, 500) + 1, p, seed())


def test_keep_rate(learner):
    for p in (0.1, 0.8, between(20, 70) / 100):

        def kept(p=p):
            return decisions(learner, 8191, p, seed(), 4096)

        expect_share(kept, 1 - p, f"kept with p = {p}")


def test_neighbours(learner):
    for distance in (1, 2, 3, 4, 256):

        def alike(distance=distance):
            kept = decisions(learner, 4096, 0.5, seed())
            return kept[distance:] == kept[:-distance]

        what = f"with p = 0.5 and blocks of 256, pairs of elements {distance} apart that share their fate"
        expect_share(alike, 0.5, what)


def test_seeds(learner):
    for bit, where in ((0, "in the lowest bit"), (between(33, 60), "above the lowest 32 bits")):

        def alike(bit=bit):
            number = seed()
            kept = decisions(learner, 4096, 0.5, number)
            if not torch.equal(kept, decisions(learner, 4096, 0.5, number)):
                fail(f"the same seed, {number}, has dropped other elements the second time")
            return kept == decisions(learner, 4096, 0.5, number ^ (1 << bit))

        expect_share(alike, 0.5, f"elements that share their fate under two seeds that differ {where}")


def test_any_block(learner):
    n, p, number = between(1500, 2500), 0.5, seed()
    kept = decisions(learner, n, p, number, 256)
    for block in (64, 1024):
        other = decisions(learner, n, p, number, block)
        if not torch.equal(kept, other):
            fail(
                f"blocks of 256 and of {block} drop different elements of {n} under one seed; "
                f"the first is element {int((kept != other).nonzero()[0])}"
            )
    shorter = decisions(learner, n - 700, p, number)
    if not torch.equal(kept[: n - 700], shorter):
        fail("whether an element is dropped depends on how many elements there are")


def test_backward(learner):
    n, p, number = between(1000, 1500), between(2, 6) / 10, seed()
    kept = decisions(learner, n, p, number)
    learner.restart()  # the forward pass may have been in another process, and its memory is gone
    grad = vector(n)
    got = learner.dropout_backward(grad, p, number, block=256)
    assert_close(got, torch.where(kept, grad / (1 - p), 0.0), rtol=1e-6, atol=0, what="the gradient")


def test_the_mask(learner):
    n, p, number = between(600, 1000), between(2, 8) / 10, seed()
    x = vector(n)
    kept, expected = learner.dropout(x, p, number) != 0, exact(x, p, number) != 0
    wrong = (kept != expected).nonzero().flatten()
    if len(wrong):
        i = int(wrong[0])
        u = [round(v, 4) for v in uniforms(number, n + 4)[i - i % 4 :][:4].tolist()]
        fail(
            f"{len(wrong)} of {n} elements have the wrong fate with p = {p}. The first is element {i}, whose number is "
            f"u = {u[i % 4]}: the four of tl.rand4x(seed, {i // 4}) are {u}, and u >= p is kept",
            got="kept" if kept[i] else "dropped",
            expected="kept" if expected[i] else "dropped",
        )


def test_edges(learner):
    for n in (0, 1, 2, 5):
        check(learner, vector(n), 0.5, seed())
    x = vector(300)
    x[::3], x[1::3] = torch.inf, torch.nan
    check(learner, x, 0.0, seed())
    check(learner, x, 0.5, seed())
    check(learner, x, 1.0, seed())


def test_dtypes(learner):
    for dtype in (torch.float16, torch.bfloat16):
        check(learner, vector(between(500, 900), dtype=dtype), 0.3, seed())


def test_shapes(learner):
    rows, columns = between(10, 20), between(21, 40)
    check(learner, vector(2, rows, columns), 0.4, seed())
    check(learner, vector(columns, rows).T, 0.4, seed())
    check(learner, vector(rows, 3 * columns)[:, columns : 2 * columns], 0.4, seed(), "dropout_backward")


@settings(max_examples=8)
@given(
    n=st.integers(0, 1500),
    percent=st.integers(0, 100),
    block=st.sampled_from((64, 512, 4096)),
    dtype=st.sampled_from(DTYPES),
    number=st.integers(0, (1 << 63) - 1),
)
def test_any_input(learner, n, percent, block, dtype, number):
    check(learner, vector(n, dtype=dtype), percent / 100, number, block=block)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, x, number, function="dropout", target="cuda:90"):
    kernels = learner.compile(function, x, 0.25, number, target=target)
    mine = [kernel for kernel in kernels if kernel.name == "dropout_kernel"]
    if len(mine) != 1 or len(kernels) != 1:
        fail(
            f"{function}() must launch one kernel, called dropout_kernel, and launch it once",
            got=[kernel.name for kernel in kernels],
            expected=["dropout_kernel"],
        )
    return mine[0]


def odd_seed():
    """As large and as odd as any other: Triton makes one kernel for all integers of a kind."""
    return (1 << 61) | seed() | 1


def moved(ttir, operation):
    """Bytes that a program's loads or stores move, from the types of their pointers."""
    found = re.findall(rf"{re.escape(operation)} .*?: tensor<((?:\d+x)+)!tt\.ptr<[a-z]*(\d+)>>", ttir)
    return sum(math.prod(map(int, shape[:-1].split("x"))) * int(bits) // 8 for shape, bits in found)


def test_nothing_is_stored(learner):
    for function in ("dropout", "dropout_backward"):
        ttir = compiled(learner, vector(5000), odd_seed(), function).ttir
        read, written = moved(ttir, "tt.load"), moved(ttir, "tt.store")
        if not read or read != written:
            fail(
                f"a program of {function}() reads {read} bytes and writes {written}: these must be the elements and "
                "nothing else, as the mask is computed and not stored",
                got=[read, written],
            )


def test_seed_is_an_argument(learner):
    first, second = (compiled(learner, vector(5000), odd_seed()).ttir for _ in "12")
    if first != second:
        fail(
            "two seeds give two kernels: every training step would compile anew. The seed must not be a tl.constexpr"
        )


def test_four_at_once(learner, measure):
    kernel = compiled(learner, vector(1 << 14), odd_seed())
    loads = re.findall(r"ld\.global[.\w]*?(?:\.v(\d))?\.b(\d+)\b", kernel.ptx)
    elements = sum(int(v or 1) * int(bits) for v, bits in loads) / 32
    products = len(re.findall(r"\bmul\.hi\.u32|\bmul\.wide\.u32", kernel.ptx)) / max(elements, 1)
    measure.value("wide products per element", products)
    if products > 7:
        fail(
            f"a thread does {products:.1f} wide products for each element. One call of tl.rand4x has 20 and serves four "
            "elements: 5 for each, when a thread has four neighbours at least",
            got=round(products, 1),
            expected=5,
        )


def test_wide_accesses(learner, measure):
    kernel = compiled(learner, vector(1 << 14), odd_seed())
    measure.value("registers per thread", kernel.registers)
    for access in ("ld", "st"):
        found = re.findall(rf"{access}\.global[.\w]*", kernel.ptx)
        narrow = [text for text in found if not text.endswith((".v4.b32", ".v2.b64"))]
        if narrow or not found:
            fail(f"float32 should be moved 16 bytes at a time: `{access}.global.v4.b32`", got=found)
    if kernel.spills:
        fail(f"the kernel spills {kernel.spills} bytes of registers to memory")


def test_every_kind_compiles(learner):
    for dtype, target in ((torch.float16, "cuda:80"), (torch.bfloat16, "cuda:90")):
        compiled(learner, vector(between(100, 9000), dtype=dtype), odd_seed(), target=target)


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_masks(learner):
    for dtype in DTYPES:
        check(learner, vector(between(1 << 18, 1 << 20), dtype=dtype), between(1, 9) / 10, seed())
        for block in (64, 1024):
            check(learner, vector(between(1 << 14, 1 << 16), dtype=dtype), 0.1, seed(), block=block)


def test_gpu_edges_and_shapes(learner):
    test_edges(learner)
    test_shapes(learner)


def test_gpu_backward(learner):
    test_backward(learner)


# --- level fast -------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    n = 1 << 26
    measure.kernel(
        "dropout 2^26 bfloat16",
        learner,
        "dropout",
        inputs=lambda: (torch.randn(n, dtype=torch.bfloat16), 0.1, seed()),
        reference=exact,
        rtol=8.5e-3,
        atol=0.0,
        baseline="copy",
        bytes=2 * 2 * n,
        flops=n,
        dtype="float32",
        at_least=0.5,
        star=0.8,
    )
