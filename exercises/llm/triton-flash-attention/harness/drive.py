"""Calls attention() on prepared memory or under a meter, and reports what it saw."""

import mmap
from contextlib import contextmanager

import torch
from attention import attention
from torch.overrides import TorchFunctionMode


def output(q, k, v):
    """The causal output alone, as it is timed."""
    return attention(q, k, v, True)[0]


def far_rows(q, k, v, distance):
    """attention() where the keys and values of one head lie `distance` elements apart, row from row."""
    heads, rows, columns = k.shape[1:]
    n = (rows - 1) * distance + 2 * heads * columns
    if k.device.type == "cpu":
        # pages that nobody touches take no memory
        memory = torch.frombuffer(mmap.mmap(-1, n * k.element_size()), dtype=k.dtype)
    else:
        memory = torch.empty(n, dtype=k.dtype, device=k.device)
    strides = (0, columns, distance, 1)
    apart = [memory[i * heads * columns :].as_strided(k.shape, strides) for i in range(2)]
    apart[0].copy_(k)
    apart[1].copy_(v)
    return attention(q, *apart, False)


@contextmanager
def _dots(found):
    """Write down which program multiplies blocks of which shapes with tl.dot."""
    from triton.runtime.interpreter import interpreter_builder

    product = interpreter_builder.create_dot

    def create_dot(a, b, *rest):
        found.append([*(int(i) for i in interpreter_builder.grid_idx), *a.data.shape, b.data.shape[-1]])
        return product(a, b, *rest)

    interpreter_builder.create_dot = create_dot
    try:
        yield
    finally:
        interpreter_builder.create_dot = product


def products(q, k, v, causal):
    """For each tl.dot of a call: the program's number (x, y, z) and the product's sizes (m, k, n)."""
    found = []
    with _dots(found):
        attention(q, k, v, causal)
    return found


class _Sizes(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.largest = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for one in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(one, torch.Tensor):
                self.largest = max(self.largest, one.untyped_storage().nbytes())
        return result


def largest_allocation(q, k, v, causal):
    """Bytes of the largest tensor that a call makes, whatever operation of torch makes it."""
    with _Sizes() as sizes:
        attention(q, k, v, causal)
    return sizes.largest


def peak(q, k, v, causal):
    """Bytes that a call allocates on the GPU, results included."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    attention(q, k, v, causal)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before
