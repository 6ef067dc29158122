"""A computer as plain values: what it can check is a pure function of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

# why nvidia-smi shows no GPU
Trouble = Literal[
    "", "mismatch", "no driver", "lost", "hidden", "no devices", "invisible", "silent", "failed"
]


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU; what only nvidia-smi knows is 0 or "" after a glance."""

    name: str
    memory_mb: int = 0
    capability: str = ""  # "9.0"
    driver: str = ""
    free_mb: int | None = None
    busy: int | None = None  # per cent of the last moments in which something ran on it
    mode: str = ""  # "Default", "Exclusive_Process", "Prohibited"
    taken: bool = False  # another process computes on it; asked for where it matters
    mig: int | None = None  # instances of it, where it is divided; None where it is not
    uuid: str = ""

    @property
    def architecture(self) -> str:
        """ "sm_90", "" after a glance."""
        return f"sm_{self.capability.replace('.', '')}" if self.capability else ""


@dataclass(frozen=True)
class Machine:
    """A computer as plain values: what it can check is a pure function of this."""

    python: str = ""  # the version
    executable: str = "python3"
    architecture: str = ""
    kernel: str = ""
    cores: int = 1
    memory_mb: int = 0
    disk_free_mb: int = 0
    tools: Mapping[str, str] = field(default_factory=dict)  # name -> path
    modules: Container[str] = frozenset()
    gpus: tuple[Gpu, ...] = ()
    gpu_trouble: Trouble = ""  # why nvidia-smi shows none, where there should be some
    gpu_words: str = ""  # nvidia-smi's own
    torch_cuda: str = ""  # the CUDA that torch was built for, "" for a CPU build or no torch
    triton_ptxas: str = ""  # the path of the ptxas that triton uses
    nvcc_version: str = ""  # "" after a glance
    opencl_platforms: tuple[str, ...] = ()  # names of ICD files
    package_manager: str = ""
    administrator: bool = False  # commands need no sudo
    python_headers: bool = False
    sandbox: str = ""  # a kind of `containment.KINDS`, "" after a glance
    sandbox_lacks: str = ""  # why it is not bubblewrap
    sandbox_command: str = ""
    landlock_abi: int = 0

    def describe(self, on_gpus: int = 0) -> str:
        """The line that is stored with an attempt: "x86_64, 2 cores, 24 GB, no GPU, Linux 6.18".

        Of the first `on_gpus` GPUs, on which checks run, it says more: "NVIDIA H200 (sm_90, driver 580.159.04)".
        """
        used = [gpu.name + _details(gpu) for gpu in self.gpus[:on_gpus]]
        names = Counter(used) + Counter(gpu.name for gpu in self.gpus[on_gpus:])
        gpus = (
            ", ".join(f"{count} × {name}" if count > 1 else name for name, count in names.items()) or "no GPU"
        )
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.architecture}, {cores}, {round(self.memory_mb / 1024)} GB, {gpus}, {self.kernel}"


def _details(gpu: Gpu) -> str:
    parts = [gpu.architecture, f"driver {gpu.driver}" if gpu.driver else ""]
    told = ", ".join(part for part in parts if part)
    return f" ({told})" if told else ""
