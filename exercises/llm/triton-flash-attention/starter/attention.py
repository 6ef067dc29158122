"""softmax(q kᵀ / √D) v for each head as one Triton kernel: a program per block of queries, and no score leaves it."""

import torch
import triton
import triton.language as tl

QUERIES = 64  # rows of q in one program
KEYS = 64  # rows of k and v in one step of its loop


@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, o_ptr, lse_ptr, N, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)  # [QUERIES]: the queries of this program
    # 1. load their q, [QUERIES, D], once. Which strides do you need? Which head is this?
    # 2. three things are carried from block to block, all in float32: for each query the largest score so far and
    #    the sum of exp(score - largest), [QUERIES], and the sum of exp(score - largest) * v, [QUERIES, D]
    # 3. for each block of KEYS keys:
    #        scores = q kᵀ * scale, [QUERIES, KEYS]: what must stand where there is no key, or one that must not be seen?
    #        the new largest score; by which factor do both sums have to be scaled, to be relative to it?
    #        add this block to both
    # 4. store o = weighted sum / sum, and lse = largest + log(sum)
    #
    # Get there in steps, as the checks do: whole blocks without a mask; a tail; the mask; then heads and strides.


def attention(q, k, v, causal=False):
    """(o, lse): q is [B, H, N, D], k and v are [B, G, N, D] with H a multiple of G; lse is [B, H, N] in float32."""
    raise NotImplementedError("write attention_kernel, then launch it here: a program for each block of queries of each head")
