"""Calls add() and add_into() on prepared memory, and returns what that memory holds afterwards."""

import ctypes
import mmap

import torch
from vector_add import add, add_into


def into_slices(x, y, out, n, starts, strides):
    """add_into() on slices of three larger buffers; the three whole buffers afterwards."""
    buffers = [x, y, out]
    slices = [
        torch.as_strided(b, (n,), (stride,), start)
        for b, start, stride in zip(buffers, starts, strides, strict=True)
    ]
    add_into(*slices)
    return buffers


def keeps_its_inputs(x, y, fill):
    """add(x, y), and what x and y hold after the result was overwritten with `fill`."""
    total = add(x, y)
    answer = total.clone()
    total.fill_(fill)
    return [answer, x, y]


def _before_a_wall(values):
    """A copy of a vector whose last byte is the last one before a page that must not be touched."""
    size = values.numel() * values.element_size()
    room = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, room + mmap.PAGESIZE)
    wall = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + room
    if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(wall), mmap.PAGESIZE, 0):  # 0: PROT_NONE
        raise OSError(ctypes.get_errno(), "mprotect")
    vector = torch.frombuffer(memory, dtype=values.dtype, count=values.numel(), offset=room - size)
    return vector.copy_(values)


def before_walls(x, y):
    """add_into() on vectors that end where readable memory ends; the sum."""
    out = _before_a_wall(torch.zeros_like(x))
    add_into(_before_a_wall(x), _before_a_wall(y), out)
    return out.clone()
