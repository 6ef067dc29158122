"""Memory that nobody has written is seen: `torch.empty` and its kin hold a pattern that no computation leaves behind.

For floating point it is a signalling NaN, which arithmetic turns into a quiet one; for integers and booleans every
byte is 0xA5. `checking.poison` looks for these patterns in what comes back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

# by the number of bytes and whether it is floating point; 8-bit floating point types have patterns of their own
INTEGERS = {1: 0xA5, 2: 0xA5A5, 4: 0xA5A5A5A5, 8: 0xA5A5A5A5A5A5A5A5}
FLOATS = {
    "float16": 0x7DA5,
    "bfloat16": 0x7FA5,
    "float32": 0x7FA5A5A5,
    "float64": 0x7FF5A5A5A5A5A5A5,
    "float8_e5m2": 0x7D,
    "float8_e4m3fn": 0x7F,
    "float8_e4m3fnuz": 0x80,
    "float8_e5m2fnuz": 0x80,
}
_ELEMENT = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}


class Poison:
    """Fills fresh tensors; those on the device of `bands` are placed between bands as well."""

    def __init__(self, bands: Any) -> None:
        import torch

        self._torch = torch
        self._bands = bands
        self._as_strided = torch.as_strided
        self._words: dict[Any, tuple[Any, int] | None] = {}

    def _word(self, dtype: Any) -> tuple[Any, int] | None:
        """The integer type and value that fill a type; None for one that has no pattern."""
        if dtype not in self._words:
            name, size = str(dtype).removeprefix("torch."), dtype.itemsize
            value = FLOATS.get(name) if dtype.is_floating_point else INTEGERS.get(size)
            if value is None or size not in _ELEMENT:
                self._words[dtype] = None
            else:
                signed = value - (1 << (8 * size)) if size > 1 and value >> (8 * size - 1) else value
                self._words[dtype] = (getattr(self._torch, _ELEMENT[size]), signed)
        return self._words[dtype]

    def fill(self, tensor: Any) -> Any:
        """The tensor, or one like it between bands, with the pattern in every byte of its span."""
        torch = self._torch
        if (
            type(tensor) is not torch.Tensor
            or tensor.layout is not torch.strided
            or tensor.device.type == "meta"
            or tensor.is_quantized
        ):
            return tensor
        if tensor.is_complex():
            self.fill(torch.view_as_real(tensor.detach()))
            return tensor
        word = self._word(tensor.dtype)
        if word is None:
            return tensor
        span = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
        span = span if tensor.numel() else 0
        if self._bands is not None and tensor.device.type == self._bands.device and not tensor.requires_grad:
            tensor = self._bands.made(tensor.shape, tensor.stride(), span, tensor.dtype)
        if span:
            kind, value = word
            whole = tensor.detach().view(kind)
            self._as_strided(whole, (span,), (1,), whole.storage_offset()).fill_(value)
        return tensor


def install(bands: Any = None) -> None:
    """Poison what the learner's code makes with `torch.empty`, `empty_like`, `empty_strided` and `new_empty`."""
    import torch

    poison = Poison(bands)

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def poisoned(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            if kwargs.get("out") is not None or kwargs.get("pin_memory") or torch.compiler.is_compiling():
                return made
            return poison.fill(made)

        return poisoned

    for holder, names in (
        (torch, ("empty", "empty_like", "empty_strided", "empty_permuted")),
        (torch.Tensor, ("new_empty", "new_empty_strided")),
    ):
        for name in names:
            if original := getattr(holder, name, None):
                setattr(holder, name, wrap(original))
