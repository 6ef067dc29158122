"""Scans along the rows of a matrix, a block at a time: running sums, and a linear recurrence in both directions."""

import torch
import triton
import triton.language as tl

BLOCK = 2048  # elements of a row at a time


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, x_row, x_column, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)  # one program a row
    lane = tl.arange(0, BLOCK)
    # 1. a carry of zero: in which type?
    # 2. for each block of the row: load it, scan it with tl.cumsum, add the carry, store it
    # 3. what must the carry be for the next block?


@triton.jit
def then(a, x, b, y):
    """First h → a·h + x, and then h → b·h + y, as one step h → A·h + X: returns (A, X)."""
    # what is A, and what is X? The order matters


@triton.jit
def recurrence_kernel(
    a_ptr, x_ptr, start_ptr, out_ptr, a_row, x_row, columns, REVERSE: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    # 1. the state h begins with start[row]
    # 2. for each block, in reverse the last one first: load a and x; which step changes nothing, for the lanes beyond?
    # 3. tl.associative_scan((a, x), 0, then, reverse=REVERSE) makes one step of all steps up to each lane
    # 4. apply these to h, store the states; the next h is that of the lane which comes last


def cumsum(x):
    """out[r, i] = x[r, 0] + … + x[r, i], with x's dtype; x has any strides."""
    rows, columns = x.shape
    out = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    raise NotImplementedError("write cumsum_kernel, then launch it here with one program a row")


def recurrence(a, x, start, reverse=False):
    """out[r, i] = a[r, i] · out[r, i - 1] + x[r, i], where start[r] stands before the first.

    In reverse it goes from the end: out[r, i] = a[r, i] · out[r, i + 1] + x[r, i], and start[r] stands behind the last.
    """
    rows, columns = x.shape
    out = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    raise NotImplementedError("write then and recurrence_kernel, then launch the kernel here with one program a row")
