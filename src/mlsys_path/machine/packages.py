"""Which package of which package manager brings what, and the command that installs it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlsys_path.language import _
from mlsys_path.machine.records import Machine


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a machine lacks, and the packages that bring it with the installer that they are for."""

    what: str
    installer: str = ""  # "sudo apt install"; "" when no command brings it
    packages: tuple[str, ...] = ()
    then: str = ""  # a command that must follow

    @property
    def command(self) -> str:
        """The exact command that would add it, "" when there is none."""
        return " && ".join(commands([self]))


def commands(missing: Iterable[Missing]) -> tuple[str, ...]:
    """The commands that would add all of it: one for each installer, and what must follow."""
    packages: dict[str, dict[str, None]] = {}
    after: dict[str, None] = {}
    for item in missing:
        if item.installer:
            packages.setdefault(item.installer, {}).update(dict.fromkeys(item.packages))
        if item.then:
            after[item.then] = None
    return (*(f"{installer} {shlex.join(names)}" for installer, names in packages.items()), *after)


_INSTALLERS = {
    "apt": "apt install",
    "dnf": "dnf install",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install",
    "brew": "brew install",
}
_SAME = tuple(_INSTALLERS)


def _everywhere(package: str) -> dict[str, str]:
    return dict.fromkeys(_INSTALLERS, package)


# a program, or a name of ours -> package manager -> packages; a manager that does not have it is left out
_PACKAGES: Mapping[str, Mapping[str, str]] = {
    # Fedora packs each sanitizer's library by itself
    "gcc": {**_everywhere("gcc"), "dnf": "gcc libasan libubsan libtsan"},
    "g++": {
        **_everywhere("gcc"),
        "apt": "g++",
        "dnf": "gcc-c++ libasan libubsan libtsan",
        "zypper": "gcc-c++",
    },
    "riscv64-unknown-elf-gcc": {"apt": "gcc-riscv64-unknown-elf", "pacman": "riscv64-elf-gcc"},
    # the metapackage, as Debian 13 moved RISC-V out of qemu-system-misc
    "qemu-system-riscv64": {
        "apt": "qemu-system",
        "dnf": "qemu-system-riscv",
        "pacman": "qemu-system-riscv",
        "zypper": "qemu-extra",
        "brew": "qemu",
    },
    "mpi": {
        "apt": "openmpi-bin libopenmpi-dev",
        "dnf": "openmpi-devel",
        "pacman": "openmpi",
        "zypper": "openmpi4-devel",
        "brew": "open-mpi",
    },
    "nvcc": {"apt": "nvidia-cuda-toolkit", "pacman": "cuda"},
    "opencl platform": {
        "apt": "pocl-opencl-icd",
        "dnf": "pocl",
        "pacman": "pocl",
        "zypper": "pocl",
        "brew": "pocl",
    },
    "python headers": {"apt": "python3-dev", "dnf": "python3-devel", "zypper": "python3-devel"},
    "bwrap": {m: "bubblewrap" for m in _SAME if m != "brew"},
    "binutils": _everywhere("binutils"),
    # Debian names programs and packages by LLVM's major version; the headers come in a package of their own
    "mlir-22": {"apt": "libmlir-22-dev mlir-22-tools llvm-22-dev"},
    **{
        tool: _everywhere(tool)
        for tool in ("make", "cmake", "gdb", "valgrind", "strace", "tmux", "git", "clang")
    },
}
_PART_OF = {
    "mpicc": "mpi",
    "mpirun": "mpi",
    **dict.fromkeys(("mlir-opt-22", "llvm-config-22"), "mlir-22"),
    **dict.fromkeys(("objdump", "nm", "readelf", "size", "objcopy", "ld", "as"), "binutils"),
}
# what must follow before the program is found under the name that checks use
_THEN = {
    ("mpi", "dnf"): "export PATH=$PATH:/usr/lib64/openmpi/bin",
    ("mpi", "zypper"): "export PATH=$PATH:/usr/lib64/mpi/gcc/openmpi4/bin",
    ("riscv64-unknown-elf-gcc", "pacman"): (
        "sudo ln -s /usr/bin/riscv64-elf-gcc /usr/local/bin/riscv64-unknown-elf-gcc"
    ),
}
_MODULES = {
    "torch": "mlsys-path[kernels]",
    "triton": "mlsys-path[kernels]",
    "pyopencl": "mlsys-path[opencl]",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
}


def system(name: str, machine: Machine, what: str = "") -> Missing:
    """A program (or one of our own names of the table), by the package manager of this machine."""
    what = what or name
    entry = _PART_OF.get(name, name)
    packages = _PACKAGES.get(entry, {}).get(machine.package_manager)
    if packages is None:
        return Missing(_("{what} (no package of this system is known to have it)").format(what=what))
    sudo = "" if machine.administrator or machine.package_manager == "brew" else "sudo "
    return Missing(
        what,
        sudo + _INSTALLERS[machine.package_manager],
        tuple(packages.split()),
        _THEN.get((entry, machine.package_manager), ""),
    )


def module(name: str, machine: Machine) -> Missing:
    """A Python module, by pip in the environment that runs this program."""
    return Missing(
        _("the Python module {name}").format(name=name),
        pip(machine),
        (_MODULES.get(name, name.partition(".")[0]),),
    )


def pip(machine: Machine) -> str:
    """The command that installs into this program's own environment; those that uv makes have no pip."""
    python = shlex.quote(machine.executable)
    if "pip" not in machine.modules and "uv" in machine.tools:
        return f"uv pip install --python {python}"
    return f"{python} -m pip install"
