"""Runs tiny kernels in a warm parent, so that the first kernel of a job finds the interpreter's work done.

Imported like any module of the preload list; without the interpreter there is nothing to run.
"""

from __future__ import annotations

import os

import torch
import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator]
def _copy(source, target, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(target + offsets, tl.load(source + offsets, mask=mask), mask=mask)


def _is_caught(size: int, n: int) -> bool:
    import guarding

    source, target = torch.zeros(64), torch.zeros(64)
    try:
        _copy[(1,)](source[:size], target[:size], n, BLOCK=8)
    except guarding.StrayAccess:
        return True
    return False


def _warm() -> None:
    import watching

    watch = watching.start("correct")
    _copy[(1,)](torch.zeros(8), torch.empty(8), 5, BLOCK=8)
    if watch.guard is not None:
        # another version may call the same functions otherwise: that the guard works is seen only by trying
        caught, left = _is_caught(6, 8), _is_caught(8, 8)
        watch.guard.stray = None
        if not caught or left:
            watch.guard = watch.settle_guard = None
            watch.notice = watching.unguarded("a stray access was not seen")


if os.environ.get("TRITON_INTERPRET") == "1":
    _warm()
