"""The small project, built once for all workers, and a step at work on folders of a test's own."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import story as telling
from little import LITTLE
from story import Story

from mlsys_path.triton_build.events import Event, Facts
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.llvm_installed import find
from mlsys_path.triton_build.project import Project
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.work import Work

needs_llvm = pytest.mark.skipif(
    not any(each.mlir and each.lld for each in find({})) or not shutil.which("ninja"),
    reason="needs Debian's libmlir-22-dev, liblld-22-dev and ninja-build: see system-packages.txt",
)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Story:
    """The build that was stopped in every step; made by the first worker, read by the others."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "story.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = shared / "story.json"
        if not file.exists():
            folder = shared / "story"
            folder.mkdir()
            telling.keep(telling.tell(folder), file)
        return telling.kept(file)


@pytest.fixture
def built(story: Story, tmp_path: Path) -> Path:
    """A copy of the finished build, for tests that change it: all but what only compiling needs."""
    target = tmp_path / "build"
    shutil.copytree(
        story.path, target, symlinks=True, ignore=shutil.ignore_patterns("pch", "caches", "*.o", "tmp")
    )
    return target


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository of the small project of this test's own."""
    return telling.little_repository(tmp_path / "little")


WorkMaker = Callable[..., tuple[Work, list[Event]]]


@pytest.fixture
def work(tmp_path: Path) -> WorkMaker:
    """A step at work in a folder of its own, and the events of it: `work("llvm", facts={"source": {…}})`."""

    def make(
        step: str, facts: dict[str, Facts] | None = None, project: Project = LITTLE, **options: object
    ) -> tuple[Work, list[Event]]:
        layout = Layout.of(tmp_path / "at")
        layout.folder.mkdir(exist_ok=True)
        events: list[Event] = []
        settings = Settings(**options)  # type: ignore[arg-type]
        return Work(project, settings, layout, facts or {}, step, events.append), events

    return make
