"""C = A @ B for float16, in a configuration that is given: the kernel whose IR answers.py reads."""

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    # your kernel from triton-matmul, without the decorator of the autotuner: rows of C by program_id(0), columns by
    # program_id(1); tiles of A are [BLOCK_M, BLOCK_K], tiles of B [BLOCK_K, BLOCK_N], loaded through pointers
    tl.static_assert(False, "write matmul_kernel: your kernel from triton-matmul is a good one to begin with")


def matmul(a, b, config):
    """a @ b, with the blocks, warps and stages of `config`."""
    (M, K), N = a.shape, b.shape[1]
    out = torch.empty((M, N), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(M, config["block_m"]), triton.cdiv(N, config["block_n"]))
    matmul_kernel[grid](
        a, b, out, M, N, K, *a.stride(), *b.stride(), *out.stride(),
        BLOCK_M=config["block_m"], BLOCK_N=config["block_n"], BLOCK_K=config["block_k"],
        num_warps=config["warps"], num_stages=config["stages"],
    )  # fmt: skip
    return out
