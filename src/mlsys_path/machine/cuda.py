"""Which drivers and which GPUs a CUDA version knows, and what of a machine's GPUs keeps checks from running on them.

The tables are NVIDIA's: "CUDA Toolkit, Driver, and Architecture Matrix" and the release notes of PyTorch. A newer
toolkit than the last entry is taken to know at least as much.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlsys_path.language import _
from mlsys_path.machine.gpus import BUSY_PERCENT
from mlsys_path.machine.packages import Missing
from mlsys_path.machine.records import Gpu, Machine

Version = tuple[int, ...]

# the oldest driver of a CUDA major version: within one, an older driver runs what a newer toolkit built
DRIVERS: dict[int, int] = {11: 450, 12: 525, 13: 580}
# CUDA from this version on -> the architectures that nvcc compiles for
NVCC: tuple[tuple[Version, Version, Version], ...] = (
    ((11, 8), (3, 5), (9, 0)),
    ((12, 0), (5, 0), (9, 0)),
    ((12, 8), (5, 0), (12, 0)),
    ((12, 9), (5, 0), (12, 1)),
    ((13, 0), (7, 5), (12, 1)),
)
# CUDA that torch was built for -> the architectures that its packages hold code for
TORCH: tuple[tuple[Version, Version, Version], ...] = (
    ((11, 8), (5, 0), (9, 0)),
    ((12, 8), (7, 0), (12, 1)),
    ((13, 0), (7, 5), (12, 1)),
)
TRITON_OLDEST: Version = (7, 0)
USUAL_MEMORY_MB = 1024
REBOOT = "sudo reboot"


def version(text: str) -> Version:
    """(12, 8) of "12.8"; () where there is none."""
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _row(table: Sequence[tuple[Version, Version, Version]], toolkit: str) -> tuple[Version, Version] | None:
    known = [(oldest, newest) for since, oldest, newest in table if since <= version(toolkit)[:2]]
    return known[-1] if known else None


def trouble(machine: Machine) -> Missing | None:
    """Why nvidia-smi shows no GPU, in words; None where there is simply none."""
    words = machine.gpu_words
    match machine.gpu_trouble:
        case "mismatch":
            text = _(
                "NVIDIA's driver in one version (its kernel module and its library differ, as after an update)"
            )
            return Missing(text, then=REBOOT)
        case "no driver":
            return Missing(_("NVIDIA's driver (there is a GPU, and no driver that runs)"))
        case "lost":
            return Missing(_("a GPU that answers (nvidia-smi: {words})").format(words=words), then=REBOOT)
        case "hidden":
            return Missing(
                _(
                    "the right to use the GPU (nvidia-smi: {words}; a container has to be given it again)"
                ).format(words=words)
            )
        case "no devices":
            return Missing(_("a GPU that this process may see (nvidia-smi finds none)"))
        case "invisible":
            return Missing(_("a GPU in CUDA_VISIBLE_DEVICES (it names none that there is)"))
        case "silent":
            return Missing(_("a driver that answers (nvidia-smi did not)"), then=REBOOT)
        case "failed":
            return Missing(_("a working NVIDIA driver (nvidia-smi: {words})").format(words=words))
    return None


def unsupported(what: str, machine: Machine) -> Missing | None:
    """Why `what` ("torch", "triton" or "nvcc") cannot use this machine's first GPU: its driver, or its architecture."""
    if not machine.gpus:
        return None
    gpu = machine.gpus[0]
    toolkit = machine.nvcc_version if what == "nvcc" else machine.torch_cuda
    wanted = DRIVERS.get(version(toolkit)[0] if toolkit else 0)
    if what != "triton" and wanted and gpu.driver and version(gpu.driver)[0] < wanted:
        return Missing(
            _(
                "an NVIDIA driver {wanted} or newer, for the CUDA {cuda} of {what} (this one is {found})"
            ).format(wanted=wanted, cuda=toolkit, what=what, found=gpu.driver)
        )
    if what == "triton":
        known: tuple[Version, Version] | None = (TRITON_OLDEST, (99, 9))
    else:
        known = _row(NVCC if what == "nvcc" else TORCH, toolkit)
    if known is None or not gpu.capability:
        return None
    oldest, newest = known
    if oldest <= version(gpu.capability) <= newest:
        return None
    if version(gpu.capability) < oldest:
        text = _("a GPU of {arch} or newer for {what} ({name} is {found})")
        arch = _sm(oldest)
    else:
        text = _("a newer {what}: this one knows GPUs up to {arch} ({name} is {found})")
        arch = _sm(newest)
    return Missing(text.format(arch=arch, what=_named(what, toolkit), name=gpu.name, found=gpu.architecture))


def _named(what: str, toolkit: str) -> str:
    return f"{what} {toolkit}" if what == "nvcc" else what if what == "triton" else f"{what} (CUDA {toolkit})"


def _sm(capability: Version) -> str:
    return "sm_" + "".join(map(str, capability))


def occupied(machine: Machine, count: int, memory_mb: int, *, timed: bool) -> Missing | None:
    """Why the first `count` GPUs are not free for checks: their mode, their memory, or what else runs on them."""
    for gpu in machine.gpus[:count]:
        why = _occupied(gpu, memory_mb, timed=timed)
        if why:
            free = [
                i
                for i, other in enumerate(machine.gpus)
                if count == 1 and not _occupied(other, memory_mb, timed=timed)
            ]
            return Missing(why, then=f"export CUDA_VISIBLE_DEVICES={free[0]}" if free else "")
    return None


def _occupied(gpu: Gpu, memory_mb: int, *, timed: bool) -> str:
    if gpu.mode == "Prohibited":
        return _("a GPU that may compute ({name} is in mode Prohibited)").format(name=gpu.name)
    if gpu.mode.startswith("Exclusive") and gpu.taken:
        return _("a GPU that is free ({name} is in mode {mode}, and another process has it)").format(
            name=gpu.name, mode=gpu.mode
        )
    if gpu.mig is not None:
        # what is free is said of the whole GPU, and not of its parts
        if gpu.mig == 0:
            return _("a MIG instance of {name} (it is in MIG mode, and has none)").format(name=gpu.name)
        return ""
    if gpu.free_mb is not None and gpu.free_mb < memory_mb:
        return _("{wanted} MB of free GPU memory ({name} has {free} MB left by other processes)").format(
            wanted=memory_mb, name=gpu.name, free=gpu.free_mb
        )
    if timed and (gpu.busy or 0) >= BUSY_PERCENT and _is_shared(gpu):
        return _("a GPU that is idle, as others' work would be timed too ({name} is {busy} % busy)").format(
            name=gpu.name, busy=gpu.busy
        )
    return ""


def _is_shared(gpu: Gpu) -> bool:
    """Whether another process is on a GPU: what it was busy with may have been our own last run, which is over.

    From within a container no process is seen; what it holds of the memory is.
    """
    if gpu.taken:
        return True
    return gpu.free_mb is not None and gpu.memory_mb - gpu.free_mb > 1024 + gpu.memory_mb // 50
