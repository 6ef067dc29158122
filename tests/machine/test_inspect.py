"""Looking at a machine: what is found, what it costs, and what cannot go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlsys_path.machine import inspect
from mlsys_path.machine.inspect import Gpu, Machine, version_of

INFORMATION = """Model: \t\t NVIDIA H200
IRQ:   \t\t 41
GPU UUID: \t GPU-00000000-0000-0000-0000-000000000000
Bus Location: \t 0000:00:06.0
Device Minor: \t {minor}
GPU Excluded:\t No
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a script of a name first on the path."""

    def make(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
        return path

    return make


def test_a_machine_in_one_line():
    laptop = Machine(architecture="x86_64", cores=2, memory_mb=24_105, kernel="Linux 6.18")
    assert laptop.describe() == "x86_64, 2 cores, 24 GB, no GPU, Linux 6.18"
    h200 = Gpu("NVIDIA H200", 143_771, "9.0", "580.1")
    assert (
        replace(laptop, cores=1, gpus=(h200,)).describe() == "x86_64, 1 core, 24 GB, NVIDIA H200, Linux 6.18"
    )
    server = replace(laptop, gpus=(h200, h200, Gpu("NVIDIA L4")))
    assert server.describe() == "x86_64, 2 cores, 24 GB, 2 × NVIDIA H200, NVIDIA L4, Linux 6.18"
    on_one = "NVIDIA H200 (sm_90, driver 580.1), NVIDIA H200, NVIDIA L4"
    assert server.describe(on_gpus=1) == f"x86_64, 2 cores, 24 GB, {on_one}, Linux 6.18"
    on_two = "2 × NVIDIA H200 (sm_90, driver 580.1), NVIDIA L4"
    assert server.describe(on_gpus=2) == f"x86_64, 2 cores, 24 GB, {on_two}, Linux 6.18"
    assert laptop.describe(on_gpus=1) == laptop.describe()


def test_gpus_are_the_devices_that_are_here(tmp_path):
    """A container sees every GPU of its host in /proc, and the devices that it was given in /dev."""
    for minor in (0, 1, 2):
        folder = tmp_path / f"proc/driver/nvidia/gpus/0000:00:0{minor}.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(INFORMATION.format(minor=minor))
    (tmp_path / "dev").mkdir()
    assert inspect._seen_gpus(tmp_path) == ()
    for name in ("nvidia1", "nvidia7", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    assert inspect._seen_gpus(tmp_path) == (Gpu("NVIDIA H200"), Gpu("NVIDIA GPU"))


def test_a_gpu_under_windows(tmp_path):
    for name in ("dev/dxg", "usr/lib/wsl/lib/libcuda.so.1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert inspect._seen_gpus(tmp_path) == (Gpu("NVIDIA GPU"),)


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "12.2.0"),
        ("gcc (GCC) 15.1.1 20250425 (Red Hat 15.1.1-1)", "15.1.1"),
        ("riscv64-unknown-elf-gcc (12.2.0-14+11+b2) 12.2.0", "12.2.0"),
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", "7.2.22"),
        ("mpirun (Open MPI) 4.1.4", "4.1.4"),
        ("Cuda compilation tools, release 13.0, V13.0.88", "13.0"),
        ("GNU objdump (GNU Binutils for Debian) 2.40", "2.40"),
        ("nothing of the kind", ""),
    ],
)
def test_versions(program, says, version):
    assert version_of(str(program("tool", f"echo '{says}'"))) == version


def test_a_program_that_does_not_answer_has_no_version(program, monkeypatch):
    monkeypatch.setattr(inspect, "_SECONDS", 0.2)
    assert version_of(str(program("tool", "exec sleep 60"))) == ""
    assert version_of("/no/such/program") == ""


def test_tools_and_modules_are_looked_up_by_any_name():
    machine = inspect.glance()
    assert machine.tools.get("sh")
    assert "no-such-program-anywhere" not in machine.tools
    assert "json" in machine.modules
    assert "json.decoder" in machine.modules
    assert "no_such_module_anywhere" not in machine.modules
    assert "" not in machine.modules
    assert set(machine.tools) <= set(inspect.TOOLS)
    assert len(machine.tools) == len(list(machine.tools))


def test_torch_and_triton_are_read_not_imported(tmp_path):
    """In a fresh interpreter, with packages that cannot be imported."""
    for name in ("torch", "triton"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "torch" / "version.py").write_text(
        "from typing import Optional\n__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n"
    )
    ptxas = tmp_path / "triton/backends/nvidia/bin/ptxas"
    ptxas.parent.mkdir(parents=True)
    ptxas.touch(0o755)
    program = (
        "import sys; from mlsys_path.machine.inspect import inspect; m = inspect(); "
        "print(m.torch_cuda, m.triton_ptxas, 'triton' in m.modules, 'torch' in sys.modules, 'psutil' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["13.0", str(ptxas), "True", "False", "False"]


def test_torch_for_the_cpu_has_no_cuda(tmp_path, monkeypatch):
    (tmp_path / "version.py").write_text("cuda: Optional[str] = None\ncuda_archs = '9.0'\n")
    monkeypatch.setattr(inspect, "_find_module", lambda _name: tmp_path / "__init__.py")
    assert inspect._torch_cuda() == ""


def test_a_ptxas_of_ones_own_counts_only_when_it_runs(monkeypatch, program, tmp_path):
    monkeypatch.setenv("TRITON_PTXAS_PATH", str(tmp_path / "missing"))
    assert inspect._triton_ptxas() == ""
    monkeypatch.setenv("TRITON_PTXAS_PATH", str(program("ptxas", "")))
    assert inspect._triton_ptxas() == str(tmp_path / "bin/ptxas")


def test_opencl_drivers_are_icd_files(tmp_path, monkeypatch):
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    assert inspect._opencl_platforms() == ()
    (tmp_path / "pocl.icd").touch()
    (tmp_path / "readme.txt").touch()
    assert inspect._opencl_platforms() == ("pocl",)


def test_a_glance_starts_no_process(monkeypatch):
    """`next` and `list` take one: it must not wait for a driver."""
    inspect.glance.cache_clear()

    def refuse(*_args, **_kwargs):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    machine = inspect.glance()
    assert machine.cores >= 1
    assert machine.memory_mb > 100
    assert (machine.sandbox, machine.nvcc_version) == ("", "")


def test_an_inspection_fills_in_the_rest_and_is_made_once():
    machine = inspect.inspect()
    assert machine.sandbox in ("bubblewrap", "landlock", "rlimits")
    assert bool(machine.sandbox_lacks) == (machine.sandbox != "bubblewrap")
    assert inspect.inspect() is machine


def test_versions_of_what_is_here():
    found = inspect.versions(inspect.glance())
    assert found["numpy"]
    assert set(found) <= {*inspect.TOOLS, *inspect.MODULES}


def test_a_home_that_does_not_exist_yet_has_a_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "not" / "yet"))
    assert inspect._disk_free_mb() > 0


def test_what_is_installed_meanwhile_is_seen_after_forgetting(program):
    assert "brand-new-tool" not in inspect.glance().tools
    path = program("brand-new-tool", "")
    inspect.forget()
    assert inspect.glance().tools["brand-new-tool"] == str(path)
