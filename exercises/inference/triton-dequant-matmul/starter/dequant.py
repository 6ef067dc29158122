"""x @ W for a W of 4-bit numbers with a scale for each group of rows: unpacked in registers, never stored as float16."""

import torch
import triton
import triton.language as tl

GROUP = 128  # rows of W that share their scales
HALF = GROUP // 2


def pack(q):
    """[K, N] of 0 … 15 → uint8 [K / 2, N]: of each group, row r in the low four bits and row r + 64 in the high ones."""
    raise NotImplementedError("view q as [groups, 2, HALF, N]: both halves of a group, one above the other")


def unpack(packed):
    """What pack() was given, as uint8."""
    raise NotImplementedError("the opposite of pack()")


@triton.jit
def dequant_matmul_kernel(
    x_ptr, packed_ptr, scales_ptr, out_ptr, batch, N, K, stride_x,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    # 1. the columns of this program; all rows of x, at most 16
    # 2. for each group: 64 rows of bytes, the 64 + 64 columns of x that belong to them, one scale for each column
    # 3. low and high four bits to float16 -8 … 7, two products, the scale; sums in float32
    tl.static_assert(False, "write dequant_matmul_kernel")


def dequant_matmul(x, packed, scales):
    """x @ ((unpack(packed) - 8) * scales of its group) for x float16 [batch, K], batch 1 … 16, rows of x one after another.

    packed is uint8 [K / 2, N], scales float16 [K / GROUP, N], both contiguous; the result is float16 [batch, N].
    """
    (batch, K), N = x.shape, packed.shape[1]
    out = torch.empty((batch, N), dtype=torch.float16, device=x.device)
    dequant_matmul_kernel[(triton.cdiv(N, 64),)](
        x, packed, scales, out, batch, N, K, x.stride(0),
        BLOCK_M=16, BLOCK_N=64, GROUP=GROUP, num_warps=4, num_stages=4,
    )  # fmt: skip
    return out
