import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, assert_equal, fail

GROUP = 128
HALF = GROUP // 2


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def packed_of(q):
    """As the task says, without the learner's help."""
    groups = q.to(torch.uint8).view(-1, 2, HALF, q.shape[1])
    return (groups[:, 0] + 16 * groups[:, 1]).reshape(-1, q.shape[1])


def quantised(groups, columns):
    """(q, scales): scales differ by a factor of up to 30 between groups and columns."""
    q = torch.randint(0, 16, (groups * GROUP, columns))
    return q, (0.01 * 30 ** torch.rand(groups, columns)).half()


def product(x, q, scales):
    weights = (q.double() - 8) * scales.double().repeat_interleave(GROUP, 0)
    return (x.double() @ weights).half()


def check(learner, x, q, scales, what):
    got = learner.dequant_matmul(x, packed_of(q), scales)
    learner.demand_launch("dequant_matmul_kernel")
    expected = product(x, q, scales)
    assert_close(
        got, expected, rtol=4e-3, atol=2e-3 * float(expected.abs().max()) if len(x) else 0.0, what=what
    )


# --- level correct ----------------------------------------------------------------------------------------


def test_packing(learner):
    q = torch.randint(0, 16, (GROUP * between(1, 3), between(1, 9)))
    packed = learner.pack(q)
    assert_equal(packed, packed_of(q), f"pack() of {len(q)} × {q.shape[1]}")
    assert_equal(learner.unpack(packed), q.to(torch.uint8), "unpack(pack(q))")


def test_one_group(learner):
    """Whole numbers and scales of 1: nothing is rounded."""
    q = torch.randint(0, 16, (GROUP, 64))
    x = torch.randint(-2, 3, (16, GROUP)).half()
    scales = torch.ones(1, 64, dtype=torch.float16)
    got = learner.dequant_matmul(x, packed_of(q), scales)
    learner.demand_launch("dequant_matmul_kernel")
    assert_close(
        got, product(x, q, scales), rtol=0, atol=0, what="the product with one group and scales of 1"
    )


def test_groups(learner):
    groups = between(3, 5)
    q, scales = quantised(groups, 64)
    check(learner, torch.randn(16, groups * GROUP).half(), q, scales, f"the product with {groups} groups")


@settings(max_examples=10)
@given(
    batch=st.integers(1, 16), columns=st.integers(1, 150), groups=st.integers(1, 2), more=st.integers(0, 40)
)
def test_any_shape(learner, batch, columns, groups, more):
    q, scales = quantised(groups, columns)
    x = torch.randn(batch, groups * GROUP + more).half()[:, : groups * GROUP]
    what = f"the product for batch {batch}, {columns} columns, {groups} groups, rows of x {x.stride(0)} elements apart"
    check(learner, x, q, scales, what)


def test_sums_are_float32(learner):
    groups = 6
    q, scales = torch.full((groups * GROUP, 64), 15), torch.full((groups, 64), 8.0).half()
    x = torch.full((2, groups * GROUP), 8.0)
    x[:, groups * GROUP // 2 :] = -8.0  # up to 172,032, and down again
    x[0, 0] += 1
    x[1, -1] -= 3
    check(learner, x.half(), q, scales, "sums that pass 65,504 on their way")


# --- level compiles ---------------------------------------------------------------------------------------


def compiled(learner, target):
    q, scales = quantised(4, 64 * between(2, 4))
    x = torch.randn(16, 4 * GROUP).half()
    kernels = learner.compile("dequant_matmul", x, packed_of(q), scales, target=target)
    # a second one may sum what several programs made of one column
    readers = [kernel for kernel in kernels if "!tt.ptr<i8>" in kernel.ttir]
    if [kernel.name for kernel in readers] != ["dequant_matmul_kernel"]:
        fail(
            "one kernel reads the packed weights and multiplies",
            got=[k.name for k in readers],
            expected=["dequant_matmul_kernel"],
        )
    return readers[0]


def test_one_kernel(learner, measure):
    for target in ("cuda:80", "cuda:90"):
        kernel = compiled(learner, target)
        measure.value(f"registers per thread, {kernel.target}", kernel.registers)
        if not re.search(r"\btt\.dot ", kernel.ttir):
            fail(
                "the kernel has no tl.dot: weights that are unpacked first and multiplied later cross memory as float16"
            )
        if kernel.spills:
            fail(f"the kernel spills {kernel.spills} bytes of registers for {kernel.target}")


def test_pipelined(learner):
    kernel = compiled(learner, "cuda:90")
    bytes_in_flight = re.findall(
        r"async_copy_global_to_local [^\n]*tensor<(\d+)x(\d+)x!tt\.ptr<i8>", kernel.ttgir
    )
    if not bytes_in_flight:
        fail("the loads of packed weights are not asynchronous: the loop over groups is not pipelined")
    widths = {
        int(n, 0) for n in re.findall(r"cp\.async\.c[ag]\.shared\.global[^;]*?\], *(0x\w+|\d+)", kernel.ptx)
    }
    if min(widths) < 4 or max(widths) < 8:
        fail("packed weights should come in pieces of 8 bytes or 16", got=sorted(widths))


# --- level gpu --------------------------------------------------------------------------------------------


def test_gpu_shapes(learner):
    test_sums_are_float32(learner)
    for batch, groups, columns in (
        (1, 32, 4096),
        (between(2, 15), between(1, 9), between(1, 900)),
        (16, 17, 1001),
    ):
        q, scales = quantised(groups, columns)
        x = torch.randn(batch, groups * GROUP).half()
        check(learner, x, q, scales, f"the product for batch {batch}, {columns} columns, {groups} groups")


# --- level fast -------------------------------------------------------------------------------------------


def dequantised(x, packed, scales):
    """The trusted result, with the weights in float32."""
    halves = packed.view(-1, HALF, packed.shape[1])
    q = torch.stack([halves & 15, halves >> 4], 1).float() - 8
    weights = q.view(len(scales), GROUP, -1) * scales.float()[:, None, :]
    return (x.float() @ weights.view(-1, packed.shape[1])).half()


def test_fast(learner, measure):
    K, N = 8192, 16384
    dense = []  # as many weights in float16, made once: what they are does not matter for the time

    def float16_matmul(x, packed, scales):
        return x @ dense[0]

    for batch in (1, 16):

        def inputs(batch=batch):
            if not dense:
                dense.append((0.02 * torch.randn(K, N)).half())
            return (
                torch.randn(batch, K).half(),
                torch.randint(0, 256, (K // 2, N), dtype=torch.uint8),
                (0.002 + 0.004 * torch.rand(K // GROUP, N)).half(),
            )

        measure.kernel(
            f"int4 matmul {batch}×{K}×{N}, against float16",
            learner,
            "dequant_matmul",
            inputs=inputs,
            reference=dequantised,
            baseline=float16_matmul,
            rtol=1e-2,
            atol=1e-2,
            bytes=K * N // 2 + 2 * N * K // GROUP + 2 * batch * (K + N),
            flops=2 * batch * K * N,
            dtype="float16",
            at_least=1.0,
            star=1.4,
        )
