"""What is open on a machine, and the exact command that changes it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from mlsys_path.levels import Level
from mlsys_path.machine.inspect import Gpu
from mlsys_path.machine.packages import commands
from mlsys_path.machine.requirements import checkable, missing, open_because
from mlsys_path.roadmap.model import AdapterName, Needs

PIP = "/home/lin/.venv/bin/python -m pip install"
LANGUAGES = get_args(AdapterName)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", Level)
def test_a_machine_with_everything_lacks_nothing(make_exercise, full, language, level):
    assert missing(make_exercise(language, level), level, full) == ()


@pytest.mark.parametrize(
    ("language", "level", "line"),
    [
        ("python", Level.CORRECT, ""),
        ("python", Level.FAST, ""),
        ("c", Level.CORRECT, "needs gcc: sudo apt install gcc"),
        ("c", Level.FAST, "needs gcc: sudo apt install gcc"),
        ("cpp", Level.CORRECT, "needs g++: sudo apt install g++"),
        (
            "riscv",
            Level.CORRECT,
            "needs riscv64-unknown-elf-gcc, qemu-system-riscv64: "
            "sudo apt install gcc-riscv64-unknown-elf qemu-system",
        ),
        ("mpi", Level.CORRECT, "needs mpicc, mpirun, gcc: sudo apt install openmpi-bin libopenmpi-dev gcc"),
        (
            "opencl",
            Level.CORRECT,
            "needs the Python module pyopencl, an OpenCL driver such as PoCL: "
            f"{PIP} 'mlsys-path[opencl]' && sudo apt install pocl-opencl-icd",
        ),
        ("cuda", Level.CORRECT, "needs g++: sudo apt install g++"),
        ("cuda", Level.COMPILES, "needs nvcc, g++: sudo apt install nvidia-cuda-toolkit g++"),
        (
            "cuda",
            Level.GPU,
            "needs nvcc, g++, an NVIDIA GPU with its driver (this machine has none): "
            "sudo apt install nvidia-cuda-toolkit g++",
        ),
        (
            "triton",
            Level.CORRECT,
            f"needs the Python module torch, the Python module triton: {PIP} 'mlsys-path[kernels]'",
        ),
        (
            "triton",
            Level.COMPILES,
            f"needs the Python module torch, the Python module triton: {PIP} 'mlsys-path[kernels]'",
        ),
        ("distributed", Level.CORRECT, f"needs the Python module torch: {PIP} 'mlsys-path[kernels]'"),
    ],
)
def test_a_bare_machine_says_in_one_line_what_would_add_it(make_exercise, bare, language, level, line):
    assert open_because(make_exercise(language, level), level, bare) == line


def test_a_gpu_has_no_command(make_exercise, full):
    machine = replace(full, gpus=())
    for language in ("cuda", "triton"):
        for level in (Level.GPU, Level.FAST):
            (lack,) = missing(make_exercise(language, level), level, machine)
            assert (lack.what, lack.command) == ("an NVIDIA GPU with its driver (this machine has none)", "")
    assert missing(make_exercise("triton", Level.COMPILES), Level.COMPILES, machine) == ()
    assert missing(make_exercise("cpp", Level.FAST), Level.FAST, machine) == ()


def test_torch_for_the_cpu_does_not_use_a_gpu(make_exercise, full):
    machine = replace(full, torch_cuda="")
    (lack,) = missing(make_exercise("triton", Level.GPU), Level.GPU, machine)
    assert lack.what == "torch built for CUDA"
    assert lack.command == f"{PIP} --force-reinstall torch"
    assert missing(make_exercise("triton", Level.CORRECT), Level.CORRECT, machine) == ()


def test_cuda_is_timed_with_torch(make_exercise, full):
    exercise = make_exercise("cuda", Level.GPU, Level.FAST)
    assert open_because(exercise, Level.FAST, replace(full, torch_cuda="")) == (
        f"needs torch built for CUDA: {PIP} --force-reinstall torch"
    )
    without = replace(full, modules=frozenset({"numpy"}), torch_cuda="")
    assert open_because(exercise, Level.FAST, without) == (
        f"needs the Python module torch: {PIP} 'mlsys-path[kernels]'"
    )
    assert missing(exercise, Level.GPU, without) == ()


def test_triton_on_a_gpu_builds_its_launcher(make_exercise, full):
    machine = replace(full, python_headers=False, tools={})
    line = open_because(make_exercise("triton", Level.GPU), Level.GPU, machine)
    assert line == "needs gcc, Python's C headers: sudo apt install gcc python3-dev"


def test_an_exercise_adds_needs_of_its_own(make_exercise, bare, full):
    exercise = make_exercise("c", needs=Needs(python=("torch",), tools=("objdump", "perf-of-mine")))
    assert open_because(exercise, Level.CORRECT, bare) == (
        "needs gcc, the Python module torch, objdump, perf-of-mine (no package of this system is known to have it): "
        f"sudo apt install gcc binutils && {PIP} 'mlsys-path[kernels]'"
    )
    assert [m.what for m in missing(exercise, Level.CORRECT, full)] == [
        "perf-of-mine (no package of this system is known to have it)"
    ]


def test_gpus_are_counted_at_the_levels_that_use_them(make_exercise, full):
    exercise = make_exercise("distributed", Level.CORRECT, Level.GPU, needs=Needs(gpus=2))
    assert missing(exercise, Level.CORRECT, full) == ()
    assert open_because(exercise, Level.GPU, full) == "needs 2 NVIDIA GPUs (this machine has 1)"
    assert missing(exercise, Level.GPU, replace(full, gpus=(Gpu("a"), Gpu("b")))) == ()


@pytest.mark.parametrize(("version", "enough"), [("11.5", False), ("11.8", True), ("13.0", True), ("", True)])
def test_nvcc_must_know_the_target(make_exercise, full, version, enough):
    line = open_because(
        make_exercise("cuda", Level.COMPILES), Level.COMPILES, replace(full, nvcc_version=version)
    )
    assert line == ("" if enough else f"needs nvcc 11.8 or newer (this one is {version})")


@pytest.mark.parametrize(
    ("manager", "root", "command"),
    [
        ("apt", False, "sudo apt install openmpi-bin libopenmpi-dev gcc"),
        ("apt", True, "apt install openmpi-bin libopenmpi-dev gcc"),
        (
            "dnf",
            False,
            "sudo dnf install openmpi-devel gcc libasan libubsan libtsan && export PATH=$PATH:/usr/lib64/openmpi/bin",
        ),
        ("pacman", False, "sudo pacman -S --needed openmpi gcc"),
        (
            "zypper",
            True,
            "zypper install openmpi4-devel gcc && export PATH=$PATH:/usr/lib64/mpi/gcc/openmpi4/bin",
        ),
        ("brew", True, "brew install open-mpi gcc"),
    ],
)
def test_the_command_is_that_of_the_package_manager(make_exercise, bare, manager, root, command):
    machine = replace(bare, package_manager=manager, administrator=root)
    assert " && ".join(commands(missing(make_exercise("mpi"), Level.CORRECT, machine))) == command


def test_without_a_package_manager_there_is_a_sentence(make_exercise, bare):
    line = open_because(make_exercise("c"), Level.CORRECT, replace(bare, package_manager=""))
    assert line == "needs gcc (no package of this system is known to have it)"


def test_pip_is_that_of_this_programs_environment(make_exercise, bare):
    exercise = make_exercise("distributed")
    spaced = replace(bare, executable="/home/a b/python")
    assert missing(exercise, Level.CORRECT, spaced)[0].command.startswith("'/home/a b/python' -m pip install")
    by_uv = replace(bare, modules=frozenset(), tools={"uv": "/usr/bin/uv"})
    assert missing(exercise, Level.CORRECT, by_uv)[0].command == (
        "uv pip install --python /home/lin/.venv/bin/python 'mlsys-path[kernels]'"
    )


def test_an_exercise_is_checkable_when_any_of_its_levels_is(make_exercise, full):
    no_gpu = replace(full, gpus=())
    assert checkable(make_exercise("triton", Level.CORRECT, Level.GPU), no_gpu)
    assert not checkable(make_exercise("triton", Level.GPU), no_gpu)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("manager", ["apt", "dnf", "pacman", "zypper", "brew", ""])
def test_every_lack_has_words_and_the_line_stays_one(make_exercise, bare, language, level, manager):
    machine = replace(bare, package_manager=manager)
    exercise = make_exercise(language, level)
    assert all(lack.what for lack in missing(exercise, level, machine))
    assert "\n" not in open_because(exercise, level, machine)


def test_mlir_and_bindings_name_their_packages(make_exercise, bare, full):
    mlir = make_exercise("cpp", needs=Needs(tools=("mlir-opt-22", "llvm-config-22")))
    machine = replace(bare, tools={"g++": "/usr/bin/g++"})
    packages = "libmlir-22-dev mlir-22-tools llvm-22-dev"
    assert (
        open_because(mlir, Level.CORRECT, machine)
        == f"needs mlir-opt-22, llvm-config-22: sudo apt install {packages}"
    )
    tools = {
        **machine.tools,
        "mlir-opt-22": "/usr/bin/mlir-opt-22",
        "llvm-config-22": "/usr/bin/llvm-config-22",
    }
    assert open_because(mlir, Level.CORRECT, replace(machine, tools=tools)) == ""

    binding = make_exercise("cpp", needs=Needs(python=("pybind11",)))
    assert (
        open_because(binding, Level.CORRECT, replace(machine, python_headers=False))
        == f"needs the Python module pybind11, Python's C headers: {PIP} pybind11 && sudo apt install python3-dev"
    )
