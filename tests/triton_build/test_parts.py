"""The parts by themselves: what a checkout says, jobs, progress, estimates, the checkpoint, the marker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from little import LITTLE

from mlsys_path.errors import UserError
from mlsys_path.triton_build import estimates, ninja, proof, resources, state, tools
from mlsys_path.triton_build.estimates import Taken
from mlsys_path.triton_build.events import Estimate
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.project import TRITON
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.state import State
from mlsys_path.triton_build.tree import Tree

HASH = "4611156032e1ebac68b2b8f6107b1475a7c60800"


def write(root: Path, texts: dict[str, str]) -> Tree:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Tree(root, TRITON)


def test_the_pin_of_each_age(tmp_path: Path):
    new = write(tmp_path / "new", {
        "cmake/llvm-info.json": json.dumps({"llvm_hash": HASH, "build_number": 1, "sha256sum": {"ubuntu-x64": "ab"}}),
    }).pin()  # fmt: skip
    assert new is not None
    assert (new.commit, new.build, new.checksums) == (HASH, 1, (("ubuntu-x64", "ab"),))
    middle = write(tmp_path / "middle", {"cmake/llvm-hash.txt": HASH + "\n"}).pin()
    assert middle is not None
    assert (middle.commit, middle.build, middle.file) == (HASH, None, "cmake/llvm-hash.txt")
    old = write(tmp_path / "old", {"python/setup.py": 'rev = "c5dede880d1"\n'}).pin()
    assert old is not None
    assert (old.commit, old.file) == ("c5dede880d1", "setup.py")
    assert write(tmp_path / "none", {"setup.py": ""}).pin() is None


def test_the_binding_is_what_setup_imports(tmp_path: Path):
    assert write(tmp_path / "a", {"setup.py": "import os\nimport nanobind\n"}).binding() == "nanobind"
    assert write(tmp_path / "b", {"python/setup.py": "import pybind11\n"}).binding() == "pybind11"


def test_requirements_and_pythons(tmp_path: Path):
    tree = write(tmp_path, {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=40.8.0", "cmake>=3.20,<4.0", "nanobind==2.10.2"]\n',
        "setup.py": "MIN_PYTHON = (3, 10)\nMAX_PYTHON = (3, 14)\n",
    })  # fmt: skip
    assert tree.requirements()[-1] == "nanobind==2.10.2"
    assert tree.pythons() == ((3, 10), (3, 14))


def test_setup_lies_at_the_root_or_in_python(tmp_path: Path):
    assert write(tmp_path / "new", {"setup.py": ""}).setup == tmp_path / "new"
    old = write(tmp_path / "old", {"python/setup.py": "", "setup.cfg": ""})
    assert old.setup == tmp_path / "old/python"


def test_components_are_those_of_others(tmp_path: Path):
    tree = write(tmp_path, {
        "CMakeLists.txt": "add_mlir_library(MLIROwnDialect)\ntarget_link_libraries(x MLIROwnDialect MLIRIR LLVMPasses)\n"
                          "# LLVMNVPTXAsmPrinter\nlink(${LLVM_LIBRARY_DIR} ${MLIR_DIR})\n",
        "test/CMakeLists.txt": "target_link_libraries(x MLIRTestThings)\n",
    })  # fmt: skip
    assert tree.components() == {"MLIRIR", "LLVMPasses"}


def test_ninjas_lines():
    assert ninja.parse("[123/392] Building CXX object x.o") == (123, 392, "Building CXX object x.o")
    assert ninja.parse("  [1/2] as pip indents it") == (1, 2, "as pip indents it")
    assert ninja.parse("[5/2] is none") is None
    assert ninja.parse("Building [1/2]") is None


def test_the_rest_is_told_by_the_pace_of_late():
    now = [0.0]
    pace = ninja.Pace(lambda: now[0])
    # as Triton's build begins: 142 steps of table generation in 1.5 s, then files of 6 s each
    for done in range(1, 143):
        now[0] += 0.01
        pace.eta(done, 392)
    eta = None
    for done in range(143, 180):
        now[0] += 6
        eta = pace.eta(done, 392)
    assert eta is not None
    assert 0.8 < eta / (6 * (392 - 179)) < 1.2
    assert pace.eta(392, 392) == 0


def test_nothing_is_promised_before_there_is_a_pace():
    now = [0.0]
    pace = ninja.Pace(lambda: now[0])
    assert pace.eta(1, 100) is None
    now[0] = 0.5
    assert pace.eta(2, 100) is None


@pytest.mark.parametrize(
    ("memory", "cpus", "jobs"), [(24_000, 2, 2), (3_000, 8, 1), (500, 8, 1), (8_192, 16, 4), (64_000, 16, 16)]
)
def test_jobs_by_memory(memory, cpus, jobs):
    assert resources.compile_jobs(memory=memory, cpus=cpus) == jobs


def test_jobs_that_are_asked_for_are_taken():
    assert resources.compile_jobs(7, memory=100, cpus=1) == 7


def test_links_take_more_memory():
    assert resources.link_jobs(8, memory=9_300) == 2
    assert resources.link_jobs(8, memory=2_000) == 1


def test_memory_is_what_a_container_allows(tmp_path: Path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 32000000 kB\nMemAvailable: 16384000 kB\n")
    assert resources.memory_mb(tmp_path) == 16000
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(str(4 << 30))
    (group / "memory.current").write_text(str(1 << 30))
    assert resources.memory_mb(tmp_path) == 3072
    (group / "memory.max").write_text("max")
    assert resources.memory_mb(tmp_path) == 16000


def taken(step: str, seconds: float, **more: object) -> Taken:
    values = {"project": "triton", "llvm": "system", "jobs": 2, "disk_mb": 100, "peak_mb": 900, **more}
    return Taken(step, seconds=seconds, **values)  # type: ignore[arg-type]


def test_estimates_are_learned_here_and_from_neighbours(tmp_path: Path):
    here, beside = Layout.of(tmp_path / "here"), Layout.of(tmp_path / "beside")
    for layout in (here, beside):
        layout.folder.mkdir()
    first = estimates.estimate(here, "libtriton", "triton", "system", 2)
    assert (first.basis, first.seconds) == ("measured", 576)
    estimates.remember(beside, taken("libtriton", 640))
    estimates.remember(here, taken("libtriton", 660))
    estimates.remember(here, taken("libtriton", 9_000, llvm="prebuilt"))
    with here.history.open("a") as file:
        file.write('{"step": "libtri')  # cut short by a kill
    learned = estimates.estimate(here, "libtriton", "triton", "system", 2)
    assert learned == Estimate(650, 100, 900, "learned")


def test_what_nobody_has_measured_is_not_estimated(tmp_path: Path):
    assert estimates.estimate(Layout.of(tmp_path), "source", "triton", "system", 2) == Estimate()
    assert estimates.estimate(Layout.of(tmp_path), "libtriton", "little", "system", 2) == Estimate()


def test_the_checkpoint_is_the_old_one_or_the_new_one(tmp_path: Path):
    path = tmp_path / "state.json"
    kept = State("triton", Settings(ref="v3.7.0", targets=("nvidia",), jobs=3))
    kept.finish("libtriton", {"sha256": "ab"}, 5.0)
    kept.save(path)
    # a kill in the middle of the next save leaves this beside it
    path.with_name("state.json.new").write_text('{"schema": 1, "pro')
    found = state.load(path)
    assert found is not None
    assert found.settings == kept.settings
    assert found.done["libtriton"].facts == {"sha256": "ab"}
    assert found.libraries == ["ab"]


def test_a_checkpoint_that_cannot_be_read_is_one_line(tmp_path: Path):
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(UserError, match=r"state\.json cannot be read"):
        state.load(tmp_path / "state.json")


def test_the_lock_of_a_dead_build_is_taken_over(tmp_path: Path):
    code = (
        "import os, sys; from pathlib import Path; from mlsys_path.triton_build import state\n"
        f"with state.locked(Path({str(tmp_path / '.lock')!r})): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with state.locked(tmp_path / ".lock"):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_marker_comes_and_goes(tmp_path: Path):
    source = tmp_path / "main.cc"
    source.write_bytes(b"int x; // \xff\n")
    os.utime(source, ns=(1_000_000_000, 1_000_000_123))
    marked = proof.Marked(source, tmp_path / "journal")
    marked.write("0123abc")
    assert b'"0123abc"' in source.read_bytes()
    # what a kill leaves is put right by the next run
    assert proof.Marked(source, tmp_path / "journal").restore()
    assert source.read_bytes() == b"int x; // \xff\n"
    assert source.stat().st_mtime_ns == 1_000_000_123
    assert not proof.Marked(source, tmp_path / "journal").restore()


def test_versions_in_programs_words():
    assert tools.version("Debian clang version 22.1.8 (1)\nTarget: x86_64") == (22, 1, 8)
    assert tools.version("cmake version 3.25.1") == (3, 25, 1)
    assert tools.version("none") == ()


def test_the_small_project_is_named_as_what_it_is():
    readme = (Path(__file__).parent / "project/README.md").read_text()
    assert "stand-in" in readme
    assert LITTLE.name != TRITON.name
