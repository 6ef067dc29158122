"""What Triton's own build fetches as LLVM: the archive's name, for this machine and that commit."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.triton_build.tree import Pin, Tree


@dataclass(frozen=True, slots=True)
class Archive:
    """A prebuilt LLVM."""

    name: str
    url: str
    sha256: str = ""


def archive(tree: Tree, pin: Pin, environ: Mapping[str, str] | None = None) -> Archive | None:
    """The archive for this machine; None where its scripts name no place, or have none for such a machine."""
    environ = os.environ if environ is None else environ
    place = tree.archive_place()
    suffix = environ.get("TRITON_LLVM_SYSTEM_SUFFIX") or system_suffix()
    if not place or not suffix:
        return None
    build = f"-{pin.build}" if pin.build is not None else ""
    name = f"llvm-{pin.commit[:8]}-{suffix}{build}"
    return Archive(name, f"{place}{name}.tar.gz", dict(pin.checksums).get(suffix, ""))


def system_suffix() -> str:
    """The system that archives are named after, chosen by the C library as Triton's scripts do; "" for none."""
    architecture = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    if platform.system() != "Linux" or not architecture:
        return ""
    if architecture == "arm64":
        return "almalinux-arm64" if 'ID="almalinux"' in _os_release() else "ubuntu-arm64"
    return "ubuntu-x64" if libc() > (2, 28) else "almalinux-x64"


def libc() -> tuple[int, ...]:
    """The version of this machine's C library."""
    said = platform.libc_ver()[1]
    return tuple(int(part) for part in said.split(".")) if said else (0,)


def _os_release() -> str:
    try:
        return Path("/etc/os-release").read_text()
    except OSError:
        return ""
