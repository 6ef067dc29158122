"""C = A @ B as a Triton kernel: one program per tile of C, in an order that lets programs share what they read."""

import torch
import triton
import triton.language as tl

# The tile of C that one program computes, and how much of K it takes at a time: powers of two, 16 or more.
# Begin with these; @triton.autotune can choose among larger ones when everything else is right.
BLOCK_M, BLOCK_N, BLOCK_K = 64, 64, 32
GROUP = 8


@triton.jit
def tile_of(pid, tiles_m, tiles_n, GROUP: tl.constexpr):
    """Which of the tiles_m × tiles_n tiles of C program `pid` computes, as (row, column)."""
    # Row by row. It is right, and reads far more memory than it must: once the product is right,
    # go down GROUP rows first and then on to the next column. (The last group may have fewer rows.)
    return pid // tiles_n, pid % tiles_n


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K,
    stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    row, column = tile_of(tl.program_id(0), tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N), GROUP)
    # 1. m, n: the BLOCK_M rows and BLOCK_N columns of C that this tile covers; which of them exist?
    # 2. pointers to the first BLOCK_K columns of A, [BLOCK_M, BLOCK_K], and rows of B, [BLOCK_K, BLOCK_N]
    # 3. total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32); then along K, BLOCK_K at a time:
    #    load a and b (masked in both dimensions, with zeros beyond K), total = tl.dot(a, b, total), move the pointers
    # 4. store total in the dtype of C (c_ptr.dtype.element_ty), where the tile lies inside of C


def matmul_into(a, b, out):
    """Write a @ b into `out`: a is [M, K], b is [K, N], out is [M, N], each with strides of its own."""
    (M, K), N = a.shape, b.shape[1]
    if b.shape[0] != K or out.shape != (M, N) or not a.dtype == b.dtype == out.dtype:
        raise ValueError("a must be [M, K], b [K, N] and out [M, N], all of one dtype")
    raise NotImplementedError("write matmul_kernel, then launch it here: one program for each tile of out")


def matmul(a, b):
    """a @ b as a new matrix."""
    out = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype, device=a.device)
    matmul_into(a, b, out)
    return out
