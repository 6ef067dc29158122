"""softmax of each row of a matrix as one Triton kernel: a row is read once, kept in registers, written once."""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, out_ptr, rows, columns, x_row, x_column, out_row, out_column, BLOCK: tl.constexpr):
    column = tl.arange(0, BLOCK)  # [BLOCK], a power of two: at least the width of a row
    # 1. which of these columns exist?
    # 2. for each row of this program: tl.program_id(0), and then every tl.num_programs(0)-th one
    # 3.     load the row once: what do the columns that do not exist have to hold, so that they change nothing?
    # 4.     subtract the largest element, exponentiate, divide by the sum: all in float32
    # 5.     store the row


def softmax_into(x, out, programs=None):
    """Write softmax(x, dim=1) into `out`, two matrices of any strides, with that many programs (None: your choice)."""
    if not (x.shape == out.shape and x.dtype == out.dtype and x.ndim == 2):
        raise ValueError("x and out must be matrices of the same shape and dtype")
    raise NotImplementedError("write softmax_kernel, then launch it here with BLOCK=triton.next_power_of_2(columns)")


def softmax(x):
    """softmax(x, dim=1) as a new matrix."""
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    softmax_into(x, out)
    return out
