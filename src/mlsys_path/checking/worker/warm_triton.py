"""Runs one tiny kernel in a warm parent, so that the first kernel of a job finds the interpreter's work done.

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


if os.environ.get("TRITON_INTERPRET") == "1":
    _source = torch.zeros(8)
    _copy[(1,)](_source, torch.empty_like(_source), 8, BLOCK=8)
