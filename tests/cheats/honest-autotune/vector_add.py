"""out[i] = x[i] + y[i] as a Triton kernel: one program per block of BLOCK elements."""

import torch
import triton
import triton.language as tl

BLOCK = 1024


@triton.autotune(
    configs=[triton.Config({"BLOCK": 1024}), triton.Config({"BLOCK": 2048}, num_warps=8)], key=["n"]
)
@triton.heuristics({"NARROW": lambda args: args["n"] < 1 << 30})
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, x_stride, y_stride, out_stride, BLOCK: tl.constexpr, NARROW: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)  # [BLOCK]: the elements of this program
    inside = i < n  # [BLOCK]: False in the tail of the last program
    x = tl.load(x_ptr + i * x_stride, mask=inside)
    y = tl.load(y_ptr + i * y_stride, mask=inside)
    tl.store(out_ptr + i * out_stride, x + y, mask=inside)


def add_into(x, y, out):
    """Write x + y into `out`: three vectors of one length, dtype and device, each with its own stride."""
    if not (x.shape == y.shape == out.shape and x.dtype == y.dtype == out.dtype and x.ndim == 1):
        raise ValueError("x, y and out must be vectors of the same length and dtype")
    n = x.numel()
    grid = lambda meta: (triton.cdiv(n, meta["BLOCK"]),)  # rounded up: the last program may have a tail
    add_kernel[grid](x, y, out, n, x.stride(0), y.stride(0), out.stride(0))


def add(x, y):
    """x + y as a new vector of the same length, dtype and device."""
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    add_into(x, y, out)
    return out
