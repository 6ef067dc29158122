"""Calls softmax_into() on prepared memory, and returns what that memory holds afterwards."""

import mmap

import torch
from softmax import softmax_into


def into_slices(x, out, shape, starts, x_strides, out_strides, programs):
    """softmax_into() on slices of two larger buffers; both whole buffers afterwards."""
    slices = [
        torch.as_strided(buffer[start:], shape, strides)
        for buffer, strides, start in zip((x, out), (x_strides, out_strides), starts, strict=True)
    ]
    softmax_into(*slices, programs) if programs else softmax_into(*slices)
    return [x, out]


def far_rows(x, distance):
    """softmax_into() in place on rows that lie `distance` elements apart; the rows afterwards."""
    rows, columns = x.shape
    n = (rows - 1) * distance + columns
    if x.device.type == "cpu":
        # pages that nobody touches take no memory
        memory = torch.frombuffer(mmap.mmap(-1, n * x.element_size()), dtype=x.dtype)
    else:
        memory = torch.empty(n, dtype=x.dtype, device=x.device)
    apart = torch.as_strided(memory, (rows, columns), (distance, 1))
    apart.copy_(x)
    softmax_into(apart, apart)
    return apart.clone(memory_format=torch.contiguous_format)
