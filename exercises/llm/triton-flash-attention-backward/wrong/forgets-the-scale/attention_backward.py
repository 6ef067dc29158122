"""The gradients of attention from its output and its log-sum-exps: every probability is computed again, none is stored.

Two kernels, as two sums run in different directions: dk and dv sum over queries, dq sums over keys. Each program owns
what it writes, so the order of the programs changes no bit.
"""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

LOG2_E = tl.constexpr(1.4426950408889634)  # exp(x) = exp2(x * LOG2_E), and exp2 is what the hardware has


def blocks(head_dim, itemsize):
    """(queries, keys, warps, stages) of dkdv_kernel and of dq_kernel: measured on an H200."""
    if itemsize == 4:  # twice the bytes, and three products for each
        return (32, 64, 8, 1), (64, 32, 8, 1)
    if head_dim <= 64:
        return (64, 64, 4, 3), (128, 64, 4, 3)
    return (64, 64, 4, 2), (128, 64, 8, 3)


@triton.jit
def dot(a, b, total=None):
    """a @ b: for 16-bit operands the precision says nothing, float32 would be cut to the 10 bits of TF32."""
    return tl.dot(a, b, total, input_precision="tf32x3")


@triton.jit
def rows_of(desc, batch, head, first, ROWS: tl.constexpr, D: tl.constexpr):
    """[ROWS, D] of one head; rows that do not exist are zeros."""
    return desc.load([batch, head, first, 0]).reshape(ROWS, D)


@triton.jit
def delta_kernel(o_desc, do_desc, delta_ptr, N, D: tl.constexpr, ROWS: tl.constexpr):
    first, head, batch = tl.program_id(0) * ROWS, tl.program_id(1), tl.program_id(2)
    o = rows_of(o_desc, batch, head, first, ROWS, D).to(tl.float32)
    do = rows_of(do_desc, batch, head, first, ROWS, D).to(tl.float32)
    row = first + tl.arange(0, ROWS)
    line = (batch * tl.num_programs(1) + head).to(tl.int64) * N
    tl.store(delta_ptr + line + row, tl.sum(o * do, 1), mask=row < N)


@triton.jit
def add_queries(
    dk, dv, k, v, key, q_desc, do_desc, lse_ptr, delta_ptr, batch, head, begin, end, N, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, MASKED: tl.constexpr,
):  # fmt: skip
    """dk and dv with what the queries of a head from `begin` to `end` add."""
    for start in tl.range(begin, end, QUERIES):
        # queries beyond N need no mask: their q and do are zeros, and so is what they add
        q = rows_of(q_desc, batch, head, start, QUERIES, D)
        do = rows_of(do_desc, batch, head, start, QUERIES, D)
        row = start + tl.arange(0, QUERIES)
        lse = tl.load(lse_ptr + row, mask=row < N, other=0.0)
        delta = tl.load(delta_ptr + row, mask=row < N, other=0.0)
        # transposed, [KEYS, QUERIES], so that p and ds come out as the left operands that they become
        p = tl.exp2(dot(k, q.T) * (scale * LOG2_E) - (lse * LOG2_E)[None, :])
        if MASKED:
            p = tl.where(key[:, None] <= row[None, :], p, 0.0)
        dv = dot(p.to(do.dtype), do, dv)
        ds = p * (dot(v, do.T) - delta[None, :])
        dk = dot(ds.to(q.dtype), q, dk)
    return dk, dv


@triton.jit
def dkdv_kernel(
    q_desc, k_desc, v_desc, do_desc, dk_desc, dv_desc, lse_ptr, delta_ptr, N, group, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    first, kv_head, batch = tl.program_id(0) * KEYS, tl.program_id(1), tl.program_id(2)
    key = first + tl.arange(0, KEYS)  # [KEYS]: the keys of this program
    k = rows_of(k_desc, batch, kv_head, first, KEYS, D)
    v = rows_of(v_desc, batch, kv_head, first, KEYS, D)
    dk = tl.zeros((KEYS, D), tl.float32)
    dv = tl.zeros((KEYS, D), tl.float32)

    # queries before `begin` see none of these keys, those from `clear` on see all of them
    begin = first // QUERIES * QUERIES if CAUSAL else 0
    clear = tl.cdiv(first + KEYS, QUERIES) * QUERIES if CAUSAL else 0
    for head in range(kv_head * group, kv_head * group + group):
        line = (batch * tl.num_programs(1) * group + head).to(tl.int64) * N
        dk, dv = add_queries(
            dk, dv, k, v, key, q_desc, do_desc, lse_ptr + line, delta_ptr + line, batch, head,
            begin, min(clear, N), N, scale, D, QUERIES, True,
        )  # fmt: skip
        dk, dv = add_queries(
            dk, dv, k, v, key, q_desc, do_desc, lse_ptr + line, delta_ptr + line, batch, head,
            clear, N, N, scale, D, QUERIES, False,
        )  # fmt: skip
    dk_desc.store([batch, kv_head, first, 0], dk.to(dk_desc.dtype).reshape(1, 1, KEYS, D))
    dv_desc.store([batch, kv_head, first, 0], dv.to(dv_desc.dtype).reshape(1, 1, KEYS, D))


@triton.jit
def add_keys(
    dq, q, do, lse, delta, row, k_desc, v_desc, batch, kv_head, begin, end, N, scale,
    D: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr, MASKED: tl.constexpr,
):  # fmt: skip
    """dq with what the keys from `begin` to `end` add."""
    for start in tl.range(begin, end, KEYS):
        k = rows_of(k_desc, batch, kv_head, start, KEYS, D)
        v = rows_of(v_desc, batch, kv_head, start, KEYS, D)
        p = tl.exp2(dot(q, k.T) * (scale * LOG2_E) - (lse * LOG2_E)[:, None])  # [QUERIES, KEYS]
        if MASKED:
            key = start + tl.arange(0, KEYS)
            # beyond N too: the score of a key of zeros is 0, and exp(0 - lse) may well be infinite
            p = tl.where(key[None, :] <= row[:, None] if CAUSAL else key[None, :] < N, p, 0.0)
        ds = p * (dot(do, v.T) - delta[:, None])
        dq = dot(ds.to(k.dtype), k, dq)
    return dq


@triton.jit
def dq_kernel(
    q_desc, k_desc, v_desc, do_desc, dq_desc, lse_ptr, delta_ptr, N, group, scale,
    D: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    # the longest loops first (if causal), so that short ones fill the gaps at the end
    first = (tl.num_programs(0) - 1 - tl.program_id(0)) * QUERIES
    head, batch = tl.program_id(1), tl.program_id(2)
    row = first + tl.arange(0, QUERIES)  # [QUERIES]: the queries of this program
    q = rows_of(q_desc, batch, head, first, QUERIES, D)
    do = rows_of(do_desc, batch, head, first, QUERIES, D)
    line = (batch * tl.num_programs(1) + head).to(tl.int64) * N
    lse = tl.load(lse_ptr + line + row, mask=row < N, other=0.0)
    delta = tl.load(delta_ptr + line + row, mask=row < N, other=0.0)

    # keys below `clear` are seen by all queries here, those from `end` on by none
    end = min(first + QUERIES, N) if CAUSAL else N
    clear = (first if CAUSAL else N) // KEYS * KEYS
    dq = tl.zeros((QUERIES, D), tl.float32)
    dq = add_keys(
        dq, q, do, lse, delta, row, k_desc, v_desc, batch, head // group, 0, clear, N, scale, D, KEYS, CAUSAL, False
    )  # fmt: skip
    dq = add_keys(
        dq, q, do, lse, delta, row, k_desc, v_desc, batch, head // group, clear, end, N, scale, D, KEYS, CAUSAL, True
    )  # fmt: skip
    dq_desc.store([batch, head, first, 0], dq.to(dq_desc.dtype).reshape(1, 1, QUERIES, D))


def aligned(x):
    """x, or a copy where the copy engine could not read it: it wants rows in one piece that start at 16 bytes."""
    apart = [s * x.element_size() % 16 for s in x.stride()[:-1]]
    if x.stride(-1) != 1 or x.data_ptr() % 16 or any(apart):
        return x.clone(memory_format=torch.contiguous_format)
    return x


def described(rows, *tensors):
    """Descriptors of `rows` rows of one head."""
    return [TensorDescriptor.from_tensor(x, [1, 1, rows, x.shape[-1]]) for x in tensors]


def attention_backward(do, q, k, v, o, lse, causal=False):
    """(dq, dk, dv) of attention: q, o and do are [B, H, N, D], k and v [B, G, N, D], lse is [B, H, N] in float32."""
    B, H, N, D = q.shape
    G = k.shape[1]
    dq, dk, dv = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k, v))
    if q.numel() == 0:
        return dq, dk, dv
    do, q, k, v, o = (aligned(x) for x in (do, q, k, v, o))
    lse, delta = lse.contiguous(), torch.empty((B, H, N), dtype=torch.float32, device=q.device)
    delta_kernel[(triton.cdiv(N, 64), H, B)](*described(64, o, do), delta, N, D=D, ROWS=64)
    for_keys, for_queries = blocks(D, q.element_size())

    queries, keys, warps, stages = for_keys
    dkdv_kernel[(triton.cdiv(N, keys), G, B)](
        *described(queries, q), *described(keys, k, v), *described(queries, do), *described(keys, dk, dv),
        lse, delta, N, H // G, D**-0.5,
        D=D, QUERIES=queries, KEYS=keys, CAUSAL=causal, num_warps=warps, num_stages=stages,
    )  # fmt: skip
    queries, keys, warps, stages = for_queries
    dq_kernel[(triton.cdiv(N, queries), H, B)](
        *described(queries, q), *described(keys, k, v), *described(queries, do, dq),
        lse, delta, N, H // G, D**-0.5,
        D=D, QUERIES=queries, KEYS=keys, CAUSAL=causal, num_warps=warps, num_stages=stages,
    )  # fmt: skip
    return dq, dk, dv
