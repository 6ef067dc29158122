"""The small project as the engine sees it."""

from __future__ import annotations

from pathlib import Path

from mlsys_path.triton_build.project import Project

FOLDER = Path(__file__).resolve().parent / "project"
LITTLE = Project(
    name="little",
    module="little",
    library="_C/liblittle",
    repository="",
    llvm_repository="",
    marker_sources=("python/src/main.cc",),
    run_program=FOLDER / "run_checks.py",
)
