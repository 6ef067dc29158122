"""The seven steps, in order."""

from __future__ import annotations

from mlsys_path.triton_build.steps import bindings, importing, libtriton, llvm, preflight, running, source
from mlsys_path.triton_build.steps.step import Step

STEPS: tuple[Step, ...] = (
    preflight.STEP,
    source.STEP,
    llvm.STEP,
    bindings.STEP,
    libtriton.STEP,
    importing.STEP,
    running.STEP,
)
NAMES: tuple[str, ...] = tuple(step.name for step in STEPS)
