"""RMSNorm and rotary embedding of queries or keys in one Triton kernel: one read, one write."""

import torch
import triton
import triton.language as tl


@triton.jit
def norm_kernel(x_ptr, weight_ptr, out_ptr, heads, size, eps, x_token, x_head, SIZE: tl.constexpr):
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    j = tl.arange(0, SIZE)
    real = j < size
    x = tl.load(x_ptr + token * x_token + head * x_head + j, mask=real, other=0.0).to(tl.float32)
    x = x * tl.rsqrt(tl.sum(x * x, 0) / size + eps) * tl.load(weight_ptr + j, mask=real, other=0.0)
    tl.store(out_ptr + (token * heads + head) * size + j, x, mask=real)


@triton.jit
def norm_rope_kernel(x_ptr, cos_ptr, sin_ptr, position_ptr, out_ptr, heads, half, HALF: tl.constexpr):
    token = tl.program_id(0).to(tl.int64)
    at = (token * heads + tl.program_id(1)) * 2 * half + tl.arange(0, HALF)
    real = tl.arange(0, HALF) < half
    angle = tl.load(position_ptr + token) * half + tl.arange(0, HALF)
    a = tl.load(x_ptr + at, mask=real)
    b = tl.load(x_ptr + at + half, mask=real)
    c = tl.load(cos_ptr + angle, mask=real)
    s = tl.load(sin_ptr + angle, mask=real)
    tl.store(out_ptr + at, a * c - b * s, mask=real)
    tl.store(out_ptr + at + half, b * c + a * s, mask=real)


def norm_rope(x, weight, cos, sin, positions, eps=1e-6):
    """RMSNorm over the last dimension of x [tokens, heads, size], then the rotation of each token's position.

    weight [size]; cos and sin float32 [positions that there are, size / 2]; positions int64 [tokens].
    """
    tokens, heads, size = x.shape
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    half = size // 2
    block = triton.next_power_of_2(half)
    normed = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    norm_kernel[(tokens, heads)](
        x, weight, normed, heads, size, eps, x.stride(0), x.stride(1), SIZE=triton.next_power_of_2(size)
    )
    norm_rope_kernel[(tokens, heads)](normed, cos, sin, positions, out, heads, half, HALF=block)
    return out
