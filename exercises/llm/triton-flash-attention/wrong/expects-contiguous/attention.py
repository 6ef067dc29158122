"""softmax(q kᵀ / √D) v for each head as one Triton kernel: a program per block of queries, and no score leaves it."""

import torch
import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)  # exp(x) = exp2(x * LOG2_E), and exp2 is what the hardware has


@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, o_ptr, lse_ptr, N, group, scale,
    q_batch, q_head, q_row, k_batch, k_head, k_row, v_batch, v_head, v_row,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    block, head, batch = tl.program_id(0), tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    first = block * QUERIES
    row = first + tl.arange(0, QUERIES)  # [QUERIES]: the queries of this program
    column = tl.arange(0, D)[None, :]
    inside = row[:, None] < N
    kv_head = head // group
    q_ptr += batch * q_batch + head * q_head
    k_ptr += batch * k_batch + kv_head * k_head
    v_ptr += batch * v_batch + kv_head * v_head
    q = tl.load(q_ptr + row[:, None].to(tl.int64) * q_row + column, mask=inside, other=0.0)

    end = min(first + QUERIES, N) if CAUSAL else N
    clear = first + 1 if CAUSAL else N

    largest = tl.full((QUERIES,), -float("inf"), tl.float32)  # of the scores so far, times log2(e)
    total = tl.zeros((QUERIES,), tl.float32)  # of exp2(score - largest)
    o = tl.zeros((QUERIES, D), tl.float32)  # of exp2(score - largest) * v
    for start in tl.range(0, end, KEYS):
        key = start + tl.arange(0, KEYS)
        there = key[:, None] < N
        k = tl.load(k_ptr + key[:, None].to(tl.int64) * k_row + column, mask=there, other=0.0)
        s = tl.dot(q, k.T, input_precision="tf32x3")  # [QUERIES, KEYS]
        if start + KEYS > clear:
            visible = key[None, :] <= row[:, None] if CAUSAL else key[None, :] < N
            s = tl.where(visible, s, -float("inf"))
        new = tl.maximum(largest, tl.max(s, 1) * scale)
        # what was summed relative to the old maximum times this is what it would be relative to the new one
        shrink = tl.exp2(largest - new)
        p = tl.exp2(s * scale - new[:, None])
        total = total * shrink + tl.sum(p, 1)
        v = tl.load(v_ptr + key[:, None].to(tl.int64) * v_row + column, mask=there, other=0.0)
        o = tl.dot(p.to(v.dtype), v, o * shrink[:, None], input_precision="tf32x3")
        largest = new

    line = (batch * tl.num_programs(1) + head) * N + row
    tl.store(o_ptr + line[:, None] * D + column, (o / total[:, None]).to(o_ptr.dtype.element_ty), mask=inside)
    tl.store(lse_ptr + line, (largest + tl.log2(total)) / LOG2_E, mask=row < N)


def attention(q, k, v, causal=False):
    """(o, lse): q is [B, H, N, D], k and v are [B, G, N, D] with H a multiple of G; lse is [B, H, N] in float32."""
    B, H, N, D = q.shape
    o = torch.empty((B, H, N, D), dtype=q.dtype, device=q.device)
    lse = torch.empty((B, H, N), dtype=torch.float32, device=q.device)
    if o.numel():
        queries, keys = (64, 32) if q.element_size() == 4 else (64, 64)
        attention_kernel[(triton.cdiv(N, queries), H, B)](
            q, k, v, o, lse, N, H // k.shape[1], D**-0.5 * LOG2_E.value,
            H * N * D, N * D, D, k.shape[1] * N * D, N * D, D, v.shape[1] * N * D, N * D, D,
            D=D, QUERIES=queries, KEYS=keys, CAUSAL=causal, num_warps=4, num_stages=3,
        )  # fmt: skip
    return o, lse
