"""activation(x @ w + bias) + residual in one kernel: all of it is done to the sums before they are stored."""

import torch
import triton
import triton.language as tl

ACTIVATIONS = ("none", "relu", "gelu", "silu")


def config(block_m, block_n, block_k, warps, stages):
    blocks = {"BLOCK_M": block_m, "BLOCK_N": block_n, "BLOCK_K": block_k, "GROUP": 8}
    return triton.Config(blocks, num_warps=warps, num_stages=stages)


CONFIGS = [
    config(128, 256, 64, warps=8, stages=3),
    config(128, 128, 64, warps=4, stages=3),
    config(64, 64, 32, warps=4, stages=3),
]


def worth_trying(configs, arguments, **_):
    return configs if arguments["x_ptr"].dtype.itemsize <= 2 else configs[-1:]


@triton.jit
def tile_of(pid, tiles_m, tiles_n, GROUP: tl.constexpr):
    """The tile of program `pid`, as (row, column): down a group of GROUP rows, then on to the next column."""
    group = pid // (GROUP * tiles_n)
    within = pid % (GROUP * tiles_n)
    first = group * GROUP
    height = min(GROUP, tiles_m - first)
    return first + within % height, within // height


@triton.jit
def activate(x, ACTIVATION: tl.constexpr):
    """The activation of a block of float32; which one it is, is known when the kernel is compiled."""
    if ACTIVATION == "relu":
        x = tl.maximum(x, 0.0)
    elif ACTIVATION == "gelu":
        x = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))  # x / √2
    elif ACTIVATION == "silu":
        x = x / (1.0 + tl.exp(-x))
    return x


@triton.autotune(CONFIGS, key=["M", "N", "K"], prune_configs_by={"early_config_prune": worth_trying})
@triton.jit
def linear_kernel(
    x_ptr, w_ptr, bias_ptr, residual_ptr, out_ptr, M, N, K,
    stride_xm, stride_xk, stride_wk, stride_wn, stride_bias, stride_rm, stride_rn, stride_om, stride_on,
    ACTIVATION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    row, column = tile_of(tl.program_id(0), tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N), GROUP)
    m = (row * BLOCK_M).to(tl.int64) + tl.arange(0, BLOCK_M)  # [BLOCK_M]: rows of x, residual and out
    n = (column * BLOCK_N).to(tl.int64) + tl.arange(0, BLOCK_N)  # [BLOCK_N]: columns of w, residual and out
    k = tl.arange(0, BLOCK_K).to(tl.int64)
    in_m, in_n = m < M, n < N
    x_ptrs = x_ptr + m[:, None] * stride_xm + k[None, :] * stride_xk
    w_ptrs = w_ptr + k[:, None] * stride_wk + n[None, :] * stride_wn

    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for done in range(0, K, BLOCK_K):
        in_k = k < K - done
        x = tl.load(x_ptrs, mask=in_m[:, None] & in_k[None, :], other=0.0)
        w = tl.load(w_ptrs, mask=in_k[:, None] & in_n[None, :], other=0.0)
        total = tl.dot(x, w, total, input_precision="tf32x3")
        x_ptrs += BLOCK_K * stride_xk
        w_ptrs += BLOCK_K * stride_wk

    # The epilogue. An argument that is None is known when the kernel is compiled: its lines are then not there.
    inside = in_m[:, None] & in_n[None, :]
    total = total.to(x_ptr.dtype.element_ty).to(tl.float32)
    if bias_ptr is not None:
        total += tl.load(bias_ptr + n * stride_bias, mask=in_n, other=0.0).to(tl.float32)[None, :]
    total = activate(total, ACTIVATION)
    if residual_ptr is not None:
        residual_ptrs = residual_ptr + m[:, None] * stride_rm + n[None, :] * stride_rn
        total += tl.load(residual_ptrs, mask=inside, other=0.0).to(tl.float32)
    out_ptrs = out_ptr + m[:, None] * stride_om + n[None, :] * stride_on
    tl.store(out_ptrs, total.to(out_ptr.dtype.element_ty), mask=inside)  # rounded here, and only here


def linear(x, w, bias=None, residual=None, activation="none", dtype=None):
    """activation(x @ w + bias) + residual as a new [M, N] matrix of `dtype`, that of x when not given.

    x is [M, K], w is [K, N], bias is [N], residual is [M, N], each with strides of its own; bias and residual may
    have other dtypes than x and w, and may be left out.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}")
    (M, K), N = x.shape, w.shape[1]
    out = torch.empty((M, N), dtype=dtype or x.dtype, device=x.device)

    def grid(meta):
        return (triton.cdiv(M, meta["BLOCK_M"]) * triton.cdiv(N, meta["BLOCK_N"]),)

    linear_kernel[grid](
        x, w, bias, residual, out, M, N, K,
        *x.stride(),
        *w.stride(),
        0 if bias is None else bias.stride(0),
        *((0, 0) if residual is None else residual.stride()),
        *out.stride(),
        ACTIVATION=activation,
    )  # fmt: skip
    return out
