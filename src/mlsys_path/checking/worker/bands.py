"""Guard bands: tensors lie within larger allocations whose edges hold a pattern, which is looked at after each call."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

BAND = 4096  # bytes at least on either side
ALIGNMENT = 256  # of what lies between the bands, as the allocators of GPUs align
KEPT_BYTES = 1 << 30  # of the learner's own tensors that are kept until they were looked at
BYTE = 0xC3


class BandDamaged(Exception):
    """Something wrote outside of a tensor."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__("memory outside of a tensor was written to")
        self.details = details


@dataclass
class Banded:
    """One allocation: a band, a tensor's memory, a band; `argument` is its place in the call, None for a learner's own."""

    raw: Any
    start: int
    size: int
    itemsize: int
    argument: int | str | None


class Bands:
    """The tensors of this process that lie between bands, on one device."""

    def __init__(self, device: str) -> None:
        import torch

        self.device = device
        self._torch = torch
        # the learner's code may be given others under these names
        self._empty, self._equal, self._address = torch.empty, torch.equal, torch.Tensor.data_ptr
        self._pattern: Any = None
        self._sent: list[Banded] = []
        self._made: deque[Banded] = deque()
        self._made_bytes = 0
        self.argument: int | str = 0  # the one that is being received

    def sent(self, tensor: Any) -> Any:
        """A tensor that the check sends, as a copy between bands."""
        banded, copy = self._between(
            tensor.shape, tensor.stride(), tensor.numel(), tensor.dtype, self.argument
        )
        self._sent.append(banded)
        return copy.copy_(tensor)

    def made(self, shape: Any, strides: Any, span: int, dtype: Any) -> Any:
        """Room for a tensor that the learner's code makes, between bands; `span` is its elements in memory."""
        banded, tensor = self._between(shape, strides, span, dtype, None)
        self._made.append(banded)
        self._made_bytes += banded.raw.numel()
        while self._made_bytes > KEPT_BYTES and len(self._made) > 1:
            self._made_bytes -= self._made.popleft().raw.numel()
        return tensor

    def _between(
        self, shape: Any, strides: Any, span: int, dtype: Any, argument: int | str | None
    ) -> tuple[Banded, Any]:
        torch = self._torch
        from_dlpack = torch.utils.dlpack.from_dlpack
        if self._pattern is None:
            self._pattern = torch.full((2 * BAND,), BYTE, dtype=torch.uint8, device=self.device)
        size = span * dtype.itemsize
        tensor = self._empty(0, dtype=dtype, device=self.device)
        raw = self._empty(size + 2 * BAND + 2 * ALIGNMENT, dtype=torch.uint8, device=self.device)
        start = BAND + -(self._address(raw) + BAND) % ALIGNMENT
        raw[:start] = self._pattern[:start]
        raw[start + size :] = self._pattern[: raw.numel() - start - size]
        # the storage begins with the tensor, as offsets into it are counted from there; it keeps `raw` alive
        inner = from_dlpack(raw[start : start + size]) if size else tensor
        tensor.set_(inner.untyped_storage(), 0, shape, strides)
        return Banded(raw, start, size, dtype.itemsize, argument), tensor

    def forget(self) -> None:
        """A new call begins."""
        self._sent.clear()

    def look(self) -> Banded | None:
        """The first allocation with a damaged band, if any; then the present call's are let go."""
        if self.device != "cpu":
            self._torch.cuda.synchronize()
        looked = [*self._sent, *self._made]
        self._sent, self._made, self._made_bytes = [], deque(), 0
        return next((banded for banded in looked if not self._whole(banded)), None)

    def _whole(self, banded: Banded) -> bool:
        raw, start, behind = banded.raw, banded.start, banded.start + banded.size
        return bool(
            self._equal(raw[:start], self._pattern[:start])
            and self._equal(raw[behind:], self._pattern[: raw.numel() - behind])
        )

    def damage(self, banded: Banded) -> dict[str, Any]:
        """Where a damaged band was written to: the side, the element there would be, how many bytes."""
        start, behind, raw = banded.start, banded.start + banded.size, banded.raw
        before = (raw[:start] != self._pattern[:start]).nonzero().flatten()
        after = (raw[behind:] != self._pattern[: raw.numel() - behind]).nonzero().flatten()
        if len(after):
            side, element = "behind", (banded.size + int(after[0])) // banded.itemsize
        else:
            # towards lower addresses, the nearest is the one that was meant
            side, element = "before", -(-(int(before[-1]) - start + 1) // banded.itemsize) - 1
        return {
            "kind": "band damaged",
            "side": side,
            "element": element,
            "elements": banded.size // banded.itemsize,
            "bytes": len(before) + len(after),
        }
