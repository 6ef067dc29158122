"""What is built: Triton, or a project of the same shape.

The engine knows no name of Triton's but through this record, so that the tests drive the very same engine through a
small project that is built in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Project:
    """A Python package whose native module is built by setup.py, CMake and ninja, against LLVM and MLIR."""

    name: str
    module: str  # the package that is imported
    library: str  # the native module in the package's folder, without a suffix of the interpreter
    repository: str  # cloned where no source is given; "" when there is none
    llvm_repository: str  # for `--llvm source`
    marker_sources: tuple[
        str, ...
    ]  # C++ sources of the native module itself: the first that is there is marked
    run_program: Path  # the script of the last step
    pins: tuple[str, ...] = ("cmake/llvm-info.json", "cmake/llvm-hash.txt")
    needs_targets: tuple[str, ...] = ("NVPTX", "AMDGPU")
    variables: tuple[tuple[str, str], ...] = ()  # of the environment, in every step
    cmake_arguments: tuple[str, ...] = ()
    library_of_mlir: bool = True  # whether MLIR's and LLD's packages are needed beside LLVM's
    tutorial: str = ""  # run on a GPU, relative to the tree


TRITON = Project(
    name="triton",
    module="triton",
    library="_C/libtriton",
    repository="https://github.com/triton-lang/triton",
    llvm_repository="https://github.com/llvm/llvm-project",
    marker_sources=("python/src/main.cc", "python/src/triton.cc"),
    run_program=HERE / "kernels.py",
    variables=(("TRITON_BUILD_PROTON", "OFF"), ("TRITON_BUILD_WITH_CCACHE", "OFF")),
    cmake_arguments=("-DTRITON_BUILD_UT=OFF", "-DTRITON_BUILD_PROTON=OFF"),
    tutorial="python/tutorials/03-matrix-multiplication.py",
)
