"""Level `compiles` of CUDA C++: nvcc to PTX, ptxas to a cubin, and what ptxas says of each kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from mlsys_path.checking.box import Box
from mlsys_path.checking.failures import CheckFailed
from mlsys_path.checking.toolchains import compiler_words
from mlsys_path.language import _


@dataclass(frozen=True)
class Resources:
    """What a kernel takes: registers per thread, spilled bytes per thread, static shared memory in bytes."""

    name: str
    registers: int
    spills: int
    shared: int


@dataclass(frozen=True)
class CompiledKernels:
    """The kernels of a source by name (without their parameters), the cubin that holds them, and what it was made from."""

    kernels: dict[str, Resources]
    cubin: bytes
    ptx: str = ""


_ENTRY = re.compile(r"Compiling entry function '(\S+)' for")
_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


def parse_ptxas(text: str) -> dict[str, Resources]:
    """The kernels in the output of `ptxas -v`, by their names in the PTX."""
    found: dict[str, Resources] = {}
    parts = _ENTRY.split(text)[1:]
    for name, report in zip(parts[::2], parts[1::2], strict=True):
        spills = _SPILLS.search(report)
        used = _USED.search(report)
        shared = _SHARED.search(report)
        found[name] = Resources(
            name,
            int(used[1]) if used else 0,
            int(spills[1]) + int(spills[2]) if spills else 0,
            int(shared[1]) if shared else 0,
        )
    return found


def compile_source(
    invoke: Callable[..., Any], box: Box, source: str, target: str, mine: Collection[str]
) -> CompiledKernels:
    """Compile a CUDA source for a target such as "sm_90".

    In two steps, as nvcc would mix what ptxas reports with what the source makes it print.
    Raises CheckFailed with the compiler's words when it does not compile.
    """
    done = invoke(
        ["nvcc", "-std=c++17", "-O2", f"-arch={target}", "-ptx", "-I.", source, "-o", "kernels.ptx"],
        timeout=120,
    )
    if done.returncode == 0:
        assembled = invoke(
            ["ptxas", "-v", f"-arch={target}", "kernels.ptx", "-o", "kernels.cubin"], timeout=120
        )
        if assembled.returncode == 0:
            report = parse_ptxas(assembled.stderr.decode("utf-8", "replace"))
            plain = _demangle(invoke, list(report))
            kernels = {
                plain[n]: Resources(plain[n], r.registers, r.spills, r.shared) for n, r in report.items()
            }
            ptx = box.read("kernels.ptx").decode("utf-8", "replace")
            return CompiledKernels(kernels, box.read("kernels.cubin"), ptx)
        done = assembled
    raise CheckFailed(
        _("It does not compile:\n{words}").format(words=compiler_words(done.stderr, list(mine)))
    )


def _demangle(invoke: Callable[..., Any], names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    lines = invoke(["c++filt", *names], timeout=10).stdout.decode("utf-8", "replace").splitlines()
    return {name: line.partition("(")[0].rpartition(" ")[2] for name, line in zip(names, lines, strict=True)}
