"""What checks of a language need of a machine at each level, and what is missing of it: pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mlsys_path.language import _, labelled, listed
from mlsys_path.levels import Level
from mlsys_path.machine import cuda, packages
from mlsys_path.machine.packages import Missing, commands
from mlsys_path.machine.records import Machine
from mlsys_path.roadmap.model import AdapterName, Exercise

OLDEST_NVCC = (11, 8)  # the first that knows sm_90


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that checks cannot do without."""

    kind: Literal[
        "tool",
        "module",
        "gpu",
        "opencl platform",
        "cuda torch",
        "ptxas",
        "python headers",
        "gpu for",
        "free gpu",
        "idle gpu",
    ]
    name: str = ""
    count: int = 1
    memory_mb: int = 0


def _tools(*names: str) -> tuple[Need, ...]:
    return tuple(Need("tool", name) for name in names)


ON_GPU = frozenset({Level.GPU, Level.FAST})
_GPU = Need("gpu")
# the GPU that is here must be one that the software knows, and its driver new enough
_FOR_NVCC = Need("gpu for", "nvcc")
_FOR_TORCH = Need("gpu for", "torch")
_FOR_TRITON = (_FOR_TORCH, Need("gpu for", "triton"))
_TORCH = Need("module", "torch")
_TRITON = (_TORCH, Need("module", "triton"))
# modules that are headers for C++, which include Python's
_WITH_MODULE = {"pybind11": (Need("python headers"),)}
# nvcc and mpicc call the host's compiler
_NVCC = _tools("nvcc", "g++")
_MPI = _tools("mpicc", "mpirun", "gcc")

# what a language needs for its checks on a CPU, and what more at the levels that differ
_NEEDS: dict[AdapterName, dict[Level, tuple[Need, ...]]] = {
    "python": {Level.CORRECT: ()},
    "c": {Level.CORRECT: _tools("gcc")},
    "cpp": {Level.CORRECT: _tools("g++")},
    "riscv": {Level.CORRECT: _tools("riscv64-unknown-elf-gcc", "qemu-system-riscv64")},
    "mpi": {Level.CORRECT: _MPI},
    "opencl": {Level.CORRECT: (Need("module", "pyopencl"), Need("opencl platform"))},
    "distributed": {Level.CORRECT: (_TORCH,), Level.GPU: (_TORCH, Need("cuda torch"), _GPU, _FOR_TORCH)},
    "cuda": {
        Level.CORRECT: _tools("g++"),  # kernels run on the CPU, in our emulation
        Level.COMPILES: _NVCC,
        Level.GPU: (*_NVCC, _GPU, _FOR_NVCC),
        # the device's own rates are measured with torch
        Level.FAST: (*_NVCC, _TORCH, Need("cuda torch"), _GPU, _FOR_NVCC, _FOR_TORCH),
    },
    "triton": {
        Level.CORRECT: _TRITON,
        Level.COMPILES: (*_TRITON, Need("ptxas")),
        # its launcher is built by the C compiler when a kernel first runs
        Level.GPU: (*_TRITON, Need("cuda torch"), *_tools("gcc"), Need("python headers"), _GPU, *_FOR_TRITON),
        Level.FAST: (
            *_TRITON,
            Need("cuda torch"),
            *_tools("gcc"),
            Need("python headers"),
            _GPU,
            *_FOR_TRITON,
        ),
    },
}


def needs_of_language(language: AdapterName, level: Level) -> tuple[Need, ...]:
    """What checks of a language need at a level; one that the table leaves out needs what `correct` does."""
    table = _NEEDS[language]
    if level in table:
        return table[level]
    return (*table[Level.CORRECT], *((_GPU,) if level is Level.GPU else ()))


def needs(exercise: Exercise, level: Level) -> tuple[Need, ...]:
    """What the checks of one exercise need at a level: the language's needs and the exercise's own.

    `needs.gpus` counts at the levels that run on a GPU: the others are there to be checked without.
    """
    own = [
        *(n for name in exercise.needs.python for n in (Need("module", name), *_WITH_MODULE.get(name, ()))),
        *(Need("tool", name) for name in exercise.needs.tools),
    ]
    found = dict.fromkeys([*needs_of_language(exercise.language, level), *own])
    if level in ON_GPU:
        if exercise.needs.gpus:
            found.pop(_GPU, None)
            found[Need("gpu", count=exercise.needs.gpus)] = None
        if any(need.kind == "gpu" for need in found):
            memory = exercise.needs.gpu_memory_mb or cuda.USUAL_MEMORY_MB
            kind: Literal["free gpu", "idle gpu"] = "idle gpu" if level is Level.FAST else "free gpu"
            found[Need(kind, count=max(1, exercise.needs.gpus), memory_mb=memory)] = None
    return tuple(found)


def missing(exercise: Exercise, level: Level, machine: Machine) -> tuple[Missing, ...]:
    """What this machine lacks to check an exercise at a level, each with the command that would add it."""
    return lacking(needs(exercise, level), machine)


def lacking(wanted: Iterable[Need], machine: Machine) -> tuple[Missing, ...]:
    """Those of the needs that a machine does not meet."""
    return tuple(lack for need in wanted if (lack := _lack(need, machine)))


def open_because(exercise: Exercise, level: Level, machine: Machine) -> str:
    """One line that says what a level lacks here and the command that adds it; "" when it can be checked."""
    return in_words(missing(exercise, level, machine))


def checkable(exercise: Exercise, machine: Machine) -> bool:
    """Whether this machine can check an exercise at any of the levels of its checks."""
    return any(
        not missing(exercise, level, machine) for level in {check.level for check in exercise.checks.values()}
    )


def in_words(lacks: Iterable[Missing]) -> str:
    """ "needs a, b: command", one line; "" for nothing."""
    lacks = tuple(lacks)
    if not lacks:
        return ""
    sentence = _("needs {things}").format(things=listed(lack.what for lack in lacks))
    todo = " && ".join(commands(lacks))
    return labelled(sentence, todo) if todo else sentence


def _lack(need: Need, machine: Machine) -> Missing | None:
    match need.kind:
        case "tool":
            return _lack_tool(need.name, machine)
        case "module":
            return None if need.name in machine.modules else packages.module(need.name, machine)
        case "gpu":
            return _lack_gpu(need.count, machine)
        case "opencl platform":
            if machine.opencl_platforms:
                return None
            return packages.system("opencl platform", machine, _("an OpenCL driver such as PoCL"))
        case "cuda torch":
            if machine.torch_cuda or "torch" not in machine.modules or not machine.gpus:
                return None  # without any torch, or any GPU, that is what is missing
            return Missing(
                _("torch built for CUDA"), f"{packages.pip(machine)} --force-reinstall", ("torch",)
            )
        case "ptxas":
            if machine.triton_ptxas or "triton" not in machine.modules:
                return None
            return Missing(
                _("the ptxas of triton"), f"{packages.pip(machine)} --force-reinstall", ("triton",)
            )
        case "python headers":
            if machine.python_headers:
                return None
            return packages.system("python headers", machine, _("Python's C headers"))
        case "gpu for":
            # a torch for the CPU knows no GPU at all, which is said of it
            return cuda.unsupported(need.name, machine)
        case "free gpu" | "idle gpu":
            return cuda.occupied(machine, need.count, need.memory_mb, timed=need.kind == "idle gpu")


def _lack_tool(name: str, machine: Machine) -> Missing | None:
    if name not in machine.tools:
        return packages.system(name, machine)
    if name == "nvcc" and machine.nvcc_version and _version(machine.nvcc_version) < OLDEST_NVCC:
        return Missing(
            _("nvcc {wanted} or newer (this one is {found})").format(
                wanted=".".join(map(str, OLDEST_NVCC)), found=machine.nvcc_version
            )
        )
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _lack_gpu(count: int, machine: Machine) -> Missing | None:
    if len(machine.gpus) >= count:
        return None
    if not machine.gpus and (trouble := cuda.trouble(machine)) is not None:
        return trouble
    if count == 1:
        return Missing(_("an NVIDIA GPU with its driver (this machine has none)"))
    return Missing(
        _("{wanted} NVIDIA GPUs (this machine has {found})").format(wanted=count, found=len(machine.gpus))
    )
