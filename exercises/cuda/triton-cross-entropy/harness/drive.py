"""Calls cross_entropy_() and reports what became of the logits, of memory, and what the kernels have moved."""

import mmap
from contextlib import contextmanager

import numpy as np
import torch
from cross_entropy import cross_entropy_
from torch.utils._python_dispatch import TorchDispatchMode

ADDRESS = (1 << 47) - 1  # the bits of a pointer that are an address


def step(logits, targets, **options):
    """The loss, and what the logits hold afterwards."""
    return [cross_entropy_(logits, targets, **options), logits]


def on_a_slice(buffer, targets, shape, start, row_stride, **options):
    """The same on a part of a larger buffer; the loss and the whole buffer."""
    return [
        cross_entropy_(torch.as_strided(buffer, shape, (row_stride, 1), start), targets, **options),
        buffer,
    ]


def far_rows(logits, targets, distance):
    """The same on rows that lie `distance` elements apart."""
    n = (len(logits) - 1) * distance + logits.shape[1]
    if logits.device.type == "cpu":
        # pages that nobody touches take no memory
        memory = torch.frombuffer(mmap.mmap(-1, n * logits.element_size()), dtype=logits.dtype)
    else:
        memory = torch.empty(n, dtype=logits.dtype, device=logits.device)
    apart = torch.as_strided(memory, logits.shape, (distance, 1)).copy_(logits)
    return [cross_entropy_(apart, targets), apart.clone(memory_format=torch.contiguous_format)]


class _Allocations(TorchDispatchMode):
    """Adds up the bytes of all memory that torch's operations have made."""

    def __init__(self, known):
        super().__init__()
        self.seen = {one.untyped_storage().data_ptr() for one in known}
        self.made = []  # kept alive, so that no address comes twice
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for one in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(one, torch.Tensor):
                storage = one.untyped_storage()
                if storage.data_ptr() not in self.seen:
                    self.seen.add(storage.data_ptr())
                    self.made.append(storage)
                    self.bytes += storage.nbytes()
        return result


def allocated(logits, targets):
    """The bytes that cross_entropy_() asks for."""
    with _Allocations((logits, targets)) as allocations:
        cross_entropy_(logits, targets)
    return allocations.bytes


@contextmanager
def _patched(**replacements):
    from triton.runtime.interpreter import interpreter_builder

    before = {name: getattr(interpreter_builder, name) for name in replacements}
    for name, make in replacements.items():
        setattr(interpreter_builder, name, make(before[name]))
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(interpreter_builder, name, method)


def moved(logits, targets):
    """How many elements of each row of the logits the kernels load and store."""
    first, row_bytes = logits.data_ptr(), logits.stride(0) * logits.element_size()
    loads, stores = np.zeros(len(logits), np.int64), np.zeros(len(logits), np.int64)

    def count(pointers, mask, into):
        on = np.broadcast_to(np.asarray(mask.data, dtype=bool), pointers.data.shape)
        rows = ((pointers.data[on].astype(np.int64) & ADDRESS) - first) // row_bytes
        rows = rows[(rows >= 0) & (rows < len(into))]
        np.add.at(into, rows, 1)

    def count_load(load):
        def create_masked_load(pointers, mask, *rest):
            count(pointers, mask, loads)
            return load(pointers, mask, *rest)

        return create_masked_load

    def count_store(store):
        def create_masked_store(pointers, value, mask, *rest):
            count(pointers, mask, stores)
            return store(pointers, value, mask, *rest)

        return create_masked_store

    with _patched(create_masked_load=count_load, create_masked_store=count_store):
        cross_entropy_(logits, targets)
    return [loads.tolist(), stores.tolist()]
