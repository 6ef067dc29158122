"""Five kernels that each had one bug: a mask, a stride, a race, an overflow, a loss of precision."""

import torch
import triton
import triton.language as tl


@triton.jit
def row_max_kernel(x_ptr, out_ptr, columns, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    best = tl.full((BLOCK,), -float("inf"), tl.float32)
    for first in range(0, columns, BLOCK):
        column = first + tl.arange(0, BLOCK)
        # a lane beyond the row takes part in the maximum: give it the one number that cannot win
        x = tl.load(x_ptr + row * stride + column, mask=column < columns, other=-float("inf"))
        best = tl.maximum(best, x)
    tl.store(out_ptr + row, tl.max(best, 0))


def row_max(x):
    """The largest element of each row; x is float32 [rows, columns], columns ≥ 1, rows stored one after another."""
    rows, columns = x.shape
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    row_max_kernel[(rows,)](x, out, columns, x.stride(0), BLOCK=256)
    return out


@triton.jit
def scale_rows_kernel(
    x_ptr, s_ptr, out_ptr, rows, columns, stride_m, stride_n, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(1).to(tl.int64) * BLOCK_N + tl.arange(0, BLOCK_N)
    inside = (m < rows)[:, None] & (n < columns)[None, :]
    at = m[:, None] * stride_m + n[None, :] * stride_n  # [BLOCK_M, BLOCK_N]
    s = tl.load(s_ptr + m, mask=m < rows)
    x = tl.load(x_ptr + at, mask=inside)
    # the result has strides of its own
    tl.store(out_ptr + m[:, None] * columns + n[None, :], x * s[:, None], mask=inside)


def scale_rows(x, s):
    """x[m, n] * s[m] as a new contiguous matrix; x is [rows, columns] with any strides, s a contiguous vector."""
    rows, columns = x.shape
    out = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    grid = (triton.cdiv(rows, 32), triton.cdiv(columns, 64))
    scale_rows_kernel[grid](x, s, out, rows, columns, x.stride(0), x.stride(1), BLOCK_M=32, BLOCK_N=64)
    return out


@triton.jit
def column_sums_kernel(x_ptr, out_ptr, rows, columns, stride, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(1).to(tl.int64) * BLOCK_N + tl.arange(0, BLOCK_N)
    inside = (m < rows)[:, None] & (n < columns)[None, :]
    x = tl.load(x_ptr + m[:, None] * stride + n[None, :], mask=inside, other=0.0)
    part = tl.sum(x, 0)  # [BLOCK_N]: what these rows add to the sums
    tl.store(out_ptr + n, part, mask=n < columns)  # no other program's sum is touched


def column_sums(x):
    """The sum of each column; x is float32 [rows, columns], rows stored one after another."""
    rows, columns = x.shape
    out = torch.zeros(columns, dtype=x.dtype, device=x.device)
    grid = (triton.cdiv(rows, 32), triton.cdiv(columns, 64))
    column_sums_kernel[grid](x, out, rows, columns, x.stride(0), BLOCK_M=32, BLOCK_N=64)
    return out


@triton.jit
def take_rows_kernel(table_ptr, ids_ptr, out_ptr, columns, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < columns
    source = tl.load(ids_ptr + row).to(tl.int64)  # before it is multiplied
    values = tl.load(table_ptr + source * stride + column, mask=inside)
    tl.store(out_ptr + row * columns + column, values, mask=inside)


def take_rows(table, ids):
    """table[ids] for a vector of int32 ids; a row of the table begins table.stride(0) elements after the one before."""
    columns = table.shape[1]
    out = torch.empty((len(ids), columns), dtype=table.dtype, device=table.device)
    grid = (len(ids), triton.cdiv(columns, 256))
    take_rows_kernel[grid](table, ids, out, columns, table.stride(0), BLOCK=256)
    return out


@triton.jit
def row_means_kernel(x_ptr, out_ptr, columns, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    total = tl.zeros((BLOCK,), tl.float32)  # whatever x is
    for first in range(0, columns, BLOCK):
        column = first + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * stride + column, mask=column < columns, other=0.0)
        total += x
    tl.store(out_ptr + row, tl.sum(total, 0) / columns)


def row_means(x):
    """The mean of each row as float32; x is [rows, columns] of float32, float16 or bfloat16, columns ≥ 1."""
    rows, columns = x.shape
    out = torch.empty(rows, dtype=torch.float32, device=x.device)
    row_means_kernel[(rows,)](x, out, columns, x.stride(0), BLOCK=256)
    return out
