"""What a checkout says of itself: its LLVM, its build requirements, its binding, and which Pythons it takes."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.triton_build.project import Project

_HASH = re.compile(r"\b[0-9a-f]{40}\b")
_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]((?:mlir|llvm|lld)/[^">]+)[">]', re.MULTILINE)
_SOURCES = ("*.cpp", "*.cc", "*.cxx")
_SKIPPED = {"unittest", "test", "build", ".git", "llvm-project"}
_CMAKE_WORDS = re.compile(r"(?<![\w$\{])((?:MLIR|LLVM|lld)[A-Z][A-Za-z0-9]+)(?![\w}])")


@dataclass(frozen=True, slots=True)
class Pin:
    """The LLVM commit that a checkout asks for; build and checksums where newer files have them."""

    commit: str
    file: str
    build: int | None = None
    checksums: tuple[tuple[str, str], ...] = ()  # of archives, by system


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout."""

    root: Path
    project: Project

    @property
    def python(self) -> Path:
        """The folder that goes on the path."""
        return self.root / "python"

    @property
    def package(self) -> Path:
        """The package's own folder."""
        return self.python / self.project.module

    @property
    def setup(self) -> Path:
        """The folder with setup.py: the root, or python/ before mid-2025."""
        return self.python if (self.python / "setup.py").is_file() else self.root

    def pin(self) -> Pin | None:
        """The LLVM commit, from whichever file holds it; before November 2023 it stood in setup.py."""
        for name in self.project.pins:
            text = _text(self.root / name)
            if found := _HASH.search(text):
                return _pin(found[0], name, text)
        text = _text(self.setup / "setup.py")
        found = re.search(r"\brev\s*=\s*['\"]([0-9a-f]{7,40})['\"]", text)
        return Pin(found[1], "setup.py") if found else None

    def requirements(self) -> tuple[str, ...]:
        """The build requirements that the commit pins."""
        for folder in (self.setup, self.root):
            try:
                document = tomllib.loads(_text(folder / "pyproject.toml"))
            except tomllib.TOMLDecodeError:
                continue
            if wanted := document.get("build-system", {}).get("requires"):
                return tuple(map(str, wanted))
        return ("setuptools>=40.8.0", "wheel", "pybind11>=2.13.1")

    def binding(self) -> str:
        """ "pybind11" or "nanobind": what its setup.py imports."""
        text = _text(self.setup / "setup.py")
        return "nanobind" if re.search(r"^\s*(?:import|from) nanobind\b", text, re.MULTILINE) else "pybind11"

    def pythons(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """The oldest and the newest Python that it takes, where setup.py says so."""
        text = _text(self.setup / "setup.py")
        oldest = re.search(r"MIN_PYTHON\s*=\s*\((\d+),\s*(\d+)\)", text)
        newest = re.search(r"MAX_PYTHON\s*=\s*\((\d+),\s*(\d+)\)", text)
        if not oldest or not newest:
            return None
        return (int(oldest[1]), int(oldest[2])), (int(newest[1]), int(newest[2]))

    def says(self, word: str) -> bool:
        """Whether its build scripts know a word, such as the name of a variable."""
        files = (self.setup / "setup.py", self.python / "build_helpers.py", self.root / "CMakeLists.txt")
        return any(word in _text(file) for file in files)

    def archive_place(self) -> str:
        """Where its own scripts fetch prebuilt LLVM from, up to the archive's name; "" when they say nothing."""
        for file in (self.python / "build_helpers.py", self.setup / "setup.py", self.root / "CMakeLists.txt"):
            if found := re.search(r"https?://[^\s\"'{}$]+/llvm-builds/", _text(file)):
                return found[0]
        return ""

    def native_sources(self) -> Iterator[Path]:
        """The C++ sources that go into the library, without tests."""
        for pattern in _SOURCES:
            for path in self.root.rglob(pattern):
                if not _SKIPPED.intersection(path.relative_to(self.root).parts):
                    yield path

    def headers(self) -> Counter[str]:
        """Headers of LLVM, MLIR and LLD that sources include, with how many sources do."""
        counts: Counter[str] = Counter()
        for path in self.native_sources():
            counts.update(set(_INCLUDE.findall(_text(path))))
        return counts

    def components(self) -> set[str]:
        """Components of LLVM, MLIR and LLD that its CMake files name, without those that they define."""
        found: set[str] = set()
        own: set[str] = set()
        for path in self.root.rglob("CMakeLists.txt"):
            if not _SKIPPED.intersection(path.relative_to(self.root).parts):
                lines = (line.partition("#")[0] for line in _text(path).splitlines())
                text = "\n".join(lines)
                found.update(_CMAKE_WORDS.findall(text))
                own.update(re.findall(r"\badd_\w+\(\s*(\w+)", text))
        return found - own

    def library(self) -> Path | None:
        """The built native module."""
        stem = self.package / self.project.library
        found = sorted(stem.parent.glob(stem.name + "*.so"))
        return found[0] if found else None

    def build_folder(self) -> Path | None:
        """The folder of its CMake build."""
        for base in (self.root / "build", self.python / "build"):
            found = sorted(base.glob("cmake*/build.ninja"), key=lambda path: path.stat().st_mtime)
            if found:
                return found[-1].parent
        return None

    def marker_source(self) -> Path | None:
        """The C++ source of the native module that a marker is written into."""
        return next(
            (self.root / name for name in self.project.marker_sources if (self.root / name).is_file()), None
        )


def _pin(commit: str, name: str, text: str) -> Pin:
    if not name.endswith(".json"):
        return Pin(commit, name)
    try:
        document = json.loads(text)
    except ValueError:
        return Pin(commit, name)
    build = document.get("build_number")
    sums = document.get("sha256sum")
    return Pin(
        commit,
        name,
        build if isinstance(build, int) else None,
        tuple(sorted((str(k), str(v)) for k, v in sums.items())) if isinstance(sums, dict) else (),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
