"""The gradients of attention from its output and its log-sum-exps: every probability is computed again, none is stored."""

import torch
import triton
import triton.language as tl


@triton.jit
def delta_kernel(o_ptr, do_ptr, delta_ptr, N, D: tl.constexpr, ROWS: tl.constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)  # [ROWS]: the queries of this program
    # delta = the sum over a row of o * do, in float32


@triton.jit
def dkdv_kernel(
    q_ptr, k_ptr, v_ptr, do_ptr, dk_ptr, dv_ptr, lse_ptr, delta_ptr, N, group, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    key = tl.program_id(0) * KEYS + tl.arange(0, KEYS)  # [KEYS]: the keys of this program
    # 1. load their k and v, [KEYS, D], once; dk and dv start as zeros, in float32
    # 2. for each query head that shares them, and each block of QUERIES queries that may see them:
    #        load q, do, lse and delta of the block
    #        p = exp(scores - lse): no maximum is needed any more. Which of them must be 0?
    #        add to dv;  dp = do vᵀ;  ds = p * (dp - delta);  add to dk
    # 3. store dk and dv: where does the scale of the scores come in?


@triton.jit
def dq_kernel(
    q_ptr, k_ptr, v_ptr, do_ptr, dq_ptr, lse_ptr, delta_ptr, N, group, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)  # [QUERIES]: the queries of this program
    # the same p and ds, but now the loop runs over blocks of keys, and what is added up is dq


def attention_backward(do, q, k, v, o, lse, causal=False):
    """(dq, dk, dv) of attention: q, o and do are [B, H, N, D], k and v [B, G, N, D], lse is [B, H, N] in float32."""
    raise NotImplementedError("launch delta_kernel, then dkdv_kernel with a program for each block of keys, then dq_kernel")
