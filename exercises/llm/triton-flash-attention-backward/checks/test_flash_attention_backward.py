import re

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

NAMES = ("dq", "dk", "dv")
KERNELS = ["delta_kernel", "dkdv_kernel", "dq_kernel"]
# relative, and absolute for each unit of the gradients' own size: p and ds are rounded before they are multiplied
TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float16: (4e-3, 2e-3), torch.bfloat16: (3e-2, 1.6e-2)}


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    """A length that no block divides."""
    return 2 * between(low // 2, high // 2) + 1


def randn(*shape, dtype=torch.float32):
    return torch.randn(shape).to(dtype)


def wide(x, group):
    """One head of keys or values for each query head, in float64."""
    return x.double().repeat_interleave(group, 1)


class Case:
    """What a forward pass left behind, and in float64 the gradients that follow from it."""

    def __init__(self, n, d=16, batch=1, heads=1, groups=None, causal=False, dtype=torch.float32, qkv=None):
        groups = groups or heads
        self.causal, self.dtype = causal, dtype
        self.q, self.k, self.v = qkv or (randn(batch, h, n, d, dtype=dtype) for h in (heads, groups, groups))
        self.do = randn(batch, heads, n, d, dtype=dtype)
        self.what = f"{'causal ' if causal else ''}attention over {n} tokens, D = {d}"
        self.forward()

    def scores(self):
        scores = self.q.double() @ wide(self.k, self.group).mT / self.q.shape[3] ** 0.5
        if self.causal:
            scores = scores.masked_fill(torch.ones(scores.shape[2:], dtype=torch.bool).triu(1), -torch.inf)
        return scores

    @property
    def group(self):
        return self.q.shape[1] // max(self.k.shape[1], 1)

    def forward(self):
        scores = self.scores()
        self.o = (torch.softmax(scores, 3) @ wide(self.v, self.group)).to(self.dtype)
        self.lse = torch.logsumexp(scores, 3).float()

    @property
    def arguments(self):
        return [self.do, self.q, self.k, self.v, self.o, self.lse, self.causal]

    def expected(self):
        scale = self.q.shape[3] ** -0.5
        q, do, o, k, v = (
            *(x.double() for x in (self.q, self.do, self.o)),
            *(wide(x, self.group) for x in (self.k, self.v)),
        )
        p = torch.exp(self.scores() - self.lse.double()[..., None])
        ds = p * (do @ v.mT - (do * o).sum(3, keepdim=True))
        shared = self.k.shape[1], self.group
        return (
            ds @ k * scale,
            (ds.mT @ q * scale).unflatten(1, shared).sum(2),
            (p.mT @ do).unflatten(1, shared).sum(2),
        )

    def compare(self, got, names=NAMES, tolerance=None):
        if not (isinstance(got, (tuple, list)) and len(got) == 3):
            fail("attention_backward() must return (dq, dk, dv)", got=got)
        for name, mine, right in zip(NAMES, got, self.expected(), strict=True):
            if name in names:
                rtol, atol = tolerance or TOLERANCE[self.dtype]
                atol *= max(1.0, float(right.abs().max())) if right.numel() else 1.0
                assert_close(mine, right.to(self.dtype), rtol=rtol, atol=atol, what=f"{name} of {self.what}")

    def check(self, learner, names=NAMES, tolerance=None):
        self.compare(learner.attention_backward(*self.arguments), names, tolerance)


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_dv(learner):
    Case(128).check(learner, ("dv",))


def test_dk(learner):
    Case(128, 32).check(learner, ("dk", "dv"))


def test_dq(learner):
    Case(128, 32).check(learner)


def test_tail(learner):
    for n in (1, 17, odd(65, 100), odd(129, 160)):
        Case(n).check(learner)


def test_large_values(learner):
    for first in (
        30,
        -300,
    ):  # scores near 150, where exp is no float32, and near -1500, where exp(-score) is none
        case = Case(odd(70, 120))
        case.q[..., 0], case.k[..., 0] = first, 20
        case.forward()
        # a score near 1500 is known to 0.0001, and what should cancel does not quite
        case.check(learner, tolerance=(2e-2, 2e-2))


def test_causal(learner):
    for n in (16, 128, odd(65, 100), odd(150, 200)):
        Case(n, causal=True).check(learner)


def work(learner, case):
    """Multiply-adds of one call."""
    return sum(m * depth * n for m, depth, n in learner.harness("drive").products(*case.arguments))


def test_skips_blocks(learner):
    n, d = 512, 16
    case = Case(n, d, dtype=torch.float16)
    full = work(learner, case)
    if not 5 * n * n * d <= full <= 7.01 * n * n * d:
        fail(
            "the gradients need 5 products of N × N × D multiply-adds, made with tl.dot: the scores again, dp, dv, dk and dq. "
            "With two kernels the first two are made twice, which is 7",
            got=f"{full / (n * n * d):.2f}",
            expected="5 to 7",
        )
    case.causal = True
    case.forward()
    half = work(learner, case)
    if half > 0.66 * full:
        fail(
            f"with the causal mask a call for {n} tokens does {half / full:.0%} of the multiply-adds that it does without: "
            "blocks in which no query sees a key are multiplied too",
            got=f"{half / full:.0%}",
            expected="66% or less, with blocks of at most 128 queries and 128 keys",
        )


def packed(n, d, batch, heads, dtype=torch.float32):
    """q, k and v as one projection makes them: [B, N, 3, H, D], seen as three [B, H, N, D]."""
    return randn(batch, n, 3, heads, d, dtype=dtype).permute(2, 0, 3, 1, 4).unbind(0)


def check_strides(learner, n, d, batch, heads, dtype=torch.float32):
    case = Case(n, d, batch, heads, causal=True, dtype=dtype, qkv=packed(n, d, batch, heads, dtype))
    case.do = randn(batch, n, heads, d, dtype=dtype).transpose(1, 2)
    case.o = case.o.transpose(1, 2).contiguous().transpose(1, 2)
    case.check(learner)


def test_heads_and_strides(learner):
    Case(odd(65, 90), batch=2, heads=3, causal=True).check(learner)
    check_strides(learner, odd(33, 60), 16, 2, 3)


def test_grouped_heads(learner):
    Case(odd(20, 60), heads=6, groups=2, causal=True).check(learner)
    Case(odd(65, 90), batch=2, heads=3, groups=1).check(learner)


def test_halves(learner):
    for d in (16, 64):
        Case(odd(70, 130), d, causal=True, dtype=torch.float16).check(learner)
    # values near 500: dp and delta are thousands, and what counts is their difference
    case = Case(128, dtype=torch.float16)
    case.v += 500
    case.forward()
    case.check(learner, ("dq", "dk"))


def test_uses_what_is_given(learner):
    case = Case(odd(65, 90), heads=2, causal=True)
    case.o = randn(*case.o.shape)
    case.lse += torch.rand(case.lse.shape)
    case.check(learner)


def same_bits(runs, case, how):
    for i, run in enumerate(runs):
        for name, first, later in zip(NAMES, runs[0], run, strict=True):
            differing = int((first != later).sum())
            if differing:
                fail(
                    f"{name} of {case.what}: {differing} elements of run {i + 1} differ in their bits from the first run, {how}"
                )


def test_same_bits(learner):
    # a + b is b + a in floating point, too: it takes three heads to tell
    case = Case(odd(70, 100), heads=8, groups=2, causal=True)
    runs = learner.harness("drive").again_in_any_order(4, *case.arguments)
    same_bits(runs, case, "with the same inputs and the programs in another order")


def test_memory(learner):
    n = 256
    case = Case(n, causal=True, dtype=torch.float16)
    largest = learner.harness("drive").largest_allocation(*case.arguments)
    if largest > n * n // 2:
        fail(
            f"for {n} tokens with D = 16 attention_backward() makes a tensor of {largest} bytes, where q has "
            f"{case.q.nbytes} and the scores have {2 * n * n}: what it needs must grow with N, not with N²",
            got=largest,
        )


def test_none(learner):
    for batch, heads, n in ((1, 2, 0), (0, 1, 5)):
        Case(n, 16, batch, heads, causal=True).check(learner)


@settings(max_examples=8)
@given(
    n=st.integers(1, 130),
    d=st.sampled_from([16, 32, 64]),
    heads=st.sampled_from([(1, 1), (2, 2), (4, 2)]),
    causal=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float16]),
)
def test_any_shape(learner, n, d, heads, causal, dtype):
    Case(n, d, 1, *heads, causal=causal, dtype=dtype).check(learner)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, n, d, dtype, causal=True, target="cuda:90"):
    case = Case(n, d, 1, 4, 2, causal, dtype)
    kernels = learner.compile("attention_backward", *case.arguments, target=target)
    if sorted(kernel.name for kernel in kernels) != KERNELS:
        fail(
            "attention_backward() must launch three kernels, each once",
            got=[kernel.name for kernel in kernels],
            expected=KERNELS,
        )
    return sorted(kernels, key=lambda kernel: kernel.name)


def test_tensor_cores(learner, measure):
    for d in (64, 128):
        for kernel in compiled(learner, 256, d, torch.float16)[1:]:
            if not re.search(r"wgmma\.mma_async", kernel.ptx):
                fail(
                    f"{kernel.name}, D = {d}: products should run on Hopper's tensor cores, as `wgmma.mma_async` of 4 warps "
                    "and 64 rows; the block that a program owns must have at least 64 rows, and a program 4 warps or 8"
                )
            measure.value(f"registers per thread, {kernel.name}, D = {d}", kernel.registers)
            if kernel.spills > 512:
                fail(
                    f"{kernel.name}, D = {d}: {kernel.spills} bytes of each thread's registers are spilled to memory. What a "
                    f"program sums up is float32, KEYS × {d} twice for dk and dv, over {32 * kernel.warps} threads of at most "
                    "255 registers"
                )


def test_full_precision(learner):
    for kernel in compiled(learner, 100, 32, torch.float32, causal=False)[1:]:
        found = re.findall(r"tt\.dot [^\n]*?inputPrecision = (\w+)", kernel.ttir)
        if "tf32" in found:
            fail(
                f"{kernel.name}: float32 operands of tl.dot are cut to the 10 bits of TF32 unless you say otherwise: "
                'input_precision="tf32x3" makes three products of them, "ieee" does without tensor cores',
                got=found,
            )


def test_older_gpus(learner):
    compiled(learner, odd(100, 200), 16, torch.bfloat16, True, "cuda:80")


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_lengths(learner):
    for n in (1, 17, 128, odd(500, 900)):
        for causal in (False, True):
            Case(n, 64, 2, 4, 2, causal, torch.float16).check(learner)


def test_gpu_dtypes(learner):
    for dtype in TOLERANCE:
        for d in (16, 32, 64, 128):
            Case(odd(200, 400), d, 1, 4, 2, True, dtype).check(learner)
            Case(odd(200, 400), d, 1, 2, 2, False, dtype).check(learner)


def test_gpu_strides(learner):
    for dtype in TOLERANCE:
        check_strides(learner, odd(200, 400), 64, 2, 3, dtype)


def test_gpu_values(learner):
    test_large_values(learner)
    test_halves(learner)
    test_uses_what_is_given(learner)


def test_gpu_same_bits(learner):
    case = Case(odd(600, 900), 64, 2, 8, 2, True, torch.float16)
    runs = learner.harness("drive").again(10, *case.arguments)
    same_bits(runs, case, "with the same inputs on this GPU")


def test_gpu_memory(learner):
    n = 16384
    q, k, v, do, o = (randn(1, 1, n, 64, dtype=torch.float16) for _ in range(5))
    peak = learner.harness("drive").peak(do, q, k, v, o, 10 + torch.rand(1, 1, n), True)
    if peak > 16 * q.nbytes:
        fail(
            f"for {n} tokens with D = 64 attention_backward() allocates {peak >> 20} MB, where q has {q.nbytes >> 20} MB and "
            f"the scores would have {2 * n * n >> 20} MB",
            got=peak,
        )


# --- level fast -------------------------------------------------------------------------------------------


def causal_lse(q, k):
    """The log-sum-exps of causal attention, one matrix of scores at a time."""
    n, d = q.shape[2:]
    hidden = torch.ones(n, n, dtype=torch.bool, device=q.device).triu(1)
    rows = [
        torch.logsumexp((one.float() @ other.float().T / d**0.5).masked_fill(hidden, -torch.inf), 1)
        for one, other in zip(q.flatten(0, 1), k.flatten(0, 1), strict=True)
    ]
    return torch.stack(rows).view(q.shape[:3])


def test_fast(learner, measure):
    shape = batch, heads, n, d = 4, 16, 4096, 128
    graph = {}

    def inputs():
        leaves = [torch.randn(shape, dtype=torch.float16).requires_grad_() for _ in range(3)]
        output = F.scaled_dot_product_attention(*leaves, is_causal=True)
        graph["last"] = output, leaves
        q, k, v = (x.detach() for x in leaves)
        return torch.randn(shape, dtype=torch.float16), q, k, v, output.detach(), causal_lse(q, k), True

    def reference(do, q, k, v, _o, _lse, _causal):
        leaves = [x.detach().requires_grad_() for x in (q, k, v)]
        return torch.autograd.grad(F.scaled_dot_product_attention(*leaves, is_causal=True), leaves, do)

    def torch_backward(do, *_saved):
        """The backward pass alone, of the forward pass that made the last inputs."""
        return torch.autograd.grad(*graph["last"], do, retain_graph=True)

    measure.kernel(
        "backward of causal attention 4×16×4096×128 float16",
        learner,
        "attention_backward",
        inputs=inputs,
        reference=reference,
        rtol=1e-2,
        atol=1e-2,
        baseline=torch_backward,
        bytes=(8 * d * 2 + 4) * batch * heads * n,
        flops=10 * batch * heads * d * n * (n + 1) / 2,
        dtype="float16",
        at_least=0.4,
        star=0.7,
    )
