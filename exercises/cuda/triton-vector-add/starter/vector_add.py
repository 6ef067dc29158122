"""out[i] = x[i] + y[i] as a Triton kernel: one program per block of BLOCK elements."""

import torch
import triton
import triton.language as tl

BLOCK = 1024  # elements of one program, a power of two


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, x_stride, y_stride, out_stride, BLOCK: tl.constexpr):
    pid = tl.program_id(0)  # which program am I?
    # 1. i: the BLOCK indices that program `pid` is responsible for (tl.arange)
    # 2. which of them exist, that is, lie below n?
    # 3. load x and y at these indices, store their sum; touch nothing that does not exist


def add_into(x, y, out):
    """Write x + y into `out`: three vectors of one length, dtype and device, each with its own stride."""
    if not (x.shape == y.shape == out.shape and x.dtype == y.dtype == out.dtype and x.ndim == 1):
        raise ValueError("x, y and out must be vectors of the same length and dtype")
    raise NotImplementedError("write add_kernel, then launch it here with enough programs for n elements")


def add(x, y):
    """x + y as a new vector of the same length, dtype and device."""
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    add_into(x, y, out)
    return out
