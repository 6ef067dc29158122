"""Matrix products of different heights in one launch: the rows of x lie group by group, each group has its own w."""

import torch
import triton
import triton.language as tl


def config(block_m, block_n, block_k, warps, stages):
    blocks = {"BLOCK_M": block_m, "BLOCK_N": block_n, "BLOCK_K": block_k}
    return triton.Config(blocks, num_warps=warps, num_stages=stages)


CONFIGS = [
    config(128, 256, 64, warps=8, stages=3),
    config(64, 256, 64, warps=8, stages=4),
    config(64, 128, 64, warps=4, stages=4),
    config(64, 64, 32, warps=4, stages=3),
]


def worth_trying(configs, arguments, **_):
    return configs if arguments["x_ptr"].dtype.itemsize <= 2 else configs[-1:]


@triton.autotune(CONFIGS, key=["N", "K", "HEIGHT"], prune_configs_by={"early_config_prune": worth_trying})
@triton.jit
def grouped_kernel(
    x_ptr, w_ptr, sizes_ptr, out_ptr, N, K, groups,
    stride_xm, stride_xk, stride_wg, stride_wk, stride_wn, stride_om, stride_on,
    GROUPS: tl.constexpr,  # a power of two, `groups` or more
    HEIGHT: tl.constexpr,  # rows of an average group, rounded: the best tile depends on it, and nothing else does
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    g = tl.arange(0, GROUPS)
    sizes = tl.load(sizes_ptr + g, mask=g < groups, other=0)  # [GROUPS]: rows of each group
    tiles = tl.cdiv(sizes, BLOCK_M) * tl.cdiv(N, BLOCK_N)  # [GROUPS]: tiles of each, none of an empty one
    ends = tl.cumsum(tiles, 0)  # [GROUPS]: the number of tiles up to and with each group

    # One row of tiles for all groups together; this program takes every num_programs-th of it
    for tile in range(tl.program_id(0), tl.sum(tiles, 0), tl.num_programs(0)):
        before = ends <= tile  # [GROUPS]: the groups that end before this tile, empty ones among them
        group = tl.sum(before.to(tl.int32), 0)
        first = tl.sum(tl.where(before, sizes, 0), 0)  # the group's first row in x and out
        size = tl.sum(tl.where(g == group, sizes, 0), 0)
        within = tile - tl.sum(tl.where(before, tiles, 0), 0)
        # down first: programs that run together share columns of w, which are what must come from memory
        height = tl.cdiv(size, BLOCK_M)
        row, column = within % height, within // height

        m = (first + row * BLOCK_M + tl.arange(0, BLOCK_M)).to(tl.int64)
        in_m = m < tl.sum(sizes, 0)
        n = column * BLOCK_N + tl.arange(0, BLOCK_N).to(tl.int64)
        in_n = n < N
        k = tl.arange(0, BLOCK_K).to(tl.int64)
        x_ptrs = x_ptr + m[:, None] * stride_xm + k[None, :] * stride_xk
        w_ptrs = w_ptr + group.to(tl.int64) * stride_wg + k[:, None] * stride_wk + n[None, :] * stride_wn
        total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
        for done in range(0, K, BLOCK_K):
            in_k = k < K - done
            a = tl.load(x_ptrs, mask=in_m[:, None] & in_k[None, :], other=0.0)
            b = tl.load(w_ptrs, mask=in_k[:, None] & in_n[None, :], other=0.0)
            total = tl.dot(a, b, total, input_precision="tf32x3")
            x_ptrs += BLOCK_K * stride_xk
            w_ptrs += BLOCK_K * stride_wk
        out_ptrs = out_ptr + m[:, None] * stride_om + n[None, :] * stride_on
        tl.store(out_ptrs, total.to(out_ptr.dtype.element_ty), mask=in_m[:, None] & in_n[None, :])


def grouped_gemm(x, w, sizes, programs=None):
    """The rows of x times the w of their group, as a new [rows, N] matrix.

    x is [rows, K], w is [groups, K, N]. `sizes`, an int32 vector on the device of x, says how many rows each group
    has, one group after the other. `programs` are launched: by default one for each multiprocessor.
    """
    (rows, K), (groups, _, N) = x.shape, w.shape
    out = torch.empty((rows, N), dtype=x.dtype, device=x.device)
    if programs is None:
        programs = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 4
    if groups:
        grouped_kernel[(programs,)](
            x, w, sizes, out, N, K, groups, *x.stride(), *w.stride(), *out.stride(),
            GROUPS=triton.next_power_of_2(groups), HEIGHT=triton.next_power_of_2(rows // groups),
        )  # fmt: skip
    return out
