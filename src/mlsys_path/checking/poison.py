"""Finds the pattern of memory that nobody wrote in what a learner's code returns.

The worker fills it in (`worker.poisoning`), at the levels `correct` and `gpu` of Triton; elsewhere nothing is looked for.
"""

from __future__ import annotations

from typing import Any

from mlsys_path.checking.worker.poisoning import FLOATS, INTEGERS

_expected = False


def expect(expected: bool) -> None:
    """Whether the worker that answers now poisons what its code allocates."""
    global _expected  # noqa: PLW0603
    _expected = expected


def unwritten(got: Any, expected: Any) -> Any:
    """A boolean numpy array of the elements of torch tensor `got` that hold the pattern where `expected` does not.

    None when there are none, or where nothing is poisoned.
    """
    if not _expected or type(got).__module__.partition(".")[0] != "torch" or not got.numel():
        return None
    mine, word = _bits(got)
    if mine is None or not bool((mine == word).any()):
        return None
    import numpy as np

    theirs, _word = _bits(expected)
    found = (mine == word) & (theirs != word)
    if got.is_complex():
        found = found.any(-1)
    if not found.any():
        return None
    if got.dtype.itemsize == 1:
        # one byte may hold it by chance: not so half of all that is wrong
        differing = np.asarray(mine != theirs).sum()
        return found if 2 * found.sum() >= differing else None
    return found


def _bits(tensor: Any) -> tuple[Any, int]:
    """The elements as unsigned integers, and the pattern of their type; None for a type without one."""
    import torch

    tensor = tensor.detach().cpu()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    name, size = str(tensor.dtype).removeprefix("torch."), tensor.dtype.itemsize
    word = FLOATS.get(name) if tensor.dtype.is_floating_point else INTEGERS.get(size)
    if word is None:
        return None, 0
    signed = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[size]
    return tensor.contiguous().view(signed).numpy().view(f"uint{8 * size}"), word
