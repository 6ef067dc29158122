"""Calls attention_backward() under a meter or with its programs in another order, and reports what it saw."""

from contextlib import contextmanager

import torch
from attention_backward import attention_backward
from torch.overrides import TorchFunctionMode


@contextmanager
def _patched(**replacements):
    from triton.runtime.interpreter import interpreter_builder

    before = {name: getattr(interpreter_builder, name) for name in replacements}
    for name, make in replacements.items():
        setattr(interpreter_builder, name, make(before[name]))
    try:
        yield interpreter_builder
    finally:
        for name, method in before.items():
            setattr(interpreter_builder, name, method)


def products(*args):
    """The sizes (m, k, n) of each tl.dot of a call."""
    found = []

    def watched(product):
        def create_dot(a, b, *rest):
            found.append([*a.data.shape, b.data.shape[-1]])
            return product(a, b, *rest)

        return create_dot

    with _patched(create_dot=watched):
        attention_backward(*args)
    return found


def again(times, *args):
    """The gradients of several calls with the same inputs."""
    return [list(attention_backward(*args)) for _ in range(times)]


def again_in_any_order(times, *args):
    """The same on the interpreter, each time with the programs of a launch in another order, as on a GPU."""
    grid, order = [1, 1, 1], [0]

    def remember(set_grid_dim):
        def set_dim(*dims):
            grid[:] = dims
            order[:] = torch.randperm(dims[0] * dims[1] * dims[2]).tolist()
            set_grid_dim(*dims)

        return set_dim

    def permute(set_grid_idx):
        def set_idx(x, y, z):
            _, ny, nz = grid
            n = order[(x * ny + y) * nz + z]
            set_grid_idx(n // (ny * nz), n // nz % ny, n % nz)

        return set_idx

    with _patched(set_grid_dim=remember, set_grid_idx=permute):
        return again(times, *args)


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


def largest_allocation(*args):
    """Bytes of the largest tensor that a call makes."""
    with _Sizes() as sizes:
        attention_backward(*args)
    return sizes.largest


def peak(*args):
    """Bytes that a call allocates on the GPU, results included."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    attention_backward(*args)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before
