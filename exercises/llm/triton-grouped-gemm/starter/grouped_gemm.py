"""Matrix products of different heights in one launch: the rows of x lie group by group, each group has its own w."""

import torch
import triton
import triton.language as tl

BLOCK_M, BLOCK_N, BLOCK_K = 64, 64, 32


@triton.jit
def grouped_kernel(
    x_ptr, w_ptr, sizes_ptr, out_ptr, N, K, groups,
    stride_xm, stride_xk, stride_wg, stride_wk, stride_wn, stride_om, stride_on,
    GROUPS: tl.constexpr,  # a power of two, `groups` or more
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    # How many tiles has each group? Imagine the tiles of all groups in one row, one group after the other.
    # 1. This program takes tile `tl.program_id(0)` of that row, then every `tl.num_programs(0)`-th.
    # 2. Of which group is a tile, and which of the group's is it? Where do the group's rows begin, how many are there?
    # 3. Then it is a matrix product as you know it: masks, a loop along K, one store.
    #    A tile that reaches below its group reaches into the next one: those rows are not its to write.
    pass


def grouped_gemm(x, w, sizes, programs=None):
    """The rows of x times the w of their group, as a new [rows, N] matrix.

    x is [rows, K], w is [groups, K, N]. `sizes`, an int32 vector on the device of x, says how many rows each group
    has, one group after the other. `programs` are launched: by default one for each multiprocessor.
    """
    (rows, K), (groups, _, N) = x.shape, w.shape
    out = torch.empty((rows, N), dtype=x.dtype, device=x.device)
    if programs is None:
        programs = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 4
    # `sizes` is for the kernel: what it holds is not known here, and asking for it would wait for the GPU
    raise NotImplementedError("write grouped_kernel, then launch it here once, with `programs` programs")
    return out
