"""Triton's compiler over IR as text, in a sandbox that no learner's code ever enters."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from recording import parse_target


def compile_ttir(ttir: str, target: str, options: dict[str, int]) -> dict[str, Any]:
    """Every stage of a kernel for a target: ttgir, llir, ptx, cubin, and what ptxas says of it."""
    import triton

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ttir"
        source.write_text(ttir)
        kernel = triton.compile(str(source), target=parse_target(target), options=options)
        asm = kernel.asm
        stages = {name: asm[name] for name in ("ttir", "ttgir", "llir", "ptx", "cubin") if name in asm}
        result: dict[str, Any] = {
            "name": kernel.metadata.name,
            "shared": int(kernel.metadata.shared),
            **stages,
        }
        if "ptx" in stages:
            result["ptxas"] = _ptxas(Path(folder), stages["ptx"])
    return result


def _ptxas(folder: Path, ptx: str) -> str:
    """What `ptxas -v` prints for a PTX text: registers, spills."""
    import triton

    shipped = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "ptxas"
    tool = str(shipped) if shipped.exists() else shutil.which("ptxas")
    if tool is None:
        raise FileNotFoundError("there is no ptxas")
    source = folder / "kernel.ptx"
    source.write_text(ptx)
    arch = next(line.split()[1] for line in ptx.splitlines() if line.startswith(".target"))
    command = [tool, "-v", f"--gpu-name={arch.rstrip(',')}", str(source), "-o", str(folder / "kernel.cubin")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr
