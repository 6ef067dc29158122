"""The wheel carries its content and works from any folder, without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from mlsys_path.__main__ import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    [path] = out.glob("*.whl")
    return path


def tracked(*folders: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_it_holds_the_package_and_the_content(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in tracked("exercises", "roadmap"):
        assert f"mlsys_path/_content/{name}" in names
    for name in tracked("src"):
        assert name.removeprefix("src/") in names


def test_it_holds_no_left_overs_and_no_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert not [
        name for name in names if "__pycache__" in name or name.endswith(".pyc") or "/.hypothesis/" in name
    ]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_installed_it_works_from_any_folder(wheel: Path, tmp_path: Path):
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)

    def program(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-c", RUN, str(installed), *args],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    listed = program("list")
    assert listed.returncode == 0, listed.stderr
    assert "lru-cache" in listed.stdout
    started = program("start", "lru-cache")
    assert started.returncode == 0, started.stderr
    checked = program("check", "lru-cache")
    assert checked.returncode == 1, checked.stderr
    assert "write put()" in checked.stdout
