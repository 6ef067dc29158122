"""Where everything of a build lies: all of it under one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mlsys_path import locations


def default_folder() -> Path:
    """Where `build triton` works when no folder is given."""
    return locations.workspace_dir() / "triton-build"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one build."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The paths of a build in a folder, however that was written."""
        return cls(folder.expanduser().absolute())

    @property
    def state(self) -> Path:
        """The checkpoint: settings, and what each step proved."""
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the one build that works here, and by what it started."""
        return self.folder / ".lock"

    @property
    def history(self) -> Path:
        """What each finished step took, one JSON object a line."""
        return self.folder / "history.jsonl"

    @property
    def tree(self) -> Path:
        """The checkout."""
        return self.folder / "source"

    @property
    def llvm(self) -> Path:
        """A prebuilt LLVM, its archive, and what adapts an installed one."""
        return self.folder / "llvm"

    @property
    def llvm_source(self) -> Path:
        """The checkout of `--llvm source`; one that lies here already is used."""
        return self.folder / "llvm-project"

    @property
    def llvm_build(self) -> Path:
        """Its build folder."""
        return self.folder / "llvm-build"

    @property
    def venv(self) -> Path:
        """The virtual environment that builds and imports."""
        return self.folder / "venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.venv / "bin" / "python"

    @property
    def headers(self) -> Path:
        """Precompiled headers, and what the compiler's launcher is told."""
        return self.folder / "pch"

    @property
    def artefacts(self) -> Path:
        """What the last step compiled, in every stage."""
        return self.folder / "artefacts"

    @property
    def scratch(self) -> Path:
        """TMPDIR of all that is started."""
        return self.folder / "tmp"

    @property
    def caches(self) -> Path:
        """Caches of pip, ccache and Triton."""
        return self.folder / "caches"

    def log(self, step: str) -> Path:
        """The log of a step; it grows from run to run."""
        return self.folder / "logs" / f"{step}.log"
