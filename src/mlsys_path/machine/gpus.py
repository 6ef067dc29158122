"""What nvidia-smi says of the GPUs, and why there may be none that works: its answers as plain values."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlsys_path.machine.records import Gpu, Trouble

FIELDS = (
    "name", "memory.total", "compute_cap", "driver_version",
    "memory.free", "utilization.gpu", "compute_mode", "mig.mode.current", "uuid",
)  # fmt: skip
OLD_FIELDS = FIELDS[:4]  # those that every nvidia-smi knows that knows any of our GPUs
SECONDS = 8.0  # without its daemon a driver wakes each GPU first
_NOT_STARTED = 127
BUSY_PERCENT = 10  # from which a time says more of the others than of the code
# words of nvidia-smi -> what they mean
_TROUBLES: tuple[tuple[str, Trouble], ...] = (
    (r"driver/library version mismatch", "mismatch"),
    (r"couldn't communicate with the NVIDIA driver|driver (?:is )?not loaded", "no driver"),
    (r"is lost|fallen off the bus|unable to determine the device handle", "lost"),
    (r"insufficient permissions|permission denied|failed to initialize NVML: unknown error", "hidden"),
    (r"no devices were found", "no devices"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a program answered; `code` is None when it did not in time."""

    code: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The GPUs, or why there are none."""

    gpus: tuple[Gpu, ...] = ()
    trouble: Trouble = ""
    words: str = ""  # nvidia-smi's own, one line


def ask(program: str) -> Answer:
    """Ask nvidia-smi, which takes some ten milliseconds to seconds."""
    said = _run([program, f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"])
    if "is not a valid field to query" in said.text:
        said = _run([program, f"--query-gpu={','.join(OLD_FIELDS)}", "--format=csv,noheader,nounits"])
    answer = read(said)
    if any(gpu.mig is not None for gpu in answer.gpus):
        listed = _run([program, "-L"])
        answer = replace(answer, gpus=with_instances(answer.gpus, listed.text))
    if any(gpu.mode.startswith("Exclusive") or (gpu.busy or 0) >= BUSY_PERCENT for gpu in answer.gpus):
        apps = _run([program, "--query-compute-apps=gpu_uuid,pid", "--format=csv,noheader"])
        answer = replace(answer, gpus=with_processes(answer.gpus, apps.text))
    return answer


def _run(command: list[str]) -> Said:
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Said(None)
    except OSError as error:
        return Said(_NOT_STARTED, str(error))
    return Said(done.returncode, (done.stdout + done.stderr).decode(errors="replace"))


def read(said: Said) -> Answer:
    """The meaning of nvidia-smi's answer to a query of `FIELDS` or `OLD_FIELDS`."""
    if said.code is None:
        return Answer(trouble="silent")
    if said.code == _NOT_STARTED:
        return Answer((), "failed", said.text[:200])
    gpus = parse_gpus(said.text)
    for pattern, trouble in _TROUBLES:
        if found := re.search(rf"^.*(?:{pattern}).*$", said.text, re.IGNORECASE | re.MULTILINE):
            # beside GPUs that work, one that is lost is no reason
            return Answer(gpus) if gpus else Answer((), trouble, found[0].strip()[:200])
    if said.code != 0 and not gpus:
        return Answer(
            (), "failed", next((line.strip()[:200] for line in said.text.splitlines() if line.strip()), "")
        )
    return Answer(gpus)


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs of nvidia-smi's lines, of all fields or of the oldest; other lines are left out."""
    found = []
    for line in text.splitlines():
        for fields in (FIELDS, OLD_FIELDS):
            # a name may hold a comma, what follows it does not
            parts = [part.strip() for part in line.rsplit(",", len(fields) - 1)]
            if len(parts) == len(fields) and re.fullmatch(r"\d+\.\d+", parts[2]):
                found.append(_gpu(dict(zip(fields, parts, strict=True))))
                break
    return tuple(found)


def _gpu(values: Mapping[str, str]) -> Gpu:
    def number(name: str) -> int | None:
        value = values.get(name, "")
        return int(value) if value.isdecimal() else None

    return Gpu(
        name=values["name"],
        memory_mb=number("memory.total") or 0,
        capability=values["compute_cap"],
        driver=values["driver_version"],
        free_mb=number("memory.free"),
        busy=number("utilization.gpu"),
        mode=values.get("compute_mode", ""),
        mig=0 if values.get("mig.mode.current") == "Enabled" else None,
        uuid=values.get("uuid", ""),
    )


def with_instances(gpus: Sequence[Gpu], listed: str) -> tuple[Gpu, ...]:
    """GPUs whose MIG mode is on, with the number of instances that `nvidia-smi -L` lists below each."""
    counts: dict[str, int] = {}
    uuid = ""
    for line in listed.splitlines():
        if found := re.match(r"GPU \d+:.*\(UUID: (GPU-[\w-]+)\)", line):
            uuid = found[1]
        elif re.match(r"\s+MIG ", line):
            counts[uuid] = counts.get(uuid, 0) + 1
    return tuple(gpu if gpu.mig is None else replace(gpu, mig=counts.get(gpu.uuid, 0)) for gpu in gpus)


def with_processes(gpus: Sequence[Gpu], apps: str) -> tuple[Gpu, ...]:
    """GPUs, and whether a process computes on each, by the lines `UUID, process` of nvidia-smi."""
    busy = {line.partition(",")[0].strip() for line in apps.splitlines()}
    return tuple(replace(gpu, taken=gpu.uuid in busy) for gpu in gpus)


def present(root: Path = Path("/")) -> bool:
    """Whether there is an NVIDIA GPU on the PCI bus, with a driver or without one."""
    for vendor in (root / "sys/bus/pci/devices").glob("*/vendor"):
        with contextlib.suppress(OSError):
            kind = vendor.with_name("class").read_text().strip()
            if vendor.read_text().strip() == "0x10de" and kind.startswith("0x03"):
                return True
    return False


def visible(gpus: Sequence[Gpu], wanted: str | None) -> tuple[Gpu, ...]:
    """Those that CUDA_VISIBLE_DEVICES lets programs see, in its order: numbers, or beginnings of UUIDs."""
    if wanted is None:
        return tuple(gpus)
    seen: list[Gpu] = []
    for name in (part.strip() for part in wanted.split(",")):
        if name.isdecimal() and int(name) < len(gpus):
            seen.append(gpus[int(name)])
        elif name.startswith("GPU-") and (named := [g for g in gpus if g.uuid.startswith(name)]):
            seen.append(named[0])
        elif name.startswith("MIG-") and gpus:
            seen.append(gpus[0])  # which GPU an instance is of, its name does not say
        else:
            break  # CUDA takes what stands before the first that it does not know
    return tuple(seen)


def module_version(root: Path = Path("/")) -> str:
    """The version of NVIDIA's kernel module, "" when it is not loaded."""
    with contextlib.suppress(OSError):
        text = (root / "proc/driver/nvidia/version").read_text(errors="replace")
        if found := re.search(r"\b(\d{3}\.\d+(?:\.\d+)?)\b", text):
            return found[1]
    return ""
