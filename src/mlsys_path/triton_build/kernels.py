"""Kernels through a Triton that was just built: a program of its own, which imports Triton from one folder.

    python -I kernels.py interpret|compile|gpu FOLDER ARTEFACTS TARGETS TUTORIAL

Prints a JSON object a result: {"name", "outcome": "passed|failed|open", "what"}. Never imported by the program.
"""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

TASK, FOLDER, ARTEFACTS, TARGETS, TUTORIAL = sys.argv[1:6] if len(sys.argv) >= 6 else ("", ".", ".", "", "")
if TASK == "interpret":
    os.environ["TRITON_INTERPRET"] = "1"
sys.path.insert(0, FOLDER)

import triton  # noqa: E402
import triton.language as tl  # noqa: E402

BLOCK_M, BLOCK_N, BLOCK_K = 128, 128, 64
AMD = "gfx942"


@triton.jit  # type: ignore[untyped-decorator]
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """One block of a vector sum."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(
        out_ptr + offsets,
        tl.load(x_ptr + offsets, mask=mask) + tl.load(y_ptr + offsets, mask=mask),
        mask=mask,
    )


@triton.jit  # type: ignore[untyped-decorator]
def matmul_kernel(a_ptr, b_ptr, c_ptr, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """One tile of a product of row-major matrices, fp16 in and out, fp32 between."""
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    inner = tl.arange(0, BK)
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(0, k, BK):
        a_at = rows[:, None] * k + (step + inner)[None, :]
        b_at = (step + inner)[:, None] * n + columns[None, :]
        a = tl.load(a_ptr + a_at, mask=(rows[:, None] < m) & ((step + inner)[None, :] < k), other=0.0)
        b = tl.load(b_ptr + b_at, mask=((step + inner)[:, None] < k) & (columns[None, :] < n), other=0.0)
        total += tl.dot(a, b)
    c_at = rows[:, None] * n + columns[None, :]
    tl.store(c_ptr + c_at, total.to(tl.float16), mask=(rows[:, None] < m) & (columns[None, :] < n))


def say(name: str, outcome: str, what: str) -> None:
    """One result."""
    print(json.dumps({"name": name, "outcome": outcome, "what": what}), flush=True)  # noqa: T201


def interpret() -> None:
    """A vector add in the interpreter, on the CPU."""
    name = "vector add, interpreted"
    lacking = [module for module in ("torch", "numpy") if importlib.util.find_spec(module) is None]
    if lacking:
        say(name, "open", f"{', '.join(lacking)} is not installed here")
        return
    import numpy
    import torch

    x, y = torch.randn(1037), torch.randn(1037)
    out = torch.full_like(x, float("nan"))
    add_kernel[(triton.cdiv(1037, 256),)](x, y, out, 1037, BLOCK=256)
    error = (out - (x + y)).abs().max().item()
    if error == 0:
        say(name, "passed", f"1037 numbers, exact, numpy {numpy.__version__}")
        return
    if int(numpy.__version__.split(".")[0]) >= 2:
        print("mlsys-path: the interpreter is wrong with numpy 2", flush=True)  # noqa: T201
        sys.exit(1)
    say(name, "failed", f"wrong by {error:.3g}")


def source_of(function: Any, types: dict[str, str], constants: dict[str, int]) -> Any:
    """What `triton.compile` takes; the name of the last argument has changed over the years."""
    from triton.compiler import ASTSource

    names = list(types) + list(constants)
    signature = {**types, **dict.fromkeys(constants, "constexpr")}
    try:
        return ASTSource(fn=function, signature=signature, constexprs=constants)
    except TypeError:
        return ASTSource(
            fn=function, signature=types, constants={names.index(k): v for k, v in constants.items()}
        )


def compile_all() -> None:
    """Both kernels through every stage for each target, kept as files."""
    from triton.backends.compiler import GPUTarget

    pointers = {"x_ptr": "*fp32", "y_ptr": "*fp32", "out_ptr": "*fp32", "n": "i32"}
    tiles = {"a_ptr": "*fp16", "b_ptr": "*fp16", "c_ptr": "*fp16", "m": "i32", "n": "i32", "k": "i32"}
    kernels = (
        ("vector-add", add_kernel, pointers, {"BLOCK": 1024}),
        ("matmul", matmul_kernel, tiles, {"BM": BLOCK_M, "BN": BLOCK_N, "BK": BLOCK_K}),
    )
    targets = [("sm_90", GPUTarget("cuda", 90, 32))] if "nvidia" in TARGETS else []
    targets += [(AMD, GPUTarget("hip", AMD, 64))] if "amd" in TARGETS else []
    for named, target in targets:
        for name, function, types, constants in kernels:
            keep(name, named, triton.compile(source_of(function, types, constants), target=target))


def keep(name: str, target: str, kernel: Any) -> None:
    """Write every stage of a kernel beside the others."""
    wanted = (
        ("ttir", "ttgir", "llir", "ptx", "cubin")
        if target.startswith("sm_")
        else ("ttir", "ttgir", "llir", "amdgcn", "hsaco")
    )
    folder = Path(ARTEFACTS, target, name)
    folder.mkdir(parents=True, exist_ok=True)
    for stage, text in kernel.asm.items():
        if isinstance(text, str | bytes):
            path = folder / f"{name}.{stage}"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lacking = [stage for stage in wanted if not (folder / f"{name}.{stage}").is_file()]
    if lacking:
        say(f"{name} for {target}", "failed", f"no {', '.join(lacking)}")
        return
    machine = folder / f"{name}.{wanted[-1]}"
    what = " → ".join((*wanted[:-1], f"{wanted[-1]} of {machine.stat().st_size} bytes"))
    if not machine.read_bytes().startswith(b"\x7fELF"):
        say(f"{name} for {target}", "failed", f"{machine.name} is no ELF file")
    else:
        say(f"{name} for {target}", "passed", what)


def tutorial() -> None:
    """The checkout's own tutorial, as it is; its table is kept as it was printed."""
    name = "03-matrix-multiplication on this GPU"
    lacking = [
        module for module in ("torch", "matplotlib", "pandas") if importlib.util.find_spec(module) is None
    ]
    if lacking:
        say(name, "open", f"{', '.join(lacking)} is not installed here")
        return
    import contextlib
    import io

    heard = io.StringIO()

    class Both(io.TextIOBase):
        def write(self, text: str) -> int:
            sys.__stdout__.write(text)  # type: ignore[union-attr]
            return heard.write(text)

    with contextlib.redirect_stdout(Both()):
        runpy.run_path(TUTORIAL, run_name="__main__")
    Path(ARTEFACTS, "03-matrix-multiplication.txt").write_text(heard.getvalue())
    agreed = "match" in heard.getvalue() and "differ" not in heard.getvalue()
    say(
        name,
        "passed" if agreed else "failed",
        "agrees with torch" if agreed else "its own comparison with torch failed",
    )


def main() -> None:
    """The task that was asked for, with the Triton of the folder and no other."""
    place = os.path.realpath(triton.__file__)
    if not Path(place).is_relative_to(os.path.realpath(FOLDER)):
        print(f"mlsys-path: triton was imported from {place}", flush=True)  # noqa: T201
        sys.exit(1)
    {"interpret": interpret, "compile": compile_all, "gpu": tutorial}[TASK]()


if __name__ == "__main__":
    main()
