"""Calls the kernels on prepared memory, and reports what they left there and which program touched what."""

import mmap
from contextlib import contextmanager

import kernels
import numpy as np
import torch

ADDRESS = (1 << 47) - 1  # the bits of a pointer that are an address


def scaled_slice(buffer, s, shape, strides, start):
    """scale_rows() of a part of a larger buffer, and the whole buffer afterwards."""
    return [kernels.scale_rows(torch.as_strided(buffer, shape, strides, start), s), buffer]


def take_far(rows, ids, distance):
    """take_rows() from a table whose rows lie `distance` elements apart."""
    n = (len(rows) - 1) * distance + rows.shape[1]
    if rows.device.type == "cpu":
        # pages that nobody touches take no memory
        memory = torch.frombuffer(mmap.mmap(-1, n * rows.element_size()), dtype=rows.dtype)
    else:
        memory = torch.empty(n, dtype=rows.dtype, device=rows.device)
    table = torch.as_strided(memory, rows.shape, (distance, 1)).copy_(rows)
    return kernels.take_rows(table, ids)


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


def _is_mask(operand):
    return getattr(getattr(operand, "data", None), "dtype", None) == np.bool_


@contextmanager
def _recorded():
    """Notes each access of the kernels: what it is, its program along dimensions 0 and 1, and the addresses."""
    from triton.runtime.interpreter import interpreter_builder

    found = []

    def watching(what, where):
        def make(method):
            def access(*args):
                at = args[where].data
                mask = next((one for one in args[where + 1 :] if _is_mask(one)), None)
                if mask is not None:
                    at = at[np.broadcast_to(np.asarray(mask.data), at.shape)]
                program = [int(i) for i in interpreter_builder.grid_idx[:2]]
                found.append((what, program, (at.astype(np.int64) & ADDRESS).ravel()))
                return method(*args)

            return access

        return make

    with _patched(
        create_masked_load=watching("load", 0),
        create_masked_store=watching("store", 0),
        create_atomic_rmw=watching("atomic", 1),
        create_atomic_cas=watching("atomic", 0),
    ):
        yield found


def accesses_to_the_sums(x):
    """column_sums(x), and each access to the memory of its result: what, program, elements."""
    with _recorded() as found:
        sums = kernels.column_sums(x)
    inside = []
    for what, program, at in found:
        elements = (at - sums.data_ptr()) // sums.element_size()
        elements = elements[(elements >= 0) & (elements < sums.numel())]
        if elements.size:
            inside.append([what, program, elements.tolist()])
    return [sums, inside]


def reads_of(name, x, *others):
    """How many elements the kernels of a function load from x itself."""
    with _recorded() as found:
        getattr(kernels, name)(x, *others)
    first, size = x.data_ptr(), x.element_size()
    end = first + size * sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
    return sum(int(((at >= first) & (at <= end)).sum()) for what, _, at in found if what == "load")
