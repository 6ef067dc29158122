"""x @ W for a W of 4-bit numbers with a scale for each group of rows: unpacked in registers, never stored as float16."""

import os

import torch
import triton
import triton.language as tl

GROUP = 128  # rows of W that share their scales
HALF = GROUP // 2
BLOCK_N = 256  # columns of a program
PROGRAMS = 384  # that keep the memory of a large GPU busy: with few columns, K is divided among several
LEAST = 2  # groups of a program
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # there is no PTX then


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
def weights(packed, PTX: tl.constexpr):
    """The low and the high nibbles, as float16 from -8 to 7, exactly. 0x6400 is 1024 in float16, whose last bit counts 1.

    The compiler treats each number by itself. PTX makes two at a time, of four bytes in a register: lop3 is
    (a & 0x000f000f) | 0x64006400 in one instruction.
    """
    if PTX:
        return tl.inline_asm_elementwise(
            """
            {
            .reg .b32 a, b, bias;
            mov.b32 bias, 0x64086408;
            prmt.b32 a, $4, 0, 0x4140;
            prmt.b32 b, $4, 0, 0x4342;
            lop3.b32 $0, a, 0x000f000f, 0x64006400, 0xea;
            lop3.b32 $1, b, 0x000f000f, 0x64006400, 0xea;
            shr.u32 a, a, 4;
            shr.u32 b, b, 4;
            lop3.b32 $2, a, 0x000f000f, 0x64006400, 0xea;
            lop3.b32 $3, b, 0x000f000f, 0x64006400, 0xea;
            sub.f16x2 $0, $0, bias;
            sub.f16x2 $1, $1, bias;
            sub.f16x2 $2, $2, bias;
            sub.f16x2 $3, $3, bias;
            }
            """,
            "=r,=r,=r,=r,r",
            [packed],
            dtype=(tl.float16, tl.float16),
            is_pure=True,
            pack=4,
        )
    else:  # noqa: RET505 - the compiler follows one branch, and would follow what comes after it too
        low = ((packed & 15).to(tl.int16) | 0x6400).to(tl.float16, bitcast=True) - 1032.0
        high = ((packed >> 4).to(tl.int16) | 0x6400).to(tl.float16, bitcast=True) - 1032.0
        return low, high


@triton.jit
def dequant_matmul_kernel(
    x_ptr, packed_ptr, scales_ptr, out_ptr, batch, N, K, groups, stride_x,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, GROUP: tl.constexpr, PTX: tl.constexpr,
):  # fmt: skip
    """Some groups of some columns; out is [parts, batch, N], of float32 when there are several parts."""
    HALF: tl.constexpr = GROUP // 2
    m = tl.arange(0, BLOCK_M)
    n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    k = tl.arange(0, HALF)
    part = tl.program_id(1)
    first = part * groups
    in_m, in_n = (m < batch)[:, None], n < N
    x_ptrs = x_ptr + m[:, None] * stride_x + (first * GROUP + k)[None, :]  # [BLOCK_M, HALF]
    packed_ptrs = packed_ptr + (first * HALF + k)[:, None].to(tl.int64) * N + n[None, :]  # [HALF, BLOCK_N]
    scales_ptrs = scales_ptr + first.to(tl.int64) * N + n
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for _ in range(first, tl.minimum(first + groups, K // GROUP)):  # its scales are one for each column
        packed = tl.load(packed_ptrs, mask=in_n[None, :], other=0)
        x_low = tl.load(x_ptrs, mask=in_m, other=0.0)
        x_high = tl.load(x_ptrs + HALF, mask=in_m, other=0.0)
        scale = tl.load(scales_ptrs, mask=in_n, other=0.0).to(tl.float32)
        low, high = weights(packed, PTX)
        sums = tl.dot(x_low, low)
        sums = tl.dot(x_high, high, sums)
        total += sums * scale[None, :]  # once for a group of sums, and not for each weight
        x_ptrs += GROUP
        packed_ptrs += HALF * N
        scales_ptrs += N
    out_ptrs = out_ptr + (part * batch + m)[:, None].to(tl.int64) * N + n[None, :]
    tl.store(out_ptrs, total.to(out_ptr.dtype.element_ty), mask=in_m & in_n[None, :])


@triton.jit
def sum_kernel(parts_ptr, out_ptr, parts, count, BLOCK: tl.constexpr):
    """The parts of each element, always in the same order: the result does not depend on who was first."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], tl.float32)
    for part in range(parts):
        total += tl.load(parts_ptr + part * count + i, mask=i < count, other=0.0)
    tl.store(out_ptr + i, total.to(tl.float16), mask=i < count)


def dequant_matmul(x, packed, scales):
    """x @ ((unpack(packed) - 8) * scales of its group) for x float16 [batch, K], batch 1 … 16, rows of x one after another."""
    (batch, K), N = x.shape, packed.shape[1]
    programs = triton.cdiv(N, BLOCK_N)
    groups = max(LEAST, triton.cdiv(K // GROUP * programs, PROGRAMS))  # of each program
    parts = triton.cdiv(K // GROUP, groups)
    out = torch.empty((batch, N), dtype=torch.float16, device=x.device)
    into = out if parts == 1 else torch.empty((parts, batch, N), dtype=torch.float32, device=x.device)
    dequant_matmul_kernel[(programs, parts)](
        x, packed, scales, into, batch, N, K, groups, x.stride(0),
        BLOCK_M=16, BLOCK_N=BLOCK_N, GROUP=GROUP, PTX=not INTERPRETED, num_warps=4, num_stages=3,
    )  # fmt: skip
    if parts > 1:
        count = batch * N
        sum_kernel[(triton.cdiv(count, 1024),)](into, out, parts, count, BLOCK=1024)
    return out
