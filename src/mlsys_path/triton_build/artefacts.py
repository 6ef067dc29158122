"""What a build has left in its folder, for screens and for exercises that check it: reading, and proving again.

Nothing is built or written here, and what was built is imported in a process of its own alone.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mlsys_path.language import _
from mlsys_path.triton_build import proof, proof_probe, state
from mlsys_path.triton_build.events import Facts
from mlsys_path.triton_build.layout import Layout, default_folder
from mlsys_path.triton_build.project import TRITON, Project
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps import NAMES, importing
from mlsys_path.triton_build.tree import Tree
from mlsys_path.triton_build.work import StepRefused, Work

_PROBE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Build:
    """A build's folder as it is now."""

    layout: Layout
    project: Project
    settings: Settings
    facts: dict[str, Facts]  # of the steps that are done
    libraries: tuple[str, ...]

    @property
    def steps_done(self) -> tuple[str, ...]:
        """The steps that are done, in order."""
        return tuple(name for name in NAMES if name in self.facts)

    @property
    def tree(self) -> Tree:
        """The checkout."""
        return Tree(self.layout.tree, self.project)

    @property
    def llvm(self) -> Path | None:
        """The folder of the LLVM that it is built with; its bin/ has mlir-opt where that was built."""
        prefix = self.facts.get("llvm", {}).get("prefix")
        return Path(prefix) if prefix else None

    def artefact(self, name: str) -> Path | None:
        """A file that the last step kept, such as "sm_90/matmul/matmul.ttgir"; None when there is none."""
        path = self.layout.artefacts / name
        return path if path.is_file() else None


@dataclass(frozen=True, slots=True)
class Proved:
    """Whether the library of a build's folder is the one that was built there; else the name of the failure, and why."""

    proved: bool
    failure: str = ""
    cause: str = ""
    cure: tuple[str, ...] = ()


def read(folder: Path | None = None, project: Project = TRITON) -> Build | None:
    """The build in a folder (the default one when none is named), None when there is none."""
    layout = Layout.of(folder or default_folder())
    kept = state.load(layout.state)
    if kept is None or kept.project != project.name:
        return None
    facts = {name: done.facts for name, done in kept.done.items()}
    return Build(layout, project, kept.settings, facts, tuple(kept.libraries))


def verify(build: Build) -> Proved:
    """Prove again that the tree's library is what was built: by its digest, the marker in it, its place, the commit."""
    if "import" not in build.facts:
        return Proved(
            False,
            "no-library",
            _("step `import` of this build is not done, so nothing is proved"),
            (_("`mlsys-path build {project} --resume`").format(project=build.project.name),),
        )
    work = Work(
        build.project, build.settings, build.layout, build.facts, "import", libraries=build.libraries
    )  # fmt: skip
    try:
        importing.refuse_tampering(work, build.tree)
        importing.check(work, build.tree, _probe(build), str(build.facts["import"]["marker"]))
    except StepRefused as error:
        return Proved(False, error.failure, error.cause, error.cure)
    except (OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as error:
        return Proved(False, "no-library", _("it cannot be imported: {why}").format(why=error))
    return Proved(True)


def _probe(build: Build) -> Facts:
    """What a clean interpreter loads from the tree."""
    words: list[str | Path] = [build.layout.python, "-I", "-S", proof_probe.__file__, build.tree.python]
    words += [build.project.module, build.project.library, proof.SYMBOL]
    said = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=_PROBE_SECONDS, stdin=subprocess.DEVNULL
    )
    if said.returncode:
        raise ValueError((said.stderr.strip().splitlines() or [f"exit code {said.returncode}"])[-1])
    found: Facts = json.loads(said.stdout.splitlines()[-1])
    return found
