"""Triton's compiler over IR as text, in a sandbox that no learner's code ever enters."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recording import parse_target


def compile_ttir(ttir: str, target: str, options: dict[str, Any]) -> dict[str, Any]:
    """Every stage of a kernel for a target: ttgir, llir, ptx, cubin, and what ptxas says of it."""
    import triton

    with tempfile.TemporaryDirectory() as folder, _heard() as told:
        source = Path(folder) / "kernel.ttir"
        source.write_text(ttir)
        kernel = triton.compile(str(source), target=parse_target(target), options=options)
        asm = kernel.asm
        stages = {name: asm[name] for name in ("ttir", "ttgir", "llir", "ptx", "cubin") if name in asm}
    metadata = kernel.metadata
    return {
        "name": metadata.name,
        "shared": int(metadata.shared),
        "warps": int(metadata.num_warps),
        "stages": int(metadata.num_stages),
        "ptxas": "\n".join(told),
        **stages,
    }


def knows(target: str) -> str:
    """ "" when the installed Triton compiles for a target, and why not when it does not."""
    from triton.backends.nvidia import compiler

    arch = parse_target(target).arch
    try:
        try:
            tool = compiler.get_ptxas(arch)
        except TypeError:  # 3.4 and 3.5 have one for all
            tool = compiler.get_ptxas()
        path = getattr(tool, "path", None) or tool[0]
        said = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if f"'sm_{arch}'" in said else f"its ptxas does not know sm_{arch}"


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """What ptxas prints meanwhile: Triton asks it to be verbose, and throws away what it says."""
    from triton.backends.nvidia import compiler

    told: list[str] = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(subprocess, name)

        def run(self, command: Any, **kwargs: Any) -> Any:
            done = subprocess.run(command, **kwargs)  # noqa: PLW1510
            if "-v" in command and hasattr(kwargs.get("stderr"), "name"):
                told.append(Path(kwargs["stderr"].name).read_text(errors="replace"))
            return done

    compiler.subprocess = Listening()
    try:
        yield told
    finally:
        compiler.subprocess = subprocess
