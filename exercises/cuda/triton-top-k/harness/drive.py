"""Runs topk() on rows of prepared memory, or under a meter that counts what the kernels load and store."""

from contextlib import contextmanager

import numpy as np
import torch
from topk import topk

ADDRESS = (1 << 47) - 1  # the bits of a pointer that are an address


def of_slice(buffer, shape, row_stride, start, k):
    """topk() of a part of a larger buffer; the result, and the whole buffer afterwards."""
    return [*topk(torch.as_strided(buffer, shape, (row_stride, 1), start), k), buffer]


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


def moved(x, k):
    """How many elements of x the kernels load, and how many elements they store."""
    loads, stores = [0], [0]
    begin, end = x.data_ptr(), x.data_ptr() + x.nbytes

    def addresses(pointers, mask):
        on = np.broadcast_to(np.asarray(mask.data, dtype=bool), pointers.data.shape)
        return pointers.data[on].astype(np.int64) & ADDRESS

    def count_load(load):
        def create_masked_load(pointers, mask, *rest):
            at = addresses(pointers, mask)
            loads[0] += int(((at >= begin) & (at < end)).sum())
            return load(pointers, mask, *rest)

        return create_masked_load

    def count_store(store):
        def create_masked_store(pointers, value, mask, *rest):
            stores[0] += addresses(pointers, mask).size
            return store(pointers, value, mask, *rest)

        return create_masked_store

    with _patched(create_masked_load=count_load, create_masked_store=count_store):
        topk(x, k)
    return [loads[0], stores[0]]
