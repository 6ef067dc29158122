"""C = A @ B as a Triton kernel: one program per tile of C, in an order that lets programs share what they read."""

import torch
import triton
import triton.language as tl


def config(block_m, block_n, block_k, warps, stages):
    """One way to cut the work: the shape of a tile, the threads of a program, the depth of its pipeline."""
    blocks = {"BLOCK_M": block_m, "BLOCK_N": block_n, "BLOCK_K": block_k, "GROUP": 8}
    return triton.Config(blocks, num_warps=warps, num_stages=stages)


# The first two are for large products in 16 bits on an H100; the others for products with few tiles, for operands
# of 32 bits and for GPUs with less shared memory. A configuration that does not fit is passed over.
CONFIGS = [
    config(128, 256, 64, warps=8, stages=3),
    config(128, 256, 64, warps=8, stages=4),
    config(128, 128, 64, warps=8, stages=3),
    config(128, 64, 64, warps=4, stages=4),
    config(64, 64, 32, warps=4, stages=3),
]


def worth_trying(configs, arguments, **_):
    """All for 16 bits. A product of float32 is three of TF32, whose operands do not fit beside a large tile."""
    return configs if arguments["a_ptr"].dtype.itemsize <= 2 else configs[-1:]


@triton.jit
def tile_of(pid, tiles_m, tiles_n, GROUP: tl.constexpr):
    """The tile of program `pid`, as (row, column): down a group of GROUP rows, then on to the next column."""
    group = pid // (GROUP * tiles_n)
    within = pid % (GROUP * tiles_n)
    first = group * GROUP
    height = min(GROUP, tiles_m - first)  # the last group may have fewer rows
    return first + within % height, within // height


@triton.autotune(CONFIGS, key=["M", "N", "K"], prune_configs_by={"early_config_prune": worth_trying})
@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K,
    stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    row, column = tile_of(tl.program_id(0), tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N), GROUP)
    # Everything from here on counts from the tile's corner. 64 bits: a matrix may have more than 2³¹ elements
    a_ptr += (row * BLOCK_M).to(tl.int64) * stride_am
    b_ptr += (column * BLOCK_N).to(tl.int64) * stride_bn
    c_ptr += (row * BLOCK_M).to(tl.int64) * stride_cm + (column * BLOCK_N).to(tl.int64) * stride_cn
    m = tl.arange(0, BLOCK_M).to(tl.int64)  # [BLOCK_M]: rows of A and C
    n = tl.arange(0, BLOCK_N).to(tl.int64)  # [BLOCK_N]: columns of B and C
    k = tl.arange(0, BLOCK_K).to(tl.int64)  # [BLOCK_K]: columns of A, rows of B
    in_m = m < M - row * BLOCK_M
    in_n = n < N - column * BLOCK_N
    a_ptrs = a_ptr + m[:, None] * stride_am + k[None, :] * stride_ak  # [BLOCK_M, BLOCK_K]
    b_ptrs = b_ptr + k[:, None] * stride_bk + n[None, :] * stride_bn  # [BLOCK_K, BLOCK_N]

    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=c_ptr.dtype.element_ty)
    for done in range(0, K, BLOCK_K):
        in_k = k < K - done
        # beyond K there must be zeros: they are multiplied and added like everything else
        a = tl.load(a_ptrs, mask=in_m[:, None] & in_k[None, :], other=0.0)
        b = tl.load(b_ptrs, mask=in_k[:, None] & in_n[None, :], other=0.0)
        # float32 would otherwise be cut to the 10 bits of TF32; for 16-bit operands the precision says nothing
        total += tl.dot(a, b, input_precision="tf32x3").to(total.dtype)
        a_ptrs += BLOCK_K * stride_ak
        b_ptrs += BLOCK_K * stride_bk

    c_ptrs = c_ptr + m[:, None] * stride_cm + n[None, :] * stride_cn
    tl.store(c_ptrs, total, mask=in_m[:, None] & in_n[None, :])


def matmul_into(a, b, out):
    """Write a @ b into `out`: a is [M, K], b is [K, N], out is [M, N], each with strides of its own."""
    (M, K), N = a.shape, b.shape[1]
    if b.shape[0] != K or out.shape != (M, N) or not a.dtype == b.dtype == out.dtype:
        raise ValueError("a must be [M, K], b [K, N] and out [M, N], all of one dtype")

    def grid(meta):
        return (triton.cdiv(M, meta["BLOCK_M"]) * triton.cdiv(N, meta["BLOCK_N"]),)

    matmul_kernel[grid](a, b, out, M, N, K, *a.stride(), *b.stride(), *out.stride())


def matmul(a, b):
    """a @ b as a new matrix."""
    out = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype, device=a.device)
    matmul_into(a, b, out)
    return out
