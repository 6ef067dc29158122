"""Machines that are not this one, and exercises to check on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlsys_path.language import Text
from mlsys_path.levels import Level
from mlsys_path.machine.inspect import Gpu, Machine
from mlsys_path.roadmap.model import Check, Exercise, Needs

BARE = Machine(
    python="3.11.7",
    executable="/home/lin/.venv/bin/python",
    architecture="x86_64",
    kernel="Linux 6.18",
    cores=8,
    memory_mb=16_000,
    modules=frozenset({"numpy", "pip"}),
    package_manager="apt",
    python_headers=True,
    sandbox="landlock",
    sandbox_lacks="bubblewrap is not installed",
    landlock_abi=4,
)
TOOLS = (
    "gcc",
    "g++",
    "riscv64-unknown-elf-gcc",
    "qemu-system-riscv64",
    "mpicc",
    "mpirun",
    "nvcc",
    "bwrap",
    "objdump",
)


@pytest.fixture
def bare() -> Machine:
    """A laptop with Python alone."""
    return BARE


@pytest.fixture
def full() -> Machine:
    """A machine that has everything there is."""
    return replace(
        BARE,
        tools={name: f"/usr/bin/{name}" for name in TOOLS},
        modules=frozenset({"numpy", "pip", "torch", "triton", "pyopencl"}),
        gpus=(Gpu("NVIDIA H200", 143_771, "9.0", "580.1"),),
        torch_cuda="13.0",
        triton_ptxas="/venv/triton/ptxas",
        nvcc_version="13.0",
        opencl_platforms=("pocl",),
        sandbox="bubblewrap",
        sandbox_lacks="",
    )


@pytest.fixture
def make_exercise() -> Callable[..., Exercise]:
    def make(
        language: str = "python", *levels: Level, needs: Needs | None = None, **changes: Any
    ) -> Exercise:
        text = Text("Title", "标题")
        checks = {f"test_{level}": Check(text, level) for level in levels or (Level.CORRECT,)}
        values: dict[str, Any] = {
            "id": f"an-{language}-exercise",
            "files": ("a.py",),
            "difficulty": 1,
            "minutes": 30,
        }
        values |= {"title": text, "summary": text, "hints": (text,), "needs": needs or Needs()}
        return Exercise(language=language, checks=checks, **(values | changes))  # type: ignore[arg-type]

    return make
