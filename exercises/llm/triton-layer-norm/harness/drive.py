"""Runs the kernels on prepared memory, in an order of its own or under a meter, and reports what it saw."""

import mmap
from contextlib import contextmanager

import numpy as np
import torch
from layer_norm import layer_norm, layer_norm_backward

ADDRESS = (1 << 47) - 1  # the bits of a pointer that are an address


def on_slices(x, dy, weight, bias, mean, rstd, shape, x_at, dy_at):
    """Forward and backward on rows that lie within two larger buffers; the results, and both whole buffers afterwards."""
    x_rows, dy_rows = (
        torch.as_strided(buffer, shape, (step, 1), start)
        for buffer, (start, step) in ((x, x_at), (dy, dy_at))
    )
    y = layer_norm(x_rows, weight, bias)[0]
    return [y, *layer_norm_backward(dy_rows, x_rows, weight, mean, rstd), x, dy]


def far_rows(x, dy, weight, bias, mean, rstd, distance):
    """Forward and backward on rows of x and dy that lie `distance` elements apart."""
    return [
        layer_norm(_apart(x, distance), weight, bias)[0],
        *layer_norm_backward(_apart(dy, distance), _apart(x, distance), weight, mean, rstd),
    ]


def _apart(rows, distance):
    n = (len(rows) - 1) * distance + rows.shape[1]
    if rows.device.type == "cpu":
        # pages that nobody touches take no memory
        memory = torch.frombuffer(mmap.mmap(-1, n * rows.element_size()), dtype=rows.dtype)
    else:
        memory = torch.empty(n, dtype=rows.dtype, device=rows.device)
    return torch.as_strided(memory, rows.shape, (distance, 1)).copy_(rows)


def again(times, dy, x, weight, mean, rstd, programs):
    """The backward pass, several times on the same inputs."""
    return [layer_norm_backward(dy, x, weight, mean, rstd, programs) for _ in range(times)]


def again_in_any_order(times, dy, x, weight, mean, rstd, programs):
    """The same on the interpreter, each time with the programs of a launch in another order, as on a GPU."""
    with _shuffled():
        return again(times, dy, x, weight, mean, rstd, programs)


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


@contextmanager
def _shuffled():
    grid, order = [1, 1, 1], [0]

    def remember(set_dim):
        def set_grid_dim(*dims):
            grid[:] = dims
            order[:] = torch.randperm(dims[0] * dims[1] * dims[2]).tolist()
            set_dim(*dims)

        return set_grid_dim

    def permute(set_idx):
        def set_grid_idx(x, y, z):
            _, ny, nz = grid
            n = order[(x * ny + y) * nz + z]
            set_idx(n // (ny * nz), n // nz % ny, n % nz)

        return set_grid_idx

    with _patched(set_grid_dim=remember, set_grid_idx=permute):
        yield


def moved(what, tensors, **options):
    """How many elements of each tensor one "forward" or "backward" loads, and how many it stores in all."""
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
        (layer_norm if what == "forward" else layer_norm_backward)(**tensors, **options)
    return {**loads, "stored": stores[0]}
