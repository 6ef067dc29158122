"""LayerNorm of each row as Triton kernels: forward, and a backward that adds up over all rows in a fixed order."""

import torch
import triton
import triton.language as tl


@triton.jit
def forward_kernel(
    x_ptr, weight_ptr, bias_ptr, y_ptr, mean_ptr, rstd_ptr, x_row, columns, eps, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)  # row * x_row may pass 2**31
    column = tl.arange(0, BLOCK)  # [BLOCK], a power of two: at least the width of a row
    inside = column < columns
    x = tl.load(x_ptr + row * x_row + column, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(x, 0) / columns
    centred = tl.where(inside, x - mean, 0.0)  # the lanes beyond the row hold 0 - mean otherwise
    rstd = tl.rsqrt(tl.sum(centred * centred, 0) / columns + eps)
    weight = tl.load(weight_ptr + column, mask=inside)
    bias = tl.load(bias_ptr + column, mask=inside)
    tl.store(y_ptr + row * columns + column, centred * rstd * weight + bias, mask=inside)
    tl.store(mean_ptr + row, mean)
    tl.store(rstd_ptr + row, rstd)


@triton.jit
def backward_kernel(
    dy_ptr, x_ptr, weight_ptr, mean_ptr, rstd_ptr, dx_ptr, dweight_parts_ptr, dbias_parts_ptr,
    dy_row, x_row, rows, columns, BLOCK: tl.constexpr,
):  # fmt: skip
    column = tl.arange(0, BLOCK)
    inside = column < columns
    weight = tl.load(weight_ptr + column, mask=inside, other=0.0).to(tl.float32)
    dweight = tl.zeros([BLOCK], dx_ptr.dtype.element_ty)  # of this program's rows
    dbias = tl.zeros([BLOCK], dx_ptr.dtype.element_ty)
    for row in tl.range(tl.program_id(0), rows, tl.num_programs(0)):
        row = tl.cast(row, tl.int64)
        x = tl.load(x_ptr + row * x_row + column, mask=inside, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + row * dy_row + column, mask=inside, other=0.0).to(tl.float32)
        rstd = tl.load(rstd_ptr + row)
        normal = (x - tl.load(mean_ptr + row)) * rstd  # what the forward pass scaled and shifted
        scaled = dy * weight  # the gradient of `normal`; 0 beyond the row, as dy is
        along_ones = tl.sum(scaled, 0) / columns
        along_normal = tl.sum(scaled * normal, 0) / columns
        dx = (scaled - along_ones - along_normal * normal) * rstd
        tl.store(dx_ptr + row * columns + column, dx, mask=inside)
        dweight += (dy * normal).to(dweight.dtype)
        dbias += dy.to(dbias.dtype)
    part = tl.program_id(0) * columns + column
    tl.store(dweight_parts_ptr + part, dweight, mask=inside)
    tl.store(dbias_parts_ptr + part, dbias, mask=inside)


@triton.jit
def sum_kernel(
    dweight_parts_ptr, dbias_parts_ptr, dweight_ptr, dbias_ptr, parts, columns,
    PARTS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < columns
    dweight = tl.zeros([PARTS, COLUMNS], tl.float32)
    dbias = tl.zeros([PARTS, COLUMNS], tl.float32)
    for first in tl.range(0, parts, PARTS):
        part = first + tl.arange(0, PARTS)[:, None]  # [PARTS, 1]
        at, mask = part * columns + column[None, :], (part < parts) & inside[None, :]
        dweight += tl.load(dweight_parts_ptr + at, mask=mask, other=0.0)
        dbias += tl.load(dbias_parts_ptr + at, mask=mask, other=0.0)
    tl.store(dweight_ptr + column, tl.sum(dweight, 0), mask=inside)
    tl.store(dbias_ptr + column, tl.sum(dbias, 0), mask=inside)


def _warps(elements, per_warp, most):
    return max(4, min(most, elements // per_warp))


def layer_norm(x, weight, bias, eps=1e-5):
    """y = (x - mean) * rstd * weight + bias for each row of x, with the rows' means and 1 / deviations in float32."""
    rows, columns = x.shape
    y = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    mean, rstd = torch.empty((2, rows), dtype=torch.float32, device=x.device)
    if rows:
        block = triton.next_power_of_2(columns)
        forward_kernel[(rows,)](
            x, weight, bias, y, mean, rstd, x.stride(0), columns, eps,
            BLOCK=block, num_warps=_warps(block, 2048, 16),
        )  # fmt: skip
    return y, mean, rstd


def layer_norm_backward(dy, x, weight, mean, rstd, programs=None):
    """(dx, dweight, dbias) from dy; `programs` programs share the rows (None: your choice)."""
    rows, columns = x.shape
    block = triton.next_power_of_2(columns)
    if programs is None:
        # enough to keep 132 SMs busy, few enough that little is left to add up
        programs = max(128, min(512, (1 << 20) // block))
    programs = max(1, min(programs, rows))
    dx = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    dweight, dbias = torch.empty_like(weight), torch.empty_like(weight)
    dweight_parts, dbias_parts = torch.empty((2, programs, columns), dtype=torch.float32, device=x.device)
    backward_kernel[(programs,)](
        dy, x, weight, mean, rstd, dx, dweight_parts, dbias_parts, dy.stride(0), x.stride(0), rows, columns,
        BLOCK=block, num_warps=_warps(block, 512, 16),
    )  # fmt: skip
    sum_kernel[(triton.cdiv(columns, 32),)](
        dweight_parts, dbias_parts, dweight, dbias, programs, columns, PARTS=64, COLUMNS=32
    )
    return dx, dweight, dbias


def forward_backward(x, weight, bias, dy, eps=1e-5):
    """(y, dx, dweight, dbias): one step of training, as it is timed."""
    y, mean, rstd = layer_norm(x, weight, bias, eps)
    return y, *layer_norm_backward(dy, x, weight, mean, rstd)
