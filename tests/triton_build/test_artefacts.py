"""The proof, asked for again: what is not the library that was built is refused, with the reason."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from conftest import needs_llvm
from little import LITTLE
from story import Story, git

from mlsys_path.triton_build import artefacts

pytestmark = needs_llvm


def verified(folder: Path) -> artefacts.Proved:
    build = artefacts.read(folder, LITTLE)
    assert build is not None
    return artefacts.verify(build)


def library_of(folder: Path) -> Path:
    return folder / "source/python/little/_C/liblittle.so"


def test_what_was_built_is_proved_again(story: Story):
    build = artefacts.read(story.path, LITTLE)
    assert build is not None
    assert artefacts.verify(build) == artefacts.Proved(True)
    assert build.steps_done[-1] == "run"
    assert build.llvm is not None
    assert (build.llvm / "lib/cmake/mlir/MLIRConfig.cmake").exists()
    assert build.artefact("module.mlir") is not None
    assert build.artefact("module.ptx") is None


def test_a_folder_without_a_build_is_none(tmp_path: Path):
    assert artefacts.read(tmp_path, LITTLE) is None


def test_a_copied_library_is_refused(built: Path):
    # of a wheel, as people do it
    wheel = importlib.util.find_spec("numpy")
    assert wheel is not None
    foreign = next(Path(wheel.submodule_search_locations[0]).rglob("*.so"))
    shutil.copy2(foreign, library_of(built))
    found = verified(built)
    assert (found.proved, found.failure) == (False, "foreign-library")
    assert "wheel" in found.cause


def test_a_symbolic_link_is_refused(built: Path, tmp_path: Path):
    library = library_of(built)
    library.rename(tmp_path / "elsewhere.so")
    library.symlink_to(tmp_path / "elsewhere.so")
    found = verified(built)
    assert (found.proved, found.failure) == (False, "symlink")
    assert "elsewhere.so" in found.cause


def test_an_edited_version_is_refused(built: Path):
    package = built / "source/python/little/__init__.py"
    package.write_text(package.read_text().replace("0.1.0", "3.7.0"))
    assert verified(built).failure == "edited-version"


def test_another_commit_is_refused(built: Path):
    tree = built / "source"
    git(tree, "commit", "--quiet", "--allow-empty", "-m", "another")
    assert verified(built).failure == "wrong-commit"


def test_a_library_without_the_marker_is_refused(built: Path):
    library = library_of(built)
    content = library.read_bytes()
    marker = artefacts.read(built, LITTLE).facts["import"]["marker"].encode()
    library.write_bytes(content.replace(marker, b"0" * len(marker)))
    build = artefacts.read(built, LITTLE)
    # as one who has changed the checkpoint too
    from mlsys_path.triton_build.proof import digest

    found = artefacts.verify(
        artefacts.Build(build.layout, build.project, build.settings, build.facts, (digest(library),))
    )
    assert found.failure == "no-marker"


def test_a_package_on_the_path_of_the_environment_has_no_say(built: Path, tmp_path: Path, monkeypatch):
    other = tmp_path / "other" / "little"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    assert verified(built).proved


def test_an_unfinished_build_is_not_proved(built: Path):
    build = artefacts.read(built, LITTLE)
    del build.facts["import"]
    assert artefacts.verify(build).failure == "no-library"


def test_proving_writes_nothing(built: Path):
    def files() -> dict[Path, int]:
        found = (p for p in built.rglob("*") if p.is_file() and not p.is_symlink())
        return {p: p.stat().st_mtime_ns for p in found if not {"__pycache__", ".git"} & set(p.parts)}

    before = files()
    assert verified(built).proved
    assert files() == before
