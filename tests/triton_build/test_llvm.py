"""The three ways to an LLVM: fetched from a server that misbehaves, installed, and built from a repository of its own."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import WorkMaker, needs_llvm
from little import LITTLE
from story import git

from mlsys_path.triton_build import download, llvm_installed, llvm_prebuilt
from mlsys_path.triton_build.steps import llvm, llvm_fetched, llvm_found
from mlsys_path.triton_build.tree import Pin, Tree
from mlsys_path.triton_build.work import StepRefused

PIN = "4a5b6c7d8e9f00112233445566778899aabbccdd"


class Server(ThreadingHTTPServer):
    """Serves one file: in ranges, and as slowly or wrongly as a test wants."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = b""
        self.stop_after: int | None = None  # bytes after which nothing comes any more
        self.cut_after: int | None = None  # bytes after which the connection is closed
        self.ranges: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = self.headers.get("range", "")
        self.server.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        body = self.server.content[begin:]
        self.send_response(206 if asked else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.server.cut_after is not None:
            self.wfile.write(body[: self.server.cut_after])
            self.wfile.flush()
            self.connection.close()
        elif self.server.stop_after is not None:
            self.wfile.write(body[: self.server.stop_after])
            self.wfile.flush()
            self.server.over.wait(30)
        else:
            self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def archive(name: str) -> bytes:
    """An archive as Triton publishes: one folder, with what proves it."""
    files = {
        "lib/cmake/mlir/MLIRConfig.cmake": b"",
        "bin/mlir-tblgen": b"#!/bin/sh\necho LLVM version 23\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def tree_at(folder: Path, place: str, **info: object) -> Tree:
    """A checkout whose scripts fetch from a place."""
    (folder / "cmake").mkdir(parents=True)
    (folder / "cmake/llvm-info.json").write_text(json.dumps({"llvm_hash": PIN, **info}))
    (folder / "setup.py").write_text(f'url = f"{place}/public/llvm-builds/{{name}}.tar.gz"\n')
    return Tree(folder, LITTLE)


def test_a_download_goes_on_at_the_byte_where_it_stopped(server: Server, tmp_path: Path):
    server.content, server.cut_after = bytes(range(256)) * 4096, 500_000
    target = tmp_path / "file"
    with pytest.raises(download.Unreachable):
        asyncio.run(download.fetch(server.url, target))
    assert not target.exists()
    have = (tmp_path / "file.part").stat().st_size
    assert 0 < have <= 500_000
    server.cut_after = None
    sha = hashlib.sha256(server.content).hexdigest()
    asyncio.run(download.fetch(server.url, target, sha256=sha))
    assert server.ranges == ["", f"bytes={have}-"]
    assert target.read_bytes() == server.content


def test_a_download_that_hangs_is_given_up(server: Server, tmp_path: Path):
    server.content, server.stop_after = b"x" * 100_000, 10
    with pytest.raises(download.Stalled):
        asyncio.run(download.fetch(server.url, tmp_path / "file", stall_seconds=0.3))


def test_a_file_that_is_another_is_refused(server: Server, tmp_path: Path):
    server.content = b"a proxy's page"
    with pytest.raises(download.WrongContent):
        asyncio.run(download.fetch(server.url, tmp_path / "file", sha256="0" * 64))
    assert list(tmp_path.iterdir()) == []


def test_prebuilt_is_fetched_checked_and_unpacked(server: Server, work: WorkMaker, monkeypatch):
    monkeypatch.setenv("TRITON_LLVM_SYSTEM_SUFFIX", "ubuntu-x64")
    name = f"llvm-{PIN[:8]}-ubuntu-x64-3"
    server.content = archive(name)
    step, events = work("llvm")
    sums = {"ubuntu-x64": hashlib.sha256(server.content).hexdigest()}
    tree_at(step.layout.tree, server.url, build_number=3, sha256sum=sums)
    facts = asyncio.run(llvm.STEP.run(step))
    assert facts["prefix"] == str(step.layout.llvm / name)
    assert facts["archive"].endswith(f"/public/llvm-builds/{name}.tar.gz")
    assert llvm.STEP.holds(step, facts)
    assert PIN[:8] in llvm.STEP.say(facts)
    assert any(getattr(e, "unit", "") == "bytes" for e in events)


def test_prebuilt_stalled_says_how_to_go_on(server: Server, work: WorkMaker, monkeypatch):
    monkeypatch.setattr(llvm_fetched, "STALL_SECONDS", 0.3)
    server.content, server.stop_after = b"x" * 1000, 10
    step, _events = work("llvm")
    tree_at(step.layout.tree, server.url)
    with pytest.raises(StepRefused) as refused:
        asyncio.run(llvm.STEP.run(step))
    assert refused.value.failure == "stalled"
    assert any("--resume" in cure for cure in refused.value.cure)


def test_a_prebuilt_llvm_that_is_half_there_is_refused(server: Server, work: WorkMaker, monkeypatch):
    monkeypatch.setenv("TRITON_LLVM_SYSTEM_SUFFIX", "ubuntu-x64")
    step, _events = work("llvm")
    tree_at(step.layout.tree, server.url)
    (step.layout.llvm / f"llvm-{PIN[:8]}-ubuntu-x64" / "bin").mkdir(parents=True)
    with pytest.raises(StepRefused) as refused:
        asyncio.run(llvm.STEP.run(step))
    assert refused.value.failure == "mlir-config"


def test_an_archive_is_named_as_tritons_scripts_name_it(tmp_path: Path):
    tree = tree_at(tmp_path / "a", "https://example.org")
    environ = {"TRITON_LLVM_SYSTEM_SUFFIX": "almalinux-x64"}
    older = llvm_prebuilt.archive(tree, Pin(PIN, "cmake/llvm-hash.txt"), environ)
    newer = llvm_prebuilt.archive(tree, Pin(PIN, "cmake/llvm-info.json", 1), environ)
    assert older is not None
    assert newer is not None
    assert older.url == "https://example.org/public/llvm-builds/llvm-4a5b6c7d-almalinux-x64.tar.gz"
    assert newer.name == "llvm-4a5b6c7d-almalinux-x64-1"


# LLVM's own CMake, as little as one can: what `--llvm source` asks of it, and some steps
SMALL_LLVM = """\
cmake_minimum_required(VERSION 3.20)
project(llvm NONE)
if(NOT LLVM_TARGETS_TO_BUILD MATCHES "NVPTX" OR NOT LLVM_ENABLE_PROJECTS MATCHES "mlir")
  message(FATAL_ERROR "not what Triton needs")
endif()
file(WRITE ${CMAKE_BINARY_DIR}/lib/cmake/mlir/MLIRConfig.cmake "")
file(WRITE ${CMAKE_BINARY_DIR}/bin/mlir-tblgen "#!/bin/sh\\necho tblgen\\n")
file(CHMOD ${CMAKE_BINARY_DIR}/bin/mlir-tblgen PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
foreach(i RANGE 1 6)
  add_custom_command(OUTPUT ${i}.o COMMAND ${CMAKE_COMMAND} -E touch ${i}.o)
  list(APPEND all ${CMAKE_BINARY_DIR}/${i}.o)
endforeach()
add_custom_target(everything ALL DEPENDS ${all})
"""


def test_source_builds_exactly_the_pinned_commit(work: WorkMaker, tmp_path: Path):
    upstream = tmp_path / "llvm-upstream"
    (upstream / "llvm").mkdir(parents=True)
    (upstream / "llvm/CMakeLists.txt").write_text(SMALL_LLVM)
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-q", "-m", "pinned")
    pinned = git(upstream, "rev-parse", "HEAD")
    git(upstream, "commit", "-q", "--allow-empty", "-m", "newer")
    project = replace(LITTLE, llvm_repository=f"file://{upstream}")
    step, events = work("llvm", {"source": {"llvm_commit": pinned}}, project, llvm="source")
    facts = asyncio.run(llvm.STEP.run(step))
    assert facts["steps"] == 6
    assert git(step.layout.llvm_source, "rev-parse", "HEAD") == pinned
    progress = [(e.done, e.total) for e in events if hasattr(e, "total")]
    assert progress[-1] == (6, 6)
    # again: nothing is fetched, configured or built a second time
    events.clear()
    (upstream / "llvm").rename(tmp_path / "away")
    asyncio.run(llvm.STEP.run(step))
    assert next(e.command[0] for e in events if hasattr(e, "command")) == "ninja"


@pytest.mark.parametrize(
    ("major", "day", "near", "words"),
    [
        (22, "2026-01-29", True, "16 days after"),
        (22, "2026-01-05", True, "8 days before"),
        (22, "2026-06-01", False, "139 days after"),
        (19, "2024-08-29", False, "37 days after"),
    ],
)
def test_the_distance_of_a_release_is_said_in_days(tmp_path: Path, major, day, near, words):
    installed = llvm_installed.Installed(
        tmp_path, f"{major}.1.0", frozenset({"NVPTX", "AMDGPU"}), True, True, True, False, frozenset()
    )
    tree = Tree(tmp_path, LITTLE)
    found = llvm_installed.verdict(installed, tree, PIN, datetime.date.fromisoformat(day))
    facts = llvm_found.as_facts(found)
    assert words in llvm_found.distance(facts)
    assert found.near is near


def test_what_a_checkout_names_and_an_llvm_lacks_is_looked_up(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.cpp").write_text('#include "mlir/Old/Place.h"\n#include "mlir/IR/There.h"\n')
    (tmp_path / "lib/CMakeLists.txt").write_text("target_link_libraries(x MLIRGoneDialect LLVMOldCodeGen)\n")
    prefix = tmp_path / "prefix"
    (prefix / "include/mlir/IR").mkdir(parents=True)
    (prefix / "include/mlir/IR/There.h").write_text("")
    installed = llvm_installed.Installed(
        prefix, "22.1.0", frozenset({"NVPTX"}), True, True, True, False, frozenset({"LLVMOldCodeGen"})
    )
    found = llvm_installed.verdict(installed, Tree(tmp_path, LITTLE), PIN, None)
    assert found.missing_headers == (("mlir/Old/Place.h", 1),)
    assert found.missing_components == ("MLIRGoneDialect",)
    assert found.missing_targets == ("AMDGPU",)
    assert not found.fits
    assert "will not compile" in llvm_found.distance(llvm_found.as_facts(replace(found, days=3)))


def test_known_pins_tell_the_trunks_version():
    assert llvm_installed.trunk_of("ac5dc54d5091" + "0" * 28, None) == 23
    assert llvm_installed.trunk_of(PIN, datetime.date(2025, 9, 1)) == 22
    assert llvm_installed.trunk_of(PIN, None) is None


@needs_llvm
def test_debians_llvm_is_read():
    found = llvm_installed.read(Path("/usr/lib/llvm-22"))
    if found is None:
        pytest.skip("no LLVM 22")
    assert found.major == 22
    assert found.shared
    assert {"NVPTX", "AMDGPU", "X86"} <= found.targets
    assert {"MLIRIR", "LLVMPasses", "lldELF"} <= found.components


def test_an_llvm_without_a_target_is_refused(work: WorkMaker, monkeypatch):
    step, _events = work("llvm", llvm="system")
    tree_at(step.layout.tree, "https://example.org")
    one = llvm_installed.Installed(
        Path("/nowhere"), "22.1", frozenset({"X86"}), True, True, True, False, frozenset()
    )
    monkeypatch.setattr(llvm_installed, "find", lambda: [one])
    with pytest.raises(StepRefused) as refused:
        asyncio.run(llvm_found.run(step))
    assert refused.value.failure == "llvm-targets"


def test_the_user_names_the_llvm(tmp_path: Path, monkeypatch):
    assert llvm_installed.find({"LLVM_SYSPATH": str(tmp_path)}) == []
