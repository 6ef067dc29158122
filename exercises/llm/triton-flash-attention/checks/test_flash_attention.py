import re
from collections import Counter

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

# of o: P is rounded to the type of V before it is multiplied, and o is rounded at the end
TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float16: (3e-3, 2e-3), torch.bfloat16: (2e-2, 1.5e-2)}


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    """A length that no block divides."""
    return 2 * between(low // 2, high // 2) + 1


def randn(*shape, dtype=torch.float32):
    return torch.randn(shape).to(dtype)


def expected(q, k, v, causal):
    """Output and log-sum-exp in float64, with all scores in memory."""
    group = q.shape[1] // max(k.shape[1], 1)
    k, v = (x.double().repeat_interleave(group, 1) for x in (k, v))
    scores = q.double() @ k.transpose(2, 3) / q.shape[3] ** 0.5
    if causal:
        n = q.shape[2]
        scores = scores.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), -torch.inf)
    return torch.softmax(scores, 3) @ v, torch.logsumexp(scores, 3)


def results(got):
    if not (isinstance(got, (tuple, list)) and len(got) == 2):
        fail("attention() must return (o, lse)", got=got)
    return got


def compare(got, q, k, v, causal, lse=True, tolerance=None):
    o, log_sum = results(got)
    right, right_log_sum = expected(q, k, v, causal)
    how = f"{'causal ' if causal else ''}attention over {q.shape[2]} tokens, D = {q.shape[3]}"
    rtol, atol = tolerance or TOLERANCE[q.dtype]
    assert_close(o, right.to(q.dtype), rtol=rtol, atol=atol, what=f"o of {how}")
    if lse:
        assert_close(log_sum, right_log_sum.float(), rtol=1e-5, atol=2e-5, what=f"lse of {how}")


def check(learner, q, k, v, causal, lse=True, tolerance=None):
    compare(learner.attention(q, k, v, causal), q, k, v, causal, lse, tolerance)


def tokens(n, d=16, batch=1, heads=1, groups=None, dtype=torch.float32):
    """q, k and v."""
    groups = groups or heads
    return [randn(batch, h, n, d, dtype=dtype) for h in (heads, groups, groups)]


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_whole_blocks(learner):
    q, k, v = tokens(128)
    # the first key has the largest score of all, 6, so that no later block brings a larger one
    q[..., 0], k[..., 0, 0], k[..., 0, 1:] = 1, 24, 0
    check(learner, q, k, v, False, lse=False)


def test_many_blocks(learner):
    q, k, v = tokens(256, 32)
    # scores that grow from block to block, so that each brings a new maximum; then scores that shrink
    for growing in (torch.linspace(0, 4, 256), torch.linspace(4, 0, 256)):
        check(learner, q, k * growing[:, None], v, False, lse=False)


def test_tail(learner):
    for n in (1, 17, odd(65, 100), odd(129, 200)):
        check(learner, *tokens(n), False, lse=False)


def test_large_values(learner):
    q, k, v = tokens(odd(140, 180))
    q[..., 0], k[..., 0] = 30, 20  # every score is near 150, and exp(150) is no float32
    # near 150 neighbouring float32 are 0.00002 apart, near -1500 they are 0.0001 apart
    check(learner, q, k, v, False, lse=False, tolerance=(1e-3, 2e-4))
    q[..., 0] = -300
    check(learner, q, k, v, False, lse=False, tolerance=(2e-3, 1e-3))


def test_log_sum_exp(learner):
    for n in (16, odd(140, 180)):
        q, k, v = tokens(n)
        check(learner, q, k, v, False)
        check(learner, 5 * q, k + 1, v, False)


def test_causal(learner):
    for n in (16, odd(65, 100), odd(200, 260)):
        check(learner, *tokens(n), True)


def work(learner, q, k, v, causal):
    """Multiply-adds of one call, and the products that make them up."""
    found = learner.harness("drive").products(q, k, v, causal)
    return sum(m * depth * n for *_, m, depth, n in found), found


def test_skips_blocks(learner):
    q, k, v = tokens(512)
    full, _ = work(learner, q, k, v, False)
    needed = 2 * 512 * 512 * 16
    if full < needed:
        fail(
            "the two products of each block must be made with tl.dot, in the kernel: one call for 512 tokens, D = 16, "
            f"needs {needed} multiply-adds of it",
            got=full,
        )
    half, found = work(learner, q, k, v, True)
    if half > 0.66 * full:
        products = Counter(tuple(place) for *place, _m, _k, _n in found).values()
        fail(
            f"with the causal mask a call for 512 tokens does {half / full:.0%} of the multiply-adds that it does without: "
            f"blocks above the diagonal are multiplied too. Its {len(products)} programs make {min(products)} to "
            f"{max(products)} products each; the one with the first queries needs no more than its own block of keys",
            got=f"{half / full:.0%}",
            expected="66% or less, with blocks of at most 128 queries",
        )


def packed(n, d, batch, heads, dtype=torch.float32):
    """q, k and v as one projection makes them: [B, N, 3, H, D], seen as three [B, H, N, D]."""
    return randn(batch, n, 3, heads, d, dtype=dtype).permute(2, 0, 3, 1, 4).unbind(0)


def test_heads_and_strides(learner):
    n = odd(65, 90)
    check(learner, *tokens(n, batch=2, heads=3), True)
    check(learner, *packed(n, 16, 2, 3), False)
    q, _, _ = packed(n, 32, 1, 2)
    _, k, _ = tokens(n, 32, heads=2)
    check(learner, q, k, randn(1, n, 2, 48)[..., 8:40].transpose(1, 2), True)


def test_grouped_heads(learner):
    n = odd(20, 60)
    check(learner, *tokens(n, heads=6, groups=2), True)
    check(learner, *tokens(n, batch=2, heads=3, groups=1), False)


def test_halves(learner):
    for d in (16, 64):
        check(learner, *tokens(odd(100, 160), d, dtype=torch.float16), True)
    # flat scores and values near 200: the sum of 512 of them is more than the 65504 that float16 holds
    q, k, v = tokens(512, dtype=torch.float16)
    check(learner, q / 8, k, v + 200, False)


def check_far_rows(learner):
    q, k, v = tokens(3, heads=2, dtype=torch.float16)
    distance = 2**30 + 16 * between(1, 100)
    compare(learner.harness("drive").far_rows(q, k, v, distance), q, k, v, False)


def test_far_rows(learner):
    check_far_rows(learner)


def test_memory(learner):
    n = 256
    q, k, v = tokens(n, dtype=torch.float16)
    largest = learner.harness("drive").largest_allocation(q, k, v, True)
    if largest > n * n // 2:
        fail(
            f"for {n} tokens with D = 16 attention() makes a tensor of {largest} bytes, where q has {q.nbytes} and the "
            f"scores have {2 * n * n}: what it needs must grow with N, not with N²",
            got=largest,
        )


def test_none(learner):
    for batch, heads, n in ((1, 2, 0), (0, 1, 5)):
        q = torch.empty(batch, heads, n, 16)
        o, lse = results(learner.attention(q, q, q, True))
        assert_close(o, q, what="o of no tokens")
        assert_close(lse, torch.empty(batch, heads, n), what="lse of no tokens")


@settings(max_examples=10)
@given(
    n=st.integers(1, 150),
    d=st.sampled_from([16, 32, 64]),
    heads=st.sampled_from([(1, 1), (2, 2), (4, 2)]),
    causal=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float16]),
)
def test_any_shape(learner, n, d, heads, causal, dtype):
    check(learner, *tokens(n, d, 1, *heads, dtype=dtype), causal)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, n, d, dtype, causal=True, target="cuda:90"):
    q, k, v = tokens(n, d, 2, 4, 2, dtype=dtype)
    kernels = learner.compile("attention", q, k, v, causal, target=target)
    if [kernel.name for kernel in kernels] != ["attention_kernel"]:
        fail(
            "attention() must launch one kernel, called attention_kernel, and launch it once",
            got=[kernel.name for kernel in kernels],
            expected=["attention_kernel"],
        )
    return kernels[0]


def test_tensor_cores(learner, measure):
    for d in (64, 128):
        kernel = compiled(learner, 1024, d, torch.float16)
        found = len(re.findall(r"wgmma\.mma_async", kernel.ptx))
        if found < 2:
            fail(
                f"D = {d}: both products should run on Hopper's tensor cores, as `wgmma.mma_async` of 4 warps and 64 "
                "rows; blocks must have at least 64 queries, and a program 4 warps or 8",
                got=f"{found} × wgmma.mma_async",
            )
        measure.value(f"registers per thread, D = {d}", kernel.registers)
        if kernel.spills > 512:
            threads = 32 * kernel.warps
            fail(
                f"D = {d}: {kernel.spills} bytes of each thread's registers are spilled to memory. The output's block "
                f"alone is QUERIES × {d} float32 over {threads} threads, and the scores' block comes on top"
            )


def test_full_precision(learner):
    kernel = compiled(learner, 200, 32, torch.float32)
    found = re.findall(r"tt\.dot [^\n]*?inputPrecision = (\w+)", kernel.ttir)
    if "tf32" in found:
        fail(
            "float32 operands of tl.dot are cut to the 10 bits of TF32 unless you say otherwise: "
            'input_precision="tf32x3" makes three products of them, "ieee" does without tensor cores',
            got=found,
        )


def test_every_kind_compiles(learner):
    for d, dtype, causal, target in (
        (16, torch.bfloat16, False, "cuda:90"),
        (128, torch.float32, True, "cuda:90"),
        (64, torch.bfloat16, True, "cuda:80"),
    ):
        compiled(learner, odd(100, 300), d, dtype, causal, target)


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_lengths(learner):
    for n in (1, 17, 128, odd(500, 900), odd(1500, 2500)):
        for causal in (False, True):
            check(learner, *tokens(n, 64, 2, 3, dtype=torch.float16), causal)


def test_gpu_dtypes(learner):
    for dtype in TOLERANCE:
        for d in (16, 32, 64, 128):
            check(learner, *tokens(odd(300, 600), d, 2, 4, 2, dtype=dtype), True)
            check(learner, *tokens(odd(300, 600), d, 1, 2, 1, dtype=dtype), False)


def test_gpu_strides(learner):
    for dtype in TOLERANCE:
        check(learner, *packed(odd(300, 600), 64, 2, 3, dtype), True)


def test_gpu_values(learner):
    test_large_values(learner)
    test_halves(learner)
    q, k, v = tokens(2048, 64)
    check(learner, q, k * torch.linspace(0, 4, 2048)[:, None], v, True)


def test_gpu_far_rows(learner):
    check_far_rows(learner)


def test_gpu_memory(learner):
    n = 16384
    q, k, v = tokens(n, 64, dtype=torch.float16)
    peak = learner.harness("drive").peak(q, k, v, True)
    if peak > 16 * q.nbytes:
        fail(
            f"for {n} tokens with D = 64 attention() allocates {peak >> 20} MB, where q has {q.nbytes >> 20} MB and the "
            f"scores would have {2 * n * n >> 20} MB",
            got=peak,
        )


# --- level fast -------------------------------------------------------------------------------------------


def test_fast(learner, measure):
    shape = batch, heads, n, d = 4, 16, 4096, 128
    measure.kernel(
        "causal attention 4×16×4096×128 float16",
        learner,
        "drive:output",
        inputs=lambda: [torch.randn(shape, dtype=torch.float16) for _ in range(3)],
        reference=lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        rtol=1e-2,
        atol=2e-3,
        baseline="torch",
        bytes=4 * 2 * batch * heads * n * d,
        flops=4 * batch * heads * d * n * (n + 1) / 2,
        dtype="float16",
        at_least=0.5,
        star=0.83,
    )
