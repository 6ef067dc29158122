"""RMSNorm and rotary embedding of queries or keys in one Triton kernel: one read, one write."""

import torch
import triton
import triton.language as tl


@triton.jit
def norm_rope_kernel(
    x_ptr, weight_ptr, cos_ptr, sin_ptr, position_ptr, out_ptr,
    heads, half, eps, x_token, x_head, out_token, out_head,
    HEADS: tl.constexpr, HALF: tl.constexpr,
):
    # A program has one token, and HEADS of its heads: blocks of [HEADS, HALF], one for each half of the features.
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]  # [HEADS, 1]
    j = tl.arange(0, HALF)[None, :]  # [1, HALF]: feature j is turned together with feature half + j
    # 1. which heads and features exist?
    # 2. load the two halves of the features, once, and make them float32
    # 3. scale = 1 / sqrt(mean of all squares + eps), one number a head; then the weight
    # 4. cos and sin of this token's position: row tl.load(position_ptr + token) of the tables
    # 5. turn each pair, store the two halves


def norm_rope(x, weight, cos, sin, positions, eps=1e-6):
    """RMSNorm over the last dimension of x [tokens, heads, size], then the rotation of each token's position.

    weight [size]; cos and sin float32 [positions that there are, size / 2]; positions int64 [tokens].
    """
    tokens, heads, size = x.shape
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    raise NotImplementedError("write norm_rope_kernel, then launch it here: a token and a block of heads for each program")
    return out
