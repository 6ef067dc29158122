"""Builds the native module as Triton's setup.py does: CMake configures, ninja builds, variables say how."""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pybind11
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

LITTLE_VERSION = "0.1.0"
MIN_PYTHON = (3, 10)
MAX_PYTHON = (3, 99)
ROOT = Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    def run(self):
        folder = ROOT / "build" / f"cmake.{sysconfig.get_platform()}-cpython-{sysconfig.get_python_version()}"
        folder.mkdir(parents=True, exist_ok=True)
        arguments = [
            "-G",
            "Ninja",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            "-DCMAKE_BUILD_TYPE=Debug",  # as Triton's default is none for users either
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={ROOT / 'python' / 'little' / '_C'}",
            f"-DPython3_EXECUTABLE={sys.executable}",
            f"-DPython3_INCLUDE_DIR={sysconfig.get_path('platinclude')}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            f"-DLLVM_LIBRARY_DIR={os.environ['LLVM_SYSPATH']}/lib",
            *shlex.split(os.environ.get("TRITON_APPEND_CMAKE_ARGS", "")),
        ]
        subprocess.check_call(["cmake", str(ROOT), *arguments], cwd=folder)
        subprocess.check_call(["cmake", "--build", ".", "-j" + os.environ["MAX_JOBS"]], cwd=folder)


setup(
    name="little",
    version=LITTLE_VERSION,
    packages=["little"],
    package_dir={"": "python"},
    ext_modules=[Extension("little._C.liblittle", [])],
    cmdclass={"build_ext": CMakeBuild},
)
