"""softmax(q kᵀ / √D) v for each head as one Triton kernel: a program per block of queries, and no score leaves it.

The blocks come through tensor descriptors (Triton 3.4), which a Hopper GPU hands to its copy engine: no thread computes
an address, and what lies beyond the last row arrives as zeros.
"""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

LOG2_E = tl.constexpr(1.4426950408889634)  # exp(x) = exp2(x * LOG2_E), and exp2 is what the hardware has


def blocks(head_dim, itemsize):
    """Queries and keys of a block, warps and stages: measured on an H200; two or three programs fit on an SM."""
    if itemsize == 4:  # twice the bytes, and three products for each
        return (64, 32, 4, 2) if head_dim <= 64 else (64, 32, 8, 2)
    return (64, 128, 4, 2) if head_dim <= 64 else (64, 64, 4, 3)


@triton.jit
def attention_kernel(
    q_desc, k_desc, v_desc, o_desc, lse_ptr, N, group, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    # the longest loops first (if causal), so that short ones fill the gaps at the end
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    head, batch = tl.program_id(1), tl.program_id(2)
    first = block * QUERIES
    row = first + tl.arange(0, QUERIES)  # [QUERIES]: the queries of this program
    q = q_desc.load([batch, head, first, 0]).reshape(QUERIES, D)
    kv_head = head // group

    # causal: the last query here sees the keys below `end`; of a block that reaches beyond `clear` some see only a part
    end = min(first + QUERIES, N) if CAUSAL else N
    clear = first + 1 if CAUSAL else N

    largest = tl.full((QUERIES,), -float("inf"), tl.float32)  # of the scores so far, times log2(e)
    total = tl.zeros((QUERIES,), tl.float32)  # of exp2(score - largest)
    o = tl.zeros((QUERIES, D), tl.float32)  # of exp2(score - largest) * v
    for start in tl.range(0, end, KEYS):
        k = k_desc.load([batch, kv_head, start, 0]).reshape(KEYS, D)
        # for 16-bit operands the precision says nothing; float32 would otherwise be cut to the 10 bits of TF32
        s = tl.dot(q, k.T, input_precision="tf32x3")  # [QUERIES, KEYS]
        if start + KEYS > clear:
            key = start + tl.arange(0, KEYS)
            visible = key[None, :] <= row[:, None] if CAUSAL else key[None, :] < N
            s = tl.where(visible, s, -float("inf"))
        new = tl.maximum(largest, tl.max(s, 1) * scale)
        # what was summed relative to the old maximum times this is what it would be relative to the new one
        shrink = tl.exp2(largest - new)
        p = tl.exp2(s * scale - new[:, None])
        total = total * shrink + tl.sum(p, 1)
        v = v_desc.load([batch, kv_head, start, 0]).reshape(KEYS, D)
        o = tl.dot(p.to(v.dtype), v, o * shrink[:, None], input_precision="tf32x3")
        largest = new

    o = o * (1 / total)[:, None]
    o_desc.store([batch, head, first, 0], o.to(o_desc.dtype).reshape(1, 1, QUERIES, D))
    lse = tl.log2(total) / LOG2_E
    line = (batch * tl.num_programs(1) + head).to(tl.int64) * N
    tl.store(lse_ptr + line + row, lse, mask=row < N)


def described(x, rows):
    """A descriptor of `rows` rows of one head; the copy engine wants rows in one piece that start at 16 bytes."""
    apart = [s * x.element_size() % 16 for s in x.stride()[:-1]]
    if x.stride(-1) != 1 or x.data_ptr() % 16 or any(apart):
        x = x.clone(memory_format=torch.contiguous_format)
    return TensorDescriptor.from_tensor(x, [1, 1, rows, x.shape[-1]])


def attention(q, k, v, causal=False):
    """(o, lse): q is [B, H, N, D], k and v are [B, G, N, D] with H a multiple of G; lse is [B, H, N] in float32."""
    B, H, N, D = q.shape
    o = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    lse = torch.empty((B, H, N), dtype=torch.float32, device=q.device)
    if o.numel():
        queries, keys, warps, stages = blocks(D, q.element_size())
        attention_kernel[(triton.cdiv(N, queries), H, B)](
            described(q, queries), described(k, keys), described(v, keys), described(o, queries), lse,
            N, H // k.shape[1], D**-0.5 * LOG2_E.value,
            D=D, QUERIES=queries, KEYS=keys, CAUSAL=causal, num_warps=warps, num_stages=stages,
        )  # fmt: skip
    return o, lse
