"""Commands that only read stay quick: fresh interpreters, and what they have imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "textual",
    "torch",
    "triton",
    "numpy",
    "pydantic",
    "sqlite_utils",
    "pytest",
    "hypothesis",
    "httpx",
    "yaml",
    "asyncio",
)
PROBE = """
import json, os, sys
code = 0
try:
    from mlsys_path.__main__ import main
    main()
except SystemExit as end:
    code = end.code
sys.stdout.flush()
sys.stderr.write(json.dumps({"code": code, "modules": sorted({m.split(".")[0] for m in sys.modules})}))
"""


def run(*args: str, cwd: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *args],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env=os.environ,
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] in (0, None), done.stderr
    assert done.stdout
    return set(told["modules"])


@pytest.mark.parametrize(
    "args",
    [
        ["list"], ["list", "--json"], ["next"], ["progress"], ["progress", "--json"], ["track", "list"],
        ["plan"], ["plan", "--json", "--until", "2099-12-31"],
        ["--help"], ["--version"], ["show", "lru-cache"],
        ["search", "cache"], ["--lang", "zh", "search", "缓存", "--json"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_reading_commands_import_nothing_heavy(args, tmp_path: Path):
    # the first call compiles the index of the roadmap, for which yaml and pydantic are right
    run("list", cwd=tmp_path)
    assert run(*args, cwd=tmp_path) & set(HEAVY) == set()


def test_a_word_is_stored_by_nothing_heavy_but_the_writer(tmp_path: Path):
    run("list", cwd=tmp_path)
    # which imports numpy where there is one
    writer = {"sqlite_utils", "numpy"}
    assert run("mark", "lru-cache", "known", cwd=tmp_path) & set(HEAVY) <= writer


def test_the_program_does_not_need_the_folder_it_was_started_in(tmp_path: Path):
    # a learner's folder may hold files that are named as modules are
    for name in ("json.py", "click.py", "torch.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the current folder')\n")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mlsys-path")), "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_packages_version_costs_no_imports():
    code = "import sys, mlsys_path; print(len([m for m in sys.modules if m.startswith('mlsys_path')]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
