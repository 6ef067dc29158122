"""Level `compiles` of Triton: recorded kernels through the real compiler, outside the learner's process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlsys_path.checking.bench import Bench
from mlsys_path.checking.cubin import read_cubin
from mlsys_path.checking.cuda_kernels import Resources, parse_ptxas
from mlsys_path.checking.events import Compiled
from mlsys_path.checking.failures import CheckFailed, LearnerError, Open
from mlsys_path.checking.languages import TRITON_COMPILER
from mlsys_path.checking.remote import Link
from mlsys_path.language import _

STAGES = ("ttir", "ttgir", "llir", "ptx")
MAX_KERNELS = 64
MAX_IR = 512 << 10  # characters of a stage that are kept for people to read


@dataclass(frozen=True)
class CompiledKernel:
    """A Triton kernel in every stage of its compilation; sizes in bytes, registers and spills of one thread."""

    name: str
    ttir: str
    ttgir: str
    llir: str
    ptx: str
    cubin: bytes
    registers: int
    spills: int
    shared: int
    target: str = ""  # "sm_90"
    warps: int = 4
    stages: int = 1
    launches: int = 1  # how often the function launched it, in this form


def compile_recorded(
    bench: Bench, recorded: Any, target: str, *, function: str, kernel: str | None = None
) -> list[CompiledKernel]:
    """Compile what the learner's process recorded; with `kernel` only those of this name.

    Raises CheckFailed when none of the learner's own was launched, or none of that name, and Open when the installed
    Triton does not know the target.
    """
    own = _own(recorded, function)
    link = Link(bench.box_of(TRITON_COMPILER, with_files=False), {}, None, bench.calls, data_limit=False)
    try:
        compiler = _Compiler(bench, link, target)
        done = [compiler.compile(each) for each in own]
    finally:
        link.close()
    found = [each for each in done if kernel is None or each.name == kernel]
    if not found:
        raise CheckFailed(
            _("`{function}` launches no kernel called `{kernel}`").format(function=function, kernel=kernel),
            got=", ".join(dict.fromkeys(each.name for each in done)),
            expected=kernel or "",
        )
    for each in found:
        bench.emit(_event(each))
    return found


def _event(kernel: CompiledKernel) -> Compiled:
    ir = tuple((stage, _cut(getattr(kernel, stage))) for stage in STAGES)
    return Compiled(
        kernel.name, kernel.target, kernel.warps, kernel.stages, kernel.registers, kernel.spills, kernel.shared,
        kernel.launches, ir,
    )  # fmt: skip


def _cut(text: str) -> str:
    if len(text) <= MAX_IR:
        return text
    return text[:MAX_IR] + "\n… " + _("{n} more characters").format(n=len(text) - MAX_IR) + "\n"


def _own(recorded: Any, function: str) -> Sequence[dict[str, Any]]:
    """The recorded kernels that are the learner's own, once each."""
    if not isinstance(recorded, list) or not recorded:
        raise CheckFailed(
            _(
                "`{function}` launches no Triton kernel: the work is to be done by a kernel of yours, not by torch"
            ).format(function=function)
        )
    if not all(isinstance(each, dict) and isinstance(each.get("ttir"), str) for each in recorded):
        raise CheckFailed(_("the recorded kernel is no TTIR"))
    own = [each for each in recorded if each.get("own") is True][:MAX_KERNELS]
    if not own:
        raise CheckFailed(
            _("`{function}` launches kernels of a library and none of yours").format(function=function)
        )
    return own


class _Compiler:
    """Triton's compiler in its own sandbox, for one target."""

    def __init__(self, bench: Bench, link: Link, target: str) -> None:
        self._bench = bench
        self._link = link
        self._target = target
        self._module = link.apply("import", ("compiling",))
        self._demand_target()

    def _call(self, name: str, *args: Any) -> Any:
        function = self._link.apply("getattr", (self._module, name))
        return self._link.apply("call", (function, *args))

    def _demand_target(self) -> None:
        known = self._bench.builds
        key = ("triton target", self._target)
        if key not in known:
            known[key] = self._call("knows", self._target)
        if known[key]:
            raise Open(
                _("the installed Triton does not compile for {target}: {why}").format(
                    target=architecture(self._target), why=known[key]
                )
            )

    def compile(self, recorded: dict[str, Any]) -> CompiledKernel:
        """One recorded kernel in every stage; the same one is compiled once in a run."""
        options = {str(k): v for k, v in dict(recorded.get("options", {})).items()}
        key = ("triton", self._target, recorded["ttir"], *sorted(options.items()))
        builds = self._bench.builds
        if key not in builds:
            try:
                builds[key] = self._call("compile_ttir", recorded["ttir"], self._target, options)
            except LearnerError as error:
                raise CheckFailed(
                    _("Triton could not compile the kernel for {target}: {error}").format(
                        target=architecture(self._target), error=error
                    )
                ) from None
        launches = recorded.get("launches")
        return _kernel(builds[key], self._target, launches if isinstance(launches, int) else 1)


def _kernel(done: dict[str, Any], target: str, launches: int) -> CompiledKernel:
    name, cubin = str(done["name"]), done["cubin"]
    told = parse_ptxas(done["ptxas"])
    said = told.get(name) or next(iter(told.values()), None)
    written = read_cubin(cubin).get(name)
    if written is not None:
        # what ptxas spilt lies in the stack of a thread, in which Triton puts nothing else
        spills = said.spills if said else written.stack
        said = Resources(name, written.registers, spills, written.shared)
    elif said is None:
        said = Resources(name, 0, 0, 0)
    return CompiledKernel(
        name=name,
        **{stage: done[stage] for stage in STAGES},
        cubin=cubin,
        registers=said.registers,
        spills=said.spills,
        shared=int(done["shared"]),
        target=architecture(target),
        warps=int(done["warps"]),
        stages=int(done["stages"]),
        launches=launches,
    )


def architecture(target: str) -> str:
    """ "sm_90" for "cuda:90"."""
    return f"sm_{target.partition(':')[2]}"
