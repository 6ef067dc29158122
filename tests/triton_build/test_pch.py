"""The launcher before the compiler: a header for exactly these flags, and a compile that never fails for want of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys_path.triton_build import pch, pch_launcher
from mlsys_path.triton_build.project import TRITON
from mlsys_path.triton_build.tree import Tree

COMPILERS = [name for name in ("g++", "clang++-22") if shutil.which(name)]
FLAGS = ["-O1", "-fno-rtti"]


class Bench:
    """A folder with headers of an LLVM, sources, and a compiler behind the launcher."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self.folder, self.compiler = folder, str(shutil.which(compiler))
        self.include = folder / "llvm-include"
        self.headers = self.include / "llvm/ADT"
        self.headers.mkdir(parents=True)
        (self.headers / "Thing.h").write_text("#pragma once\nstruct Thing { int n; };\n")
        self.pch = folder / "pch"
        self.prepare()

    def prepare(self, *append: str, headers: tuple[str, ...] = ("llvm/ADT/Thing.h",)) -> None:
        pch.prepare(self.pch, headers, self.include, stamp="1", ccache="", append=append)

    def command(self, name: str, *flags: str) -> list[str]:
        return [
            self.compiler, f"-I{self.folder}", f"-I{self.include}", *FLAGS, *flags,
            "-MD", "-MT", f"{name}.o", "-MF", f"{name}.o.d", "-o", f"{name}.o", "-c", f"{name}.cpp",
        ]  # fmt: skip

    def database(self, count: int, *flags: str) -> None:
        for i in range(count):
            text = f'#include "llvm/ADT/Thing.h"\nint f{i}(Thing t) {{ return t.n; }}\n'
            (self.folder / f"s{i}.cpp").write_text(text)
        entries = [
            {
                "directory": str(self.folder),
                "file": f"s{i}.cpp",
                "command": " ".join(self.command(f"s{i}", *flags)),
            }
            for i in range(count)
        ]
        (self.folder / "compile_commands.json").write_text(json.dumps(entries))

    def compile(self, name: str, *flags: str) -> subprocess.CompletedProcess[str]:
        launcher = pch.launcher(self.pch).split(";")
        return subprocess.run(
            [*launcher, *self.command(name, *flags)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def states(self) -> list[str]:
        return sorted(p.read_text() for p in self.pch.glob("*/state"))

    def made(self) -> list[Path]:
        return [*self.pch.glob("*/all.h.gch"), *self.pch.glob("*/all.h.pch")]


@pytest.fixture(params=COMPILERS)
def bench(request, tmp_path: Path) -> Bench:
    return Bench(tmp_path, request.param)


def test_files_of_the_same_flags_share_one_header(bench: Bench):
    bench.database(4)
    assert bench.compile("s0").returncode == 0
    (made,) = bench.made()
    before = made.stat().st_mtime_ns
    # gcc marks a header that it uses by !, one that it cannot use by x
    assert bench.compile("s1").returncode == 0
    assert made.stat().st_mtime_ns == before
    assert bench.states() == ["made"]
    assert pch.made(bench.pch) == 1
    assert all((bench.folder / f"s{i}.o").exists() for i in range(2))


def test_the_header_is_used(bench: Bench):
    bench.database(4, "-H")
    first, second = bench.compile("s0", "-H"), bench.compile("s1", "-H")
    assert first.returncode == second.returncode == 0
    if "clang" in bench.compiler:
        # what lies in the precompiled header is not opened again
        assert "Thing.h" not in second.stderr
    else:
        assert "! " in second.stderr
        assert "all.h.gch" in second.stderr


def test_a_header_made_for_other_flags_is_not_used(bench: Bench):
    bench.database(4)
    assert bench.compile("s0").returncode == 0
    assert bench.compile("s1", "-DOTHER=1").returncode == 0
    assert bench.states() == ["few", "made"]
    assert len(bench.made()) == 1


def test_few_files_get_none(bench: Bench):
    bench.database(3)
    assert bench.compile("s0").returncode == 0
    assert bench.states() == ["few"]
    assert bench.made() == []


def test_a_header_that_does_not_compile_stops_nothing(bench: Bench):
    bench.prepare(headers=("llvm/ADT/Thing.h", "llvm/ADT/Gone.h"))
    bench.database(4)
    done = bench.compile("s0")
    assert done.returncode == 0
    assert "refused" in done.stderr
    assert bench.states() == ["refused"]
    assert "refused" not in bench.compile("s1").stderr


def test_an_error_is_the_compilers_own(bench: Bench):
    bench.database(4)
    (bench.folder / "s0.cpp").write_text("int f( { }\n")
    done = bench.compile("s0")
    assert done.returncode == 1
    assert "s0.cpp:1" in done.stderr


def test_a_spoilt_header_costs_time_and_nothing_else(bench: Bench):
    bench.database(4)
    assert bench.compile("s0").returncode == 0
    (made,) = bench.made()
    made.write_bytes(b"spoilt")
    done = bench.compile("s1")
    assert done.returncode == 0, done.stderr


def test_a_new_warning_is_no_error(bench: Bench):
    bench.database(1)
    (bench.folder / "s0.cpp").write_text("int f() { int unused; return 1; }\n")
    assert bench.compile("s0", "-Wall", "-Werror").returncode != 0
    bench.prepare("-Wno-error")
    assert bench.compile("s0", "-Wall", "-Werror").returncode == 0


def test_what_is_no_compile_is_passed_on(bench: Bench):
    bench.database(1)
    bench.compile("s0")
    launcher = pch.launcher(bench.pch).split(";")
    done = subprocess.run(
        [*launcher, bench.compiler, "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout


def test_only_folders_in_which_llvm_could_be_found_count(tmp_path: Path):
    (tmp_path / "own/mlir").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    roots = (str(tmp_path / "llvm"),)
    command = [
        "c++",
        f"-I{tmp_path}/plain",
        f"-I{tmp_path}/own",
        "-isystem",
        f"{tmp_path}/llvm",
        "-Dx_EXPORTS",
    ]
    command += ["-DA=1", "-o", "a.o", "-MD", "-MF", "a.d", "-c", "a.cpp"]
    assert pch_launcher.flags_of(command, roots) == [
        f"-I{tmp_path}/own",
        "-isystem",
        f"{tmp_path}/llvm",
        "-DA=1",
    ]


def test_the_headers_are_those_that_many_sources_include(tmp_path: Path):
    include = tmp_path / "include"
    for name in ("mlir/IR/Often.h", "mlir/IR/Once.h", "mlir/IR/Ops.h.inc"):
        (include / name).parent.mkdir(parents=True, exist_ok=True)
        (include / name).write_text("")
    tree = tmp_path / "tree"
    (tree / "lib").mkdir(parents=True)
    (tree / "unittest").mkdir()
    for i in range(8):
        often = '#include "mlir/IR/Often.h"\n#include "mlir/IR/Ops.h.inc"\n#include "mlir/IR/NotHere.h"\n'
        (tree / f"lib/{i}.cpp").write_text(often + ('#include "mlir/IR/Once.h"\n' if i == 0 else ""))
        (tree / f"unittest/{i}.cpp").write_text('#include "mlir/IR/Once.h"\n')
    assert pch.common_headers(Tree(tree, TRITON), include) == ("mlir/IR/Often.h",)


def test_it_starts_without_slow_imports():
    code = f"import sys; sys.argv = ['x']; import runpy; runpy.run_path({pch_launcher.__file__!r}); print(len(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert int(said.stdout) < 120
    assert os.access(pch_launcher.__file__, os.R_OK)
