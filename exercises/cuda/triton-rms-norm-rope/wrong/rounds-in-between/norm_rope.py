"""RMSNorm and rotary embedding of queries or keys in one Triton kernel: one read, one write."""

import torch
import triton
import triton.language as tl


@triton.jit
def norm_rope_kernel(
    x_ptr, weight_ptr, cos_ptr, sin_ptr, position_ptr, out_ptr,
    heads, half, eps, x_token, x_head, out_token, out_head,
    HEADS: tl.constexpr, HALF: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)  # token * x_token may pass 2**31
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]  # [HEADS, 1]
    j = tl.arange(0, HALF)[None, :]  # [1, HALF]: feature j is turned together with feature half + j
    real = j < half
    inside = (head < heads) & real

    x_at = x_ptr + token * x_token + head * x_head + j
    a = tl.load(x_at, mask=inside, other=0.0).to(tl.float32)  # [HEADS, HALF]
    b = tl.load(x_at + half, mask=inside, other=0.0).to(tl.float32)
    scale = tl.rsqrt((tl.sum(a * a, 1) + tl.sum(b * b, 1)) / (2 * half) + eps)[:, None]
    a = (a * scale * tl.load(weight_ptr + j, mask=real, other=0.0)).to(x_ptr.dtype.element_ty)
    b = (b * scale * tl.load(weight_ptr + half + j, mask=real, other=0.0)).to(x_ptr.dtype.element_ty)

    angle = tl.load(position_ptr + token) * half + j  # [1, HALF]: all heads of a token are turned alike
    c = tl.load(cos_ptr + angle, mask=real, other=0.0)
    s = tl.load(sin_ptr + angle, mask=real, other=0.0)
    out_at = out_ptr + token * out_token + head * out_head + j
    tl.store(out_at, a * c - b * s, mask=inside)
    tl.store(out_at + half, b * c + a * s, mask=inside)


def norm_rope(x, weight, cos, sin, positions, eps=1e-6):
    """RMSNorm over the last dimension of x [tokens, heads, size], then the rotation of each token's position.

    weight [size]; cos and sin float32 [positions that there are, size / 2]; positions int64 [tokens].
    """
    tokens, heads, size = x.shape
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    half = size // 2
    block = triton.next_power_of_2(half)
    heads_block = min(triton.next_power_of_2(heads), max(1, 2048 // block))  # 16 pairs a thread
    norm_rope_kernel[(tokens, triton.cdiv(heads, heads_block))](
        x, weight, cos, sin, positions, out,
        heads, half, eps, x.stride(0), x.stride(1), out.stride(0), out.stride(1),
        HEADS=heads_block, HALF=block,
    )  # fmt: skip
    return out
