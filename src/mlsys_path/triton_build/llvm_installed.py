"""An installed LLVM/MLIR: what it is, how far it is from what a checkout pins, and what it lacks for it."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.triton_build import tools
from mlsys_path.triton_build.tree import Tree

# when a release of LLVM left the trunk: pins before and after lie in different versions
BRANCHED = {
    17: datetime.date(2023, 7, 25),
    18: datetime.date(2024, 1, 24),
    19: datetime.date(2024, 7, 23),
    20: datetime.date(2025, 1, 28),
    21: datetime.date(2025, 7, 15),
    22: datetime.date(2026, 1, 13),
}
# pins of releases, from Triton's public history: commit -> the trunk's version at the time
KNOWN_PINS = {
    "37b7a60cd74": 17, "c5dede880d1": 17, "5e5a22caf88a": 18, "765206e05045": 19, "86b69c31642e": 20,
    "a66376b0dc3b": 21, "8957e64a20fc": 21, "7d5de3033187": 22, "f6ded0be897e": 22, "ac5dc54d5091": 23,
    "979132a02d14": 23, "87717bf9f81f": 23,
}  # fmt: skip
NEAR_DAYS = 35


@dataclass(frozen=True, slots=True)
class Installed:
    """An LLVM that lies somewhere on this machine, as its CMake files describe it."""

    prefix: Path
    version: str
    targets: frozenset[str]
    shared: bool  # its tools, and MLIR's libraries, are linked with one libLLVM.so
    mlir: bool
    lld: bool
    assertions: bool
    components: frozenset[str]

    @property
    def major(self) -> int:
        """22 of "22.1.8"."""
        return int(self.version.partition(".")[0] or 0)

    @property
    def include(self) -> Path:
        """Its headers."""
        return self.prefix / "include"

    @property
    def cmake(self) -> Path:
        """The folder of its packages for CMake."""
        return self.prefix / "lib" / "cmake"


def read(prefix: Path) -> Installed | None:
    """What lies under a prefix, None when it is no LLVM for developers."""
    config = prefix / "lib" / "cmake" / "llvm" / "LLVMConfig.cmake"
    try:
        text = config.read_text(errors="replace")
    except OSError:
        return None
    exports = "".join(
        file.read_text(errors="replace")
        for folder, name in (
            ("llvm", "LLVMExports.cmake"),
            ("mlir", "MLIRTargets.cmake"),
            ("lld", "LLDTargets.cmake"),
        )
        if (file := prefix / "lib" / "cmake" / folder / name).is_file()
    )
    return Installed(
        prefix=prefix,
        version=_value(text, "LLVM_PACKAGE_VERSION"),
        targets=frozenset(_value(text, "LLVM_TARGETS_TO_BUILD").split(";")),
        shared=_value(text, "LLVM_LINK_LLVM_DYLIB").upper() in ("ON", "1", "TRUE", "YES"),
        mlir=(prefix / "lib/cmake/mlir/MLIRConfig.cmake").is_file(),
        lld=(prefix / "lib/cmake/lld/LLDConfig.cmake").is_file(),
        assertions=_value(text, "LLVM_ENABLE_ASSERTIONS").upper() in ("ON", "1", "TRUE", "YES"),
        components=frozenset(re.findall(r"add_library\((\S+) ", exports)),
    )


def _value(text: str, name: str) -> str:
    found = re.search(rf'^set\({name} "?([^")]*)"?\)', text, re.MULTILINE)
    return found[1] if found else ""


def find(environ: Mapping[str, str] | None = None) -> list[Installed]:
    """What is installed: the one that LLVM_SYSPATH names alone, else all, those with MLIR and the newest first."""
    environ = os.environ if environ is None else environ
    if named := environ.get("LLVM_SYSPATH"):
        one = read(Path(named).expanduser().absolute())
        return [one] if one else []
    prefixes = [*Path("/usr/lib").glob("llvm-*"), Path("/usr/lib/llvm"), Path("/usr"), Path("/usr/local")]
    prefixes += [*Path("/opt").glob("llvm*"), Path("/opt/homebrew/opt/llvm")]
    found = [each for prefix in prefixes if (each := read(prefix)) is not None]
    return sorted(found, key=lambda each: (each.mlir, tools.version(each.version)), reverse=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an installed LLVM stands to the pin of a checkout."""

    version: str
    pin: str
    trunk: int | None  # the version of LLVM's trunk at the pin
    days: int | None  # from where the release left the trunk to the pin; negative: the pin is older
    missing_headers: tuple[tuple[str, int], ...]  # which sources include, and how many do
    missing_components: tuple[str, ...]
    missing_targets: tuple[str, ...]

    @property
    def near(self) -> bool:
        """Whether a handful of changed lines may be all that lies between."""
        return self.days is not None and abs(self.days) <= NEAR_DAYS

    @property
    def fits(self) -> bool:
        """Whether nothing that can be seen without compiling stands against it."""
        return not self.missing_headers and not self.missing_components and not self.missing_targets


def verdict(installed: Installed, tree: Tree, pin: str, pinned_on: datetime.date | None) -> Verdict:
    """Compare by version and date, and by what can be looked up: headers, components and targets."""
    branched = BRANCHED.get(installed.major)
    days = (pinned_on - branched).days if pinned_on and branched else None
    headers = [
        (name, count)
        for name, count in sorted(tree.headers().items())
        if not (installed.include / name).is_file()
    ]
    wanted = tree.components()
    components = sorted(
        name
        for name in wanted - installed.components
        # of names that begin so only those of libraries count; CMake's own functions and variables do too
        if re.match(
            r"MLIR.+(?:Dialect|Transforms|Conversion|ToLLVM|ToLLVMIRTranslation|Pass|IR|Support)$", name
        )
        or re.match(r"LLVM.+(?:CodeGen|AsmParser|Passes|Desc|Info)$", name)
        or name in ("lldCommon", "lldELF")
    )
    return Verdict(
        version=installed.version,
        pin=pin,
        trunk=trunk_of(pin, pinned_on),
        days=days,
        missing_headers=tuple(headers),
        missing_components=tuple(components),
        missing_targets=tuple(t for t in tree.project.needs_targets if t not in installed.targets),
    )


def trunk_of(pin: str, pinned_on: datetime.date | None) -> int | None:
    """The version of LLVM's trunk at a pin: known, else by the day on which Triton took it."""
    for known, version in KNOWN_PINS.items():
        if pin and (pin.startswith(known) or known.startswith(pin)):
            return version
    if pinned_on is None:
        return None
    newer = [version for version, day in BRANCHED.items() if day > pinned_on]
    return min(newer) if newer else max(BRANCHED) + 1
