"""Each failure that is known is provoked for real, by the program that makes it; what cannot be is told by its words.

Recorded, as they need what is not here: a Triton without ptxas, one whose interpreter is wrong, and gcc's own words of a
compiler that was killed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import needs_llvm

from mlsys_path.triton_build import failures, llvm_installed, one_llvm, process
from mlsys_path.triton_build.failure import Facts
from mlsys_path.triton_build.known_failures import KNOWN
from mlsys_path.triton_build.process import Outcome, Stall
from mlsys_path.triton_build.project import TRITON

LLVM = Path("/usr/lib/llvm-22")
CMAKE = "cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\n"


def provoke(script: str, folder: Path, stall: Stall | None = None) -> failures.Recognised | None:
    """Run a script as a step would, and say what is recognised in its log."""
    log = folder / "log"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    outcome = asyncio.run(
        process.run(["sh", "-ec", script], folder=folder, environment=environment, log=log, stall=stall)
    )
    assert not outcome.ok
    return failures.recognise(log.read_text(errors="replace") if log.exists() else "", Facts(outcome))


def cmake(line: str, *arguments: str) -> str:
    return f"printf '%s' '{CMAKE}{line}' > CMakeLists.txt; cmake -G Ninja -S . -B b {' '.join(arguments)}"


def source(text: str, command: str) -> str:
    return f"cat > a.cc <<'END'\n{text}\nEND\n{command}"


GXX = "g++ -fPIC"
EXTENSION = '#include <dlfcn.h>\nextern "C" int {name}(); extern "C" int f() {{ return {name}(); }}'
LOAD = f"{sys.executable} -c \"import ctypes, os; ctypes.CDLL('./a.so', os.RTLD_NOW)\""
# what provokes it -> the name of the failure
PROVOKED = {
    "a full disk": ("cat /etc/passwd > /dev/full", "no-space"),
    "a compiler that is ended": ("kill -9 $$", "out-of-memory"),
    "a compiler without memory": (
        source("#include <regex>\n#include <iostream>\n#include <map>", "ulimit -v 60000; exec g++ -S a.cc"),
        "out-of-memory",
    ),
    "a library for a newer C++ library": (
        "echo 'int f() { return 1; }' > n.c; echo 'GLIBCXX_9.9.9 { f; };' > n.map; "
        "gcc -shared -fPIC n.c -Wl,--version-script=n.map -Wl,-soname,libn.so -o libn.so; "
        "echo 'int f(); int main() { return f(); }' > m.c; gcc m.c -L. -ln -o m; "
        "echo 'OLD { f; };' > n.map; "
        "gcc -shared -fPIC n.c -Wl,--version-script=n.map -Wl,-soname,libn.so -o libn.so; "
        "LD_LIBRARY_PATH=. ./m",
        "glibc",
    ),
    "two ABIs of std::string": (
        "echo '#include <string>\nint f(const std::string &s) { return s.size(); }' > l.cc; "
        "g++ -D_GLIBCXX_USE_CXX11_ABI=0 -c l.cc; "
        + source("#include <string>\nint f(const std::string &); int main() { return f(\"\"); }", "g++ a.cc l.o"),
        "string-abi",
    ),
    "an extension of another Python": (
        source(EXTENSION.format(name="_PyOfAnother_Python"), f"{GXX} -shared a.cc -o a.so; {LOAD}"),
        "wrong-python",
    ),
    "no Python.h": (source("#include <Python.h>", "g++ -c a.cc"), "wrong-python"),
    "a package without its library": (
        f"mkdir -p little/_C; touch little/__init__.py; {sys.executable} -c 'import little._C.liblittle'",
        "no-library",
    ),
    "an undefined symbol": (
        source(EXTENSION.format(name="LLVMInitializeNowhere"), f"{GXX} -shared a.cc -o a.so; {LOAD}"),
        "undefined-symbol",
    ),
    "no MLIR": (cmake("find_package(MLIR REQUIRED CONFIG PATHS /none NO_DEFAULT_PATH)"), "mlir-config"),
    "no target in LLVM": ("echo 'int x;' > x.c; gcc -shared x.c -lLLVMNowhereCodeGen", "llvm-targets"),
    "no zstd for the linker": ("echo 'int x;' > x.c; gcc -c x.c; ld.lld-22 -shared x.o -lzstd", "library-missing"),
    "no libxml2 for CMake": (
        cmake("find_package(LibXml2 REQUIRED)", "-DCMAKE_FIND_ROOT_PATH=/none",
              "-DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY", "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY"),
        "library-missing",
    ),
    "no pybind11 for CMake": (cmake("find_package(pybind11 REQUIRED CONFIG NO_DEFAULT_PATH)"), "binding"),
    "no pybind11 for Python": (f"{sys.executable} -I -S -c 'import pybind11'", "binding"),
    "another pybind11": (
        source("namespace pybind11 {} namespace py = pybind11; int x = py::native_enum(1);", "g++ -c a.cc"),
        "binding",
    ),
    "no CUPTI": (source("#include <cupti.h>", "g++ -c a.cc"), "cupti"),
    "a warning": (source("int f() { int unused; return 1; }", "g++ -Wall -Werror -c a.cc"), "warnings"),
    "a header that LLVM moved": (source('#include "mlir/Dialect/Moved/Away.h"', "g++ -c a.cc"), "llvm-api"),
    "a function that LLVM renamed": (
        source("namespace mlir { struct Op {}; } int x = mlir::renamed(); ", "g++ -c a.cc"), "llvm-api"),
    "a signature that LLVM changed": (
        source("struct A { virtual void f(int); }; struct B : A { void f() override; };", "g++ -c a.cc"),
        "llvm-api",
    ),
    "an old cmake": (
        "echo 'cmake_minimum_required(VERSION 3.99)' > CMakeLists.txt; cmake -S . -B b", "cmake-version"),
    "a commit that is not there": (
        "git init -q r; git -C r -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; "
        "git init -q c; git -C c fetch ../r no-such-branch",
        "no-ref",
    ),
    "no server": ("git clone http://127.0.0.1:9/triton", "network"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROVOKED)
def test_provoked(case, tmp_path: Path):
    script, name = PROVOKED[case]
    found = provoke(script, tmp_path)
    assert found is not None, (tmp_path / "log").read_text()
    assert found.name == name, (tmp_path / "log").read_text()
    assert "{" not in found.cause
    assert found.cure


@pytest.mark.skipif(not shutil.which("clang++-22"), reason="needs clang-22")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('#include "mlir/Dialect/Moved/Away.h"', "llvm-api"),
        ("namespace mlir { struct Op {}; } int x = mlir::renamed();", "llvm-api"),
        ("struct A { virtual void f(int); }; struct B : A { void f() override; };", "llvm-api"),
        ("namespace py {} int x = py::native_enum(1);", "binding"),
        ("#include <cupti.h>", "cupti"),
    ],
)
def test_clang_says_it_in_its_own_words(text, name, tmp_path: Path):
    found = provoke(source(text, "clang++-22 -c a.cc"), tmp_path)
    assert found is not None
    assert found.name == name


def test_nothing_that_comes_for_too_long_is_a_stall(tmp_path: Path):
    # a download that hangs: alive, silent, and its file does not grow
    found = provoke("exec sleep 600", tmp_path, Stall(0.3, lambda: 0))
    assert found is not None
    assert found.name == "stalled"


def test_what_grows_has_not_stalled(tmp_path: Path):
    counter = iter(range(1000))
    outcome = asyncio.run(
        process.run(["sleep", "0.8"], folder=tmp_path, environment=dict(os.environ), log=tmp_path / "log",
                    stall=Stall(0.3, lambda: next(counter)))
    )  # fmt: skip
    assert outcome.ok


TWICE = """\
#include "llvm-c/Transforms/PassBuilder.h"
int main(void) { LLVMDisposePassBuilderOptions(LLVMCreatePassBuilderOptions()); return 0; }
"""
COMPONENTS = """\
cmake_minimum_required(VERSION 3.20)
project(x C CXX)
find_package(MLIR REQUIRED CONFIG)
add_executable(a a.c)
target_include_directories(a PRIVATE ${LLVM_INCLUDE_DIRS})
target_link_libraries(a PRIVATE LLVMPasses MLIRIR lldELF)
set_target_properties(a PROPERTIES LINKER_LANGUAGE CXX)
find_package(LLD REQUIRED CONFIG)
"""


@pytest.mark.skipif(not (LLVM / "lib/libLLVMPasses.a").exists(), reason="needs llvm-22-dev")
def test_a_component_beside_the_shared_library_dies_when_it_is_loaded(tmp_path: Path):
    (tmp_path / "a.c").write_text(TWICE)
    script = (
        f"gcc -c -I{LLVM}/include a.c; g++ a.o {LLVM}/lib/libLLVMPasses.a -L{LLVM}/lib -lLLVM-22 -o a; ./a"
    )
    found = provoke(script, tmp_path)
    assert found is not None, (tmp_path / "log").read_text()
    assert found.name == "llvm-twice", (tmp_path / "log").read_text()


@needs_llvm
def test_the_cure_leaves_no_component_but_the_shared_library(tmp_path: Path):
    installed = llvm_installed.read(LLVM)
    assert installed is not None
    wrapper = one_llvm.write(installed, tmp_path / "one")
    (tmp_path / "a.c").write_text(TWICE)
    (tmp_path / "CMakeLists.txt").write_text(COMPONENTS)
    for name, folder in (("as it is", LLVM / "lib/cmake/llvm"), ("cured", wrapper)):
        words = ["cmake", "-G", "Ninja", "-S", ".", "-B", name, f"-DLLVM_DIR={folder}"]
        words += [f"-DMLIR_DIR={LLVM}/lib/cmake/mlir", f"-DLLD_DIR={LLVM}/lib/cmake/lld"]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    linked = {name: (tmp_path / name / "build.ninja").read_text() for name in ("as it is", "cured")}
    assert "libLLVMPasses.a" in linked["as it is"]
    assert "libLLVMPasses.a" not in linked["cured"]
    assert "libLLVMSupport.a" not in linked["cured"]
    assert "libLLVM" in linked["cured"]
    # MLIR's own archives stay what they are
    assert "libMLIRIR.a" in linked["cured"]
    built = subprocess.run(
        ["ninja", "-C", "cured"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout
    assert subprocess.run([tmp_path / "cured/a"], check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("ptxas"), reason="needs ptxas")
def test_a_ptxas_that_does_not_know_the_target(tmp_path: Path):
    script = "echo '.version 7.0\n.target sm_80\n.address_size 64' > a.ptx; ptxas -arch=sm_999 a.ptx"
    found = provoke(script, tmp_path)
    assert found is not None
    assert found.name == "old-ptxas"
    assert "sm_999" in found.cause


def test_another_triton_on_the_path(tmp_path: Path):
    pytest.importorskip("triton")
    script = f"exec {sys.executable} -I {TRITON.run_program} interpret {tmp_path} {tmp_path} nvidia x"
    found = provoke(script, tmp_path)
    assert found is not None
    assert found.name == "two-tritons"
    assert "site-packages" in found.cause


RECORDED = {
    "no-ptxas": "RuntimeError: Cannot find ptxas",
    "numpy": "mlsys-path: the interpreter is wrong with numpy 2",
    "out-of-memory": "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.",
    "no-gpu": "RuntimeError: 0 active drivers ([]). There should only be one.",
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded(name):
    found = failures.recognise(RECORDED[name], Facts())
    assert found is not None
    assert found.name == name


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of 48 MB, which what enters it cannot exceed; where root may make one."""
    for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(base, f"mlsys-path-test-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(48 << 20))
        except OSError:
            group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("no control group for memory can be made here")


def test_a_compiler_that_the_kernel_ends_for_want_of_memory(tmp_path: Path, small_group: Path):
    eater = f"{sys.executable} -c 'bytearray(1 << 28)'"
    # as a build tool does, which says no more of it than that the command failed
    script = f"echo 0 > {small_group}/cgroup.procs; {eater} || {{ echo FAILED: a.cpp.o; exit 1; }}"
    log = tmp_path / "log"
    outcome = asyncio.run(
        process.run(["sh", "-c", script], folder=tmp_path, environment=dict(os.environ), log=log)
    )
    assert outcome.exit == 1
    assert outcome.oom_kills >= 1
    found = failures.recognise("FAILED: a.cpp.o", Facts(outcome))
    assert found is not None
    assert found.name == "out-of-memory"


def test_an_out_of_memory_kill_is_known_by_the_kernels_count():
    facts = Facts(Outcome(("ninja",), exit=1, oom_kills=1))
    found = failures.recognise("FAILED: a.o", facts, jobs=8)
    assert found is not None
    assert found.name == "out-of-memory"
    assert any("--jobs 4" in cure for cure in found.cure)


def test_every_known_failure_is_tried_here():
    tried = {name for _script, name in PROVOKED.values()} | set(RECORDED)
    tried |= {"stalled", "llvm-twice", "old-ptxas", "two-tritons"}
    assert {known.name for known in KNOWN} == tried
    assert len(KNOWN) >= 12


def test_what_is_not_known_is_not_guessed():
    assert (
        failures.recognise("make: *** [all] Something of its own", Facts(Outcome(("make",), exit=2))) is None
    )


def test_the_tail_begins_at_the_error():
    lines = [f"[{i}/99] Building" for i in range(50)] + ["a.cc:3:4: error: no", "more"] + ["x"] * 50
    assert failures.tail_of(lines)[0] == "a.cc:3:4: error: no"
