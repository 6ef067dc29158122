"""The programs and development packages that a build needs, and the command that brings each."""

from __future__ import annotations

import re
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.machine import packages
from mlsys_path.machine.packages import Missing, commands
from mlsys_path.machine.records import Machine

# a name -> package manager -> packages; where the name of a manager is missing the package is called as the name
_PACKAGES: Mapping[str, Mapping[str, str]] = {
    "c++": {"apt": "g++", "dnf": "gcc-c++", "pacman": "gcc", "zypper": "gcc-c++", "brew": "gcc"},
    "ninja": {"apt": "ninja-build", "dnf": "ninja-build"},
    "venv": {"apt": "python3-venv", "dnf": "python3", "pacman": "python", "zypper": "python3"},
    "python headers": {
        "apt": "python3-dev",
        "dnf": "python3-devel",
        "pacman": "python",
        "zypper": "python3-devel",
    },
    "zlib": {"apt": "zlib1g-dev", "dnf": "zlib-devel", "pacman": "zlib", "zypper": "zlib-devel"},
    "zstd": {"apt": "libzstd-dev", "dnf": "libzstd-devel", "pacman": "zstd", "zypper": "libzstd-devel"},
    "libxml2": {"apt": "libxml2-dev", "dnf": "libxml2-devel", "pacman": "libxml2", "zypper": "libxml2-devel"},
    "terminfo": {
        "apt": "libtinfo-dev",
        "dnf": "ncurses-devel",
        "pacman": "ncurses",
        "zypper": "ncurses-devel",
    },
    "json": {
        "apt": "nlohmann-json3-dev",
        "dnf": "json-devel",
        "pacman": "nlohmann-json",
        "zypper": "nlohmann_json-devel",
        "brew": "nlohmann-json",
    },
    "llvm": {
        "apt": "llvm-22-dev libmlir-22-dev mlir-22-tools liblld-22-dev lld-22",
        "dnf": "llvm-devel mlir-devel lld-devel",
        "pacman": "llvm mlir lld",
        "zypper": "llvm-devel mlir-devel lld-devel",
        "brew": "llvm",
    },
    "ptxas": {"apt": "nvidia-cuda-toolkit", "pacman": "cuda"},
}
_VERSION = re.compile(r"(?<![\w.])[Vv]?(\d+(?:\.\d+)+)")


def missing(name: str, machine: Machine, what: str = "") -> Missing:
    """What a name of the table is brought by on this machine."""
    installer = packages.system("cmake", machine).installer
    manager = machine.package_manager
    known = _PACKAGES.get(name, {})
    brought = known.get(manager, "" if name == "ptxas" else name)
    if not installer or not brought:
        return Missing(what or name)
    return Missing(what or name, installer, tuple(brought.split()))


def cure(name: str, machine: Machine) -> str:
    """The command that brings it, "" when there is none."""
    return " && ".join(commands([missing(name, machine)]))


def version(said: str) -> tuple[int, ...]:
    """The first version in what a program says of itself."""
    found = _VERSION.search(re.sub(r"\([^)]*\)", "", said)) or _VERSION.search(said)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler and the C compiler beside it."""

    c: str
    cxx: str


def compiler(environ: Mapping[str, str]) -> Compiler | None:
    """The user's own choice, else clang with its newest name, else gcc; clang compiles Triton about a third faster."""
    if environ.get("CC") and environ.get("CXX"):
        c, cxx = shutil.which(environ["CC"].split()[0]), shutil.which(environ["CXX"].split()[0])
        return Compiler(c, cxx) if c and cxx else None
    pairs = [("clang", "clang++")]
    pairs += [(f"clang-{number}", f"clang++-{number}") for number in range(24, 15, -1)]
    pairs += [("gcc", "g++"), ("cc", "c++")]
    for c_name, cxx_name in pairs:
        c, cxx = shutil.which(c_name), shutil.which(cxx_name)
        if c and cxx:
            return Compiler(c, cxx)
    return None


def linker() -> str:
    """The newest lld there is: links in seconds and in little memory."""
    for name in ("ld.lld", *(f"ld.lld-{number}" for number in range(24, 15, -1))):
        if found := shutil.which(name):
            return found
    return ""


def ptxas(environ: Mapping[str, str]) -> str:
    """The ptxas that the user names, else one on the path, else of an installed CUDA."""
    if named := environ.get("TRITON_PTXAS_PATH"):
        return named if Path(named).is_file() else ""
    if found := shutil.which("ptxas"):
        return found
    installed = sorted(
        Path("/usr/local").glob("cuda*/bin/ptxas"), key=lambda path: version(str(path)) or (0,)
    )
    return str(installed[-1]) if installed else ""


def header(*names: str) -> bool:
    """Whether a C header is where compilers look without being told."""
    triplet = sysconfig.get_config_var("MULTIARCH") or ""
    folders = (Path("/usr/include"), Path("/usr/include", triplet), Path("/usr/local/include"))
    return any((folder / name).is_file() for folder in folders for name in names)


def python_headers() -> bool:
    """Whether Python.h of this interpreter is there."""
    return Path(sysconfig.get_paths()["include"], "Python.h").is_file()
