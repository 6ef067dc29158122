"""x @ W for a W of 4-bit numbers with a scale for each group of rows: unpacked in registers, never stored as float16."""

import torch
import triton
import triton.language as tl

GROUP = 128  # rows of W that share their scales
HALF = GROUP // 2


def pack(q):
    """[K, N] of 0 … 15 → uint8 [K / 2, N]: of each group, row r in the low four bits and row r + 64 in the high ones."""
    K, N = q.shape
    low, high = q.to(torch.uint8).view(K // GROUP, 2, HALF, N).unbind(1)
    return (low | high << 4).reshape(K // 2, N)


def unpack(packed):
    """What pack() was given, as uint8."""
    N = packed.shape[1]
    halves = packed.view(-1, HALF, N)
    return torch.stack([halves & 15, halves >> 4], 1).reshape(-1, N)


@triton.jit
def weights(nibbles):
    """0 … 15 → float16 -8 … 7, exactly. 0x6400 is 1024 in float16, whose last bit counts 1: or-ing adds."""
    return (nibbles.to(tl.int16) | 0x6400).to(tl.float16, bitcast=True) - 1032.0


@triton.jit
def dequant_matmul_kernel(
    x_ptr, packed_ptr, scales_ptr, out_ptr, batch, N, K, stride_x,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    HALF: tl.constexpr = GROUP // 2
    m = tl.arange(0, BLOCK_M)
    n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    k = tl.arange(0, HALF)
    in_m, in_n = (m < batch)[:, None], n < N
    x_ptrs = x_ptr + m[:, None] * stride_x + k[None, :]  # [BLOCK_M, HALF]
    packed_ptrs = packed_ptr + k[:, None].to(tl.int64) * N + n[None, :]  # [HALF, BLOCK_N]
    scales_ptrs = scales_ptr + n
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for _ in range(0, K, GROUP):  # a group at a time: its scales are one for each column
        packed = tl.load(packed_ptrs)
        low = tl.load(x_ptrs, mask=in_m, other=0.0)
        high = tl.load(x_ptrs + HALF, mask=in_m, other=0.0)
        scale = tl.load(scales_ptrs).to(tl.float32)
        part = tl.dot(low, weights(packed & 15))
        part = tl.dot(high, weights(packed >> 4), part)
        total += part * scale[None, :]  # once for a group of sums, and not for each weight
        x_ptrs += GROUP
        packed_ptrs += HALF * N
        scales_ptrs += N
    tl.store(out_ptr + m[:, None] * N + n[None, :], total.to(tl.float16), mask=in_m & in_n[None, :])


def dequant_matmul(x, packed, scales):
    """x @ ((unpack(packed) - 8) * scales of its group) for x float16 [batch, K], batch 1 … 16, rows of x one after another."""
    (batch, K), N = x.shape, packed.shape[1]
    out = torch.empty((batch, N), dtype=torch.float16, device=x.device)
    dequant_matmul_kernel[(triton.cdiv(N, 64),)](
        x, packed, scales, out, batch, N, K, x.stride(0),
        BLOCK_M=16, BLOCK_N=64, GROUP=GROUP, num_warps=4, num_stages=6,
    )  # fmt: skip
    return out
