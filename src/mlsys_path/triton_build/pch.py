"""Precompiled headers and ccache, put before the compiler from outside: no file of the checkout is touched.

Of a minute of compiling Triton's C++ fifty seconds go into the same headers of MLIR and LLVM. Which headers those are is
counted in the checkout itself, so it holds for every commit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mlsys_path.triton_build import pch_launcher
from mlsys_path.triton_build.state import replace
from mlsys_path.triton_build.tree import Tree

# a header that one source in eight includes
_SHARE = 8
# what needs a macro to be defined before it, or declares what differs from source to source
_SETTINGS = "launcher.json"
_NOT = (".inc", ".def", "mlir/IR/OpImplementation.inc")


def common_headers(tree: Tree, include: Path) -> tuple[str, ...]:
    """The headers of LLVM and MLIR that many sources include, those that exist."""
    counts = tree.headers()
    sources = sum(1 for _each in tree.native_sources())
    wanted = max(2, sources // _SHARE)
    return tuple(
        sorted(
            name
            for name, count in counts.items()
            if count >= wanted and not name.endswith(_NOT) and (include / name).is_file()
        )
    )


def prepare(
    folder: Path,
    headers: Sequence[str],
    include: Path,
    *,
    stamp: str,
    ccache: str,
    append: Sequence[str] = (),
) -> None:
    """Write what the launcher is told."""
    told = {
        "folder": str(folder),
        "headers": list(headers),
        "roots": [str(include.resolve())],
        "stamp": stamp,
        "ccache": ccache,
        "append": list(append),
    }
    replace(folder / _SETTINGS, json.dumps(told, indent=1).encode())


def launcher(folder: Path) -> str:
    """The value of CMAKE_CXX_COMPILER_LAUNCHER."""
    return ";".join([sys.executable, "-I", "-S", pch_launcher.__file__, str(folder / _SETTINGS)])


def made(folder: Path) -> int:
    """How many headers were made."""
    return sum(1 for state in folder.glob("*/state") if state.read_text() == "made")
