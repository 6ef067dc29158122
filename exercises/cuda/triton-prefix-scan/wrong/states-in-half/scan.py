"""Scans along the rows of a matrix, a block at a time: running sums, and a linear recurrence in both directions."""

import torch
import triton
import triton.language as tl

BLOCK = 4096  # elements of a row at a time
STEPS = 2048  # of a recurrence at a time, each with two numbers


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, x_row, x_column, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    # half precision adds up in float32, integers in their own type
    kind: tl.constexpr = tl.float32 if out_ptr.dtype.element_ty.is_floating() else out_ptr.dtype.element_ty
    carry = tl.zeros([], kind)  # the sum of all blocks so far
    for first in tl.range(0, columns, BLOCK):
        column = (first + lane).to(tl.int64)
        inside = column < columns
        x = tl.load(x_ptr + row * x_row + column * x_column, mask=inside, other=0).to(kind)
        tl.store(out_ptr + row * columns + column, carry + tl.cumsum(x, 0), mask=inside)
        carry += tl.sum(x, 0)


@triton.jit
def then(a, x, b, y):
    """First h → a·h + x, and then h → b·h + y, as one step: h → (a·b)·h + (b·x + y)."""
    return a * b, b * x + y


@triton.jit
def recurrence_kernel(
    a_ptr, x_ptr, start_ptr, out_ptr, a_row, x_row, columns, REVERSE: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    last = 0 if REVERSE else BLOCK - 1  # the lane that is done last
    h = tl.load(start_ptr + row).to(out_ptr.dtype.element_ty)
    blocks = tl.cdiv(columns, BLOCK)
    for i in tl.range(0, blocks):
        column = (blocks - 1 - i if REVERSE else i) * BLOCK + lane
        inside = column < columns
        # beyond the row stands the step that changes nothing: in reverse it comes first
        a = tl.load(a_ptr + row * a_row + column, mask=inside, other=1.0)
        x = tl.load(x_ptr + row * x_row + column, mask=inside, other=0.0)
        a_all, x_all = tl.associative_scan((a, x), 0, then, reverse=REVERSE)
        states = a_all * h + x_all  # all steps up to each lane, as one
        tl.store(out_ptr + row * columns + column, states, mask=inside)
        h = tl.sum(tl.where(lane == last, states, 0.0), 0).to(out_ptr.dtype.element_ty)


def cumsum(x):
    """out[r, i] = x[r, 0] + … + x[r, i], with x's dtype; x has any strides."""
    rows, columns = x.shape
    out = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    if out.numel():
        block = min(BLOCK, triton.next_power_of_2(columns))
        cumsum_kernel[(rows,)](x, out, *x.stride(), columns, BLOCK=block)
    return out


def recurrence(a, x, start, reverse=False):
    """out[r, i] = a[r, i] · out[r, i - 1] + x[r, i], where start[r] stands before the first.

    In reverse it goes from the end: out[r, i] = a[r, i] · out[r, i + 1] + x[r, i], and start[r] stands behind the last.
    """
    rows, columns = x.shape
    out = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    if out.numel():
        block = min(STEPS, triton.next_power_of_2(columns))
        recurrence_kernel[(rows,)](
            a, x, start, out, a.stride(0), x.stride(0), columns, REVERSE=reverse, BLOCK=block, num_warps=2
        )
    return out
