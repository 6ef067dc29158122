"""What this computer has that checks may need. Nothing here imports torch.

`inspect` looks at everything, once per process; `glance` leaves out what costs a process of its own, for
commands that only ask what could be checked.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mlsys_path import locations
from mlsys_path.machine import containment, gpus
from mlsys_path.machine.records import Gpu, Machine, Trouble

__all__ = [
    "MODULES",
    "TOOLS",
    "Gpu",
    "Machine",
    "forget",
    "glance",
    "inspect",
    "version_of",
    "versions",
    "with_gpus",
    "with_idle_gpus",
]

TOOLS = (
    "gcc", "g++", "riscv64-unknown-elf-gcc", "qemu-system-riscv64", "mpicc", "mpirun", "nvcc", "bwrap",
    "objdump", "make", "git", "nvidia-smi", "mlir-opt-22", "llvm-config-22",
)  # fmt: skip
MODULES = ("numpy", "torch", "triton", "pyopencl", "pybind11")
PACKAGE_MANAGERS = {"apt-get": "apt", "dnf": "dnf", "pacman": "pacman", "zypper": "zypper", "brew": "brew"}
_SECONDS = 5.0  # for a program to say its version
_FRESH_SECONDS = 2.0  # for which what a GPU was seen to do is taken as what it does
# a run that has just ended shows in the driver's average, and its memory is given back a little later
_SETTLING_SECONDS = (0.5, 1.0, 1.5)
_VERSION = re.compile(r"(?<![\w.])[Vv]?(\d+\.\d+(?:\.\d+)*)")


@functools.cache
def inspect() -> Machine:
    """This machine, with a sandbox tried and GPUs asked: some ten milliseconds, with a GPU some hundred."""
    machine = with_gpus(glance())
    sandbox = containment.probe()
    nvcc = machine.tools.get("nvcc")
    return replace(
        machine,
        nvcc_version=version_of(nvcc) if nvcc else "",
        sandbox=sandbox.kind,
        sandbox_lacks=sandbox.lacks,
        sandbox_command=sandbox.command,
        landlock_abi=sandbox.landlock_abi,
    )


def with_gpus(machine: Machine) -> Machine:
    """The machine with what nvidia-smi says of its GPUs now: whether they work, and what they are doing."""
    program = machine.tools.get("nvidia-smi")
    if program is None:
        return machine
    answer, seen = _answer(program, int(time.monotonic() / _FRESH_SECONDS)), machine.gpus
    found = gpus.visible(answer.gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    trouble: Trouble = answer.trouble
    if answer.gpus and not found:
        trouble = "invisible"
    if not answer.gpus and not seen and not gpus.present():
        # the tool is here, and no GPU: nothing is broken
        trouble = ""
    nvcc = machine.tools.get("nvcc") if found else None
    return replace(
        machine,
        gpus=found,
        gpu_trouble=trouble,
        gpu_words=answer.words,
        nvcc_version=machine.nvcc_version or (_version_once(nvcc) if nvcc else ""),
    )


def with_idle_gpus(machine: Machine) -> Machine:
    """`with_gpus` once nothing runs on them, for a timing; after three seconds as they are then. Blocks."""
    machine = with_gpus(machine)
    for pause in _SETTLING_SECONDS:
        if all((gpu.busy or 0) < gpus.BUSY_PERCENT for gpu in machine.gpus):
            break
        time.sleep(pause)
        _answer.cache_clear()
        machine = with_gpus(machine)
    return machine


@functools.cache
def _version_once(program: str) -> str:
    return version_of(program)


@functools.lru_cache(maxsize=1)
def _answer(program: str, _moment: int) -> gpus.Answer:
    return gpus.ask(program)


@functools.cache
def glance() -> Machine:
    """This machine as files show it: no process is started, so sandbox and GPU details are unknown."""
    system = os.uname()
    release = re.match(r"\d+(\.\d+)?", system.release)
    return Machine(
        python=".".join(map(str, sys.version_info[:3])),
        executable=sys.executable,
        architecture=system.machine,
        kernel=f"{system.sysname} {release[0] if release else system.release}",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=_memory_mb(),
        disk_free_mb=_disk_free_mb(),
        tools=_OnPath(),
        modules=_Importable(),
        gpus=_seen_gpus(),
        torch_cuda=_torch_cuda(),
        triton_ptxas=_triton_ptxas(),
        opencl_platforms=_opencl_platforms(),
        package_manager=next((name for tool, name in PACKAGE_MANAGERS.items() if _which(tool)), ""),
        administrator=os.geteuid() == 0,
        python_headers=Path(sysconfig.get_paths()["include"], "Python.h").is_file(),
    )


def forget() -> None:
    """Make the next look a fresh one: something was installed while the program ran."""
    for cached in (inspect, glance, _answer, _version_once, _which, _find_module):
        cached.cache_clear()


class _OnPath(Mapping[str, str]):
    """Programs and where they are, looked up when asked for; known to iteration are those of `TOOLS`."""

    def __getitem__(self, name: str) -> str:
        path = _which(name)
        if path is None:
            raise KeyError(name)
        return path

    def __iter__(self) -> Iterator[str]:
        return (name for name in TOOLS if _which(name))

    def __len__(self) -> int:
        return sum(1 for _name in self)


@functools.cache
def _which(name: str) -> str | None:
    import shutil

    return shutil.which(name)


class _Importable:
    """The modules that Python would find; looking does not import them."""

    def __contains__(self, name: object) -> bool:
        return _find_module(str(name)) is not None


@functools.cache
def _find_module(name: str) -> Path | None:
    """The folder or file of a top-level module."""
    with contextlib.suppress(ImportError, ValueError):
        # of a dotted name the parents would be imported
        spec = importlib.util.find_spec(name.partition(".")[0])
        if spec and spec.origin:
            return Path(spec.origin)
    return None


def version_of(program: str) -> str:
    """What `program --version` says, such as "12.2.0"; "" when it says nothing of the kind. One process."""
    said = _ask([program, "--version"])
    # a distribution's own name for the package stands in parentheses before the version
    found = _VERSION.search(re.sub(r"\([^)]*\)", "", said)) or _VERSION.search(said)
    return found[1] if found else ""


def _ask(command: list[str]) -> str:
    """What a command prints; "" when it fails or does not answer in time."""
    import subprocess

    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def module_version(name: str) -> str:
    """The installed version of a module's distribution of the same name, "" when there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def versions(machine: Machine) -> dict[str, str]:
    """The versions of the programs and modules that `machine` has: one process each, all at once."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=4) as pool:
        tools = dict(zip(machine.tools, pool.map(version_of, machine.tools.values()), strict=True))
    return {**tools, **{name: module_version(name) for name in MODULES if name in machine.modules}}


def _memory_mb() -> int:
    """What this process may use: the machine's memory, or less where a container limits it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(limit.read_text()))
    return total >> 20


def _disk_free_mb() -> int:
    folder = locations.database_path().parent
    import shutil

    with contextlib.suppress(OSError):
        return shutil.disk_usage(next(f for f in (folder, *folder.parents) if f.exists())).free >> 20
    return 0


def _seen_gpus(root: Path = Path("/")) -> tuple[Gpu, ...]:
    """The GPUs whose device files are here; a container sees the host's /proc, but not its devices."""
    minors = [
        found[1]
        for f in sorted((root / "dev").glob("nvidia*"))
        if (found := re.fullmatch(r"nvidia(\d+)", f.name))
    ]
    names = {}
    for information in (root / "proc/driver/nvidia/gpus").glob("*/information"):
        with contextlib.suppress(OSError):
            pairs = (line.partition(":") for line in information.read_text(errors="replace").splitlines())
            known = {key.strip(): value.strip() for key, _colon, value in pairs}
            names[known.get("Device Minor", "")] = known.get("Model", "")
    if not minors and (root / "dev/dxg").exists() and (root / "usr/lib/wsl/lib/libcuda.so.1").exists():
        return (Gpu("NVIDIA GPU"),)
    return tuple(Gpu(names.get(minor) or "NVIDIA GPU") for minor in minors)


def _torch_cuda() -> str:
    """The CUDA version in torch's own version file, read as text: importing torch takes seconds."""
    if module := _find_module("torch"):
        with contextlib.suppress(OSError):
            text = (module.parent / "version.py").read_text()
            if found := re.search(r"^cuda\b[^=]*=\s*['\"]([^'\"]+)", text, re.MULTILINE):
                return found[1]
    return ""


def _triton_ptxas() -> str:
    if asked := os.environ.get("TRITON_PTXAS_PATH"):
        return asked if os.access(asked, os.X_OK) else ""
    if module := _find_module("triton"):
        bundled = module.parent / "backends" / "nvidia" / "bin" / "ptxas"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    return ""


def _opencl_platforms() -> tuple[str, ...]:
    folders = [
        Path(os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors"),
        Path(sys.prefix, "etc/OpenCL/vendors"),
    ]
    return tuple(dict.fromkeys(icd.stem for folder in folders for icd in sorted(folder.glob("*.icd"))))
