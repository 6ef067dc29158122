"""Calls linear() and says what it saw: what became of the arguments, and what torch was asked to do meanwhile."""

import torch
from linear import linear
from torch.utils._python_dispatch import TorchDispatchMode


class _Operations(TorchDispatchMode):
    """Notes the names of torch's operations."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        # the interpreter copies whole storages, as bytes, at every launch
        if function is not torch.ops.aten.copy_.default or args[0].dtype is not torch.uint8:
            self.names.append(function.name())
        return function(*args, **(kwargs or {}))


def with_operations(x, w, bias, residual, activation):
    """The result of linear(), and the names of all that torch did for it."""
    with _Operations() as seen:
        out = linear(x, w, bias, residual, activation)
    return [out, seen.names]


def with_arguments(x, w, bias, residual, fill):
    """The result of linear(), and the arguments after it was overwritten with `fill`."""
    out = linear(x, w, bias, residual)
    answer = out.clone()
    out.fill_(fill)
    return [answer, x, w, bias, residual]
