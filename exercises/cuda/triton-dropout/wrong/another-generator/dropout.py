"""Dropout whose mask is never stored: a function of the seed and of the element's index, computed again when needed."""

import torch
import triton
import triton.language as tl


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n, p, scale, seed, BLOCK: tl.constexpr):
    block = tl.program_id(0)
    group = block * (BLOCK // 4) + tl.arange(0, BLOCK // 4)  # four neighbours share one call of the generator
    u0, u1, u2, u3 = tl.rand4x(seed, group)
    u = tl.interleave(tl.interleave(u0, u2), tl.interleave(u1, u3))  # u0[0], u1[0], u2[0], u3[0], u0[1], ...

    i = block.to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    x = tl.load(x_ptr + i, mask=inside).to(tl.float32)
    tl.store(out_ptr + i, tl.where(u >= p, x * scale, 0.0), mask=inside)


def dropout(x, p, seed, block=4096):
    """x with each element dropped with probability p, the others divided by 1 - p, as a new contiguous tensor."""
    generator = torch.Generator(device=x.device)
    generator.manual_seed(seed)
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return torch.where(kept, x / (1 - p), 0.0)


def dropout_backward(grad, p, seed, block=4096):
    """The gradient of dropout's input, given that of its result: what was dropped has none, the rest is scaled."""
    return dropout(grad, p, seed, block)
