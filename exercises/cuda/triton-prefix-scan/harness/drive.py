"""Scans rows of prepared memory, or under a meter that counts what the kernels load and store."""

from contextlib import contextmanager

import numpy as np
import torch
from scan import cumsum, recurrence

ADDRESS = (1 << 47) - 1  # the bits of a pointer that are an address


def cumsum_of_slice(buffer, shape, strides, start):
    """cumsum() of a part of a larger buffer; the result, and the whole buffer afterwards."""
    return [cumsum(torch.as_strided(buffer, shape, strides, start)), buffer]


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


def moved(what, tensors):
    """How many elements of each tensor a "cumsum" or "recurrence" loads, and how many elements it stores."""
    loads, stores = dict.fromkeys(tensors, 0), [0]

    def addresses(pointers, mask):
        on = np.broadcast_to(np.asarray(mask.data, dtype=bool), pointers.data.shape)
        return pointers.data[on].astype(np.int64) & ADDRESS

    def count_load(load):
        def create_masked_load(pointers, mask, *rest):
            at = addresses(pointers, mask)
            for name, tensor in tensors.items():
                first = tensor.data_ptr()
                loads[name] += int(((at >= first) & (at < first + tensor.nbytes)).sum())
            return load(pointers, mask, *rest)

        return create_masked_load

    def count_store(store):
        def create_masked_store(pointers, value, mask, *rest):
            stores[0] += addresses(pointers, mask).size
            return store(pointers, value, mask, *rest)

        return create_masked_store

    with _patched(create_masked_load=count_load, create_masked_store=count_store):
        (cumsum if what == "cumsum" else recurrence)(**tensors)
    return {**loads, "stored": stores[0]}
