"""Level `compiles` of Triton: recorded kernels through the real compiler, outside the learner's process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlsys_path.checking.bench import Bench
from mlsys_path.checking.cuda_kernels import Resources, parse_ptxas
from mlsys_path.checking.failures import CheckFailed, LearnerError
from mlsys_path.checking.languages import TRITON_COMPILER
from mlsys_path.checking.remote import Link
from mlsys_path.language import _


@dataclass(frozen=True)
class CompiledKernel:
    """A Triton kernel in every stage of its compilation; sizes in bytes, registers per thread."""

    name: str
    ttir: str
    ttgir: str
    llir: str
    ptx: str
    cubin: bytes
    registers: int
    spills: int
    shared: int


def compile_recorded(bench: Bench, recorded: Any, target: str) -> list[CompiledKernel]:
    """Compile what the learner's process recorded; raises CheckFailed when it launched nothing."""
    if not isinstance(recorded, list) or not recorded:
        raise CheckFailed(_("no Triton kernel was launched"))
    link = Link(bench.box_of(TRITON_COMPILER, with_files=False), {}, None, bench.calls, data_limit=False)
    try:
        return [_compile(link, kernel, target) for kernel in recorded]
    finally:
        link.close()


def _compile(link: Link, kernel: Any, target: str) -> CompiledKernel:
    if not isinstance(kernel, dict) or not isinstance(kernel.get("ttir"), str):
        raise CheckFailed(_("the recorded kernel is no TTIR"))
    handle = link.apply("import", ("compiling",))
    function = link.apply("getattr", (handle, "compile_ttir"))
    try:
        done = link.apply("call", (function, kernel["ttir"], target, dict(kernel.get("options", {}))))
    except LearnerError as error:
        raise CheckFailed(
            _("Triton could not compile the kernel for {target}: {error}").format(target=target, error=error)
        ) from None
    resources = parse_ptxas(done["ptxas"])
    name = str(done["name"])
    mine = resources.get(name) or next(iter(resources.values()), Resources(name, 0, 0, 0))
    return CompiledKernel(
        name=name,
        ttir=done["ttir"],
        ttgir=done["ttgir"],
        llir=done["llir"],
        ptx=done["ptx"],
        cubin=done["cubin"],
        registers=mine.registers,
        spills=mine.spills,
        shared=int(done["shared"]),
    )
