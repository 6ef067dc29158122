import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
# one unit in the last place of the result, and what float32 loses on the way
TOLERANCE = {torch.float32: (1e-5, 2e-6), torch.float16: (1e-3, 3e-6), torch.bfloat16: (8.5e-3, 3e-6)}


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def angles(positions, half):
    """Tables of cosines and sines: pair j turns by position / 10000^(j / half)."""
    frequency = 10_000.0 ** (-torch.arange(half) / half)
    angle = torch.outer(torch.arange(positions).float(), frequency)
    return angle.cos(), angle.sin()


def draw(tokens, heads, size, dtype=torch.float32, positions=None):
    """x, weight, cos, sin, positions of one call; positions run from 0 unless they are given."""
    x = (torch.randn(tokens, heads, size) * (0.5 + 2 * torch.rand(tokens, heads, 1))).to(dtype)
    weight = (0.5 + torch.rand(size)).to(dtype)
    positions = torch.arange(tokens) if positions is None else positions
    return x, weight, *angles(int(positions.max() if tokens else 0) + 1, size // 2), positions


def exact(x, weight, cos, sin, positions, eps=1e-6, wide=torch.float64):
    wide_x = x.to(wide)
    normed = wide_x * (wide_x.square().mean(-1, keepdim=True) + eps).rsqrt() * weight.to(wide)
    a, b = normed.chunk(2, -1)
    c, s = (table.to(wide)[positions][:, None] for table in (cos, sin))
    return torch.cat((a * c - b * s, b * c + a * s), -1)


def check(learner, inputs, what="", tolerance=None, **eps):
    x = inputs[0]
    rtol, atol = tolerance or TOLERANCE[x.dtype]
    what = what or f"norm_rope of {x.shape[0]} tokens with {x.shape[1]} heads of {x.shape[2]}"
    got = learner.norm_rope(*inputs, **eps)
    assert_close(got, exact(*inputs, **eps).to(x.dtype), rtol=rtol, atol=atol, what=what)
    return got


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_norm(learner):
    x, weight, cos, sin, positions = draw(between(2, 4), 4, 64)
    check(
        learner,
        (x, weight, torch.ones_like(cos), torch.zeros_like(sin), positions),
        "RMSNorm with no rotation",
    )


def test_rotation(learner):
    x, weight, cos, sin, positions = draw(between(3, 6), 4, 64)
    check(learner, (x, torch.ones_like(weight), cos, sin, positions), "the rotation with all weights 1")


def test_norm_then_rotation(learner):
    check(learner, draw(between(3, 6), 4, 64))


def test_positions(learner):
    tokens = between(5, 9)
    # a batch: sequences that begin again, tokens that continue a long one, and one position several times
    positions = torch.cat((torch.randint(0, 300, (tokens - 2,)), torch.tensor([299, 0])))
    check(
        learner, draw(tokens, 2, 32, positions=positions), f"norm_rope at the positions {positions.tolist()}"
    )


def test_eps(learner):
    x, *rest = draw(4, 2, 64)
    x[0] *= 1e-3
    x[1] *= 1e-5
    x[2] = 0
    for eps in (1e-6, 10.0 ** -between(3, 5)):
        check(
            learner,
            (x, *rest),
            f"norm_rope with eps={eps:g} of a token of about 1e-3, one of 1e-5, and zeros",
            eps=eps,
        )


def test_head_sizes(learner):
    for heads, size in ((1, 64), (3, 80), (between(5, 7), 96), (2, 2), (between(9, 40), 2 * between(3, 20))):
        check(learner, draw(between(1, 3), heads, size))
    check(learner, draw(0, 4, 64))


def test_large_values(learner):
    for dtype in (torch.float16, torch.bfloat16):
        x, *rest = draw(3, 2, 128, dtype)
        what = f"norm_rope of values of about 300 in {str(dtype).removeprefix('torch.')}"
        check(learner, (x * 300, *rest), what, tolerance=(2e-2, 2e-2))


def test_rounds_once(learner):
    inputs = draw(6, 8, 64, torch.float16)
    got = check(learner, inputs, tolerance=(1e-2, 1e-2))
    # half a unit in the last place is what the last rounding may cost, and it is all
    what = "norm_rope in float16 against the unrounded result"
    assert_close(got.double(), exact(*inputs), rtol=2.0**-11, atol=3e-6, what=what)


def test_strides(learner):
    tokens, heads, groups, size = between(3, 5), between(3, 5), 2, 32
    _, weight, cos, sin, positions = draw(tokens, heads, size)
    # queries and keys are parts of what one matrix product has made
    qkv = torch.randn(tokens, (heads + 2 * groups) * size)
    q = qkv[:, : heads * size].view(tokens, heads, size)
    k = qkv[:, heads * size : (heads + groups) * size].view(tokens, groups, size)
    for name, x in (("queries", q), ("keys", k)):
        check(learner, (x, weight, cos, sin, positions), f"norm_rope of the {name} within a larger matrix")
    by_head = torch.randn(heads, tokens, size).transpose(0, 1)
    check(
        learner,
        (by_head, weight, cos, sin, positions),
        "norm_rope of a tensor that lies in memory head by head",
    )


@settings(max_examples=10)
@given(
    tokens=st.integers(0, 4),
    heads=st.integers(1, 20),
    half=st.integers(1, 70),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1 << 60),
)
def test_any_shape(learner, tokens, heads, half, dtype, seed):
    torch.manual_seed(seed)
    check(learner, draw(tokens, heads, 2 * half, dtype, torch.randint(0, 200, (tokens,))))


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, inputs, target="cuda:90"):
    kernels = learner.compile("norm_rope", *inputs, target=target)
    mine = [kernel for kernel in kernels if kernel.name == "norm_rope_kernel"]
    if len(mine) != 1 or len(kernels) != 1:
        fail(
            "norm_rope() must launch one kernel, called norm_rope_kernel, and launch it once",
            got=[kernel.name for kernel in kernels],
            expected=["norm_rope_kernel"],
        )
    return mine[0]


def test_one_pass(learner):
    kernel = compiled(learner, draw(3, 12, 80, torch.bfloat16))
    for operation, most, what in (
        ("tt.load", 7, "two halves of x, two of the weight, a position, its cosines and its sines"),
        ("tt.store", 2, "two halves of the result"),
    ):
        found = len(re.findall(rf"{re.escape(operation)}\b", kernel.ttir))
        if not 1 <= found <= most:
            fail(
                f"the kernel's TTIR has {found} × {operation}, and needs {most}: {what}",
                got=found,
                expected=most,
            )


def test_wide_accesses(learner, measure):
    kernel = compiled(learner, draw(4, 32, 128, torch.bfloat16))
    measure.value("registers per thread", kernel.registers)
    found = re.findall(r"st\.global[.\w]*", kernel.ptx)
    narrow = [text for text in found if not text.endswith((".v4.b32", ".v2.b64"))]
    if narrow or not found:
        fail(
            "32 heads of 128 bfloat16 should be moved 16 bytes, which are 8 of them, at a time: `st.global.v4.b32`",
            got=found,
        )
    if kernel.spills:
        fail(f"the kernel spills {kernel.spills} bytes of registers to memory")


def test_every_kind_compiles(learner):
    for dtype, target in ((torch.float32, "cuda:80"), (torch.float16, "cuda:90")):
        compiled(learner, draw(3, between(3, 12), 2 * between(3, 50), dtype), target)


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_shapes(learner):
    for dtype in DTYPES:
        for heads, size in ((32, 128), (8, 80), (between(1, 70), 2 * between(1, 128))):
            tokens = between(500, 1500)
            check(learner, draw(tokens, heads, size, dtype, torch.randint(0, 5000, (tokens,))))
    check(learner, draw(0, 4, 64))
    check(learner, draw(1, 1, 2))


def test_gpu_strides(learner):
    test_strides(learner)


def test_gpu_eps_and_large_values(learner):
    test_eps(learner)
    test_large_values(learner)


# --- level fast -------------------------------------------------------------------------------------------

TOKENS, HEADS, SIZE = 16_384, 32, 128
MOVED = (
    2 * 2 * TOKENS * HEADS * SIZE + 4 * TOKENS * SIZE + 8 * TOKENS
)  # x and the result, the tables, positions


def queries():
    x = torch.randn(TOKENS, HEADS, SIZE, dtype=torch.bfloat16)
    weight = (0.5 + torch.rand(SIZE)).bfloat16()
    return x, weight, *angles(TOKENS, SIZE // 2), torch.randperm(TOKENS)


def separate(x, weight, cos, sin, positions):
    """What a model does without a kernel of its own, in the dtype of x."""
    normed = torch.nn.functional.rms_norm(x, (x.shape[-1],), weight, 1e-6)
    a, b = normed.chunk(2, -1)
    c, s = (table[positions][:, None].to(x.dtype) for table in (cos, sin))
    return torch.cat((a * c - b * s, b * c + a * s), -1)


def timed(learner, measure, name, **options):
    measure.kernel(
        f"norm_rope {TOKENS}×{HEADS}×{SIZE} bfloat16 {name}",
        learner,
        "norm_rope",
        inputs=queries,
        reference=lambda *inputs: exact(*inputs, wide=torch.float32).to(torch.bfloat16),
        rtol=1.6e-2,
        atol=1e-4,
        bytes=MOVED,
        flops=7 * TOKENS * HEADS * SIZE,
        dtype="float32",
        **options,
    )


def test_faster_than_torch(learner, measure):
    timed(learner, measure, "against torch's operators", baseline=separate, at_least=1.0, star=1.2)


def test_near_copy_speed(learner, measure):
    timed(learner, measure, "against a copy", baseline="copy", at_least=0.5, star=0.85)
