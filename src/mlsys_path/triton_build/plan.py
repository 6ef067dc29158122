"""What a build would do, without doing it: nothing is made, started or asked of a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlsys_path.language import _
from mlsys_path.triton_build import estimates, resources, state
from mlsys_path.triton_build.engine import opened
from mlsys_path.triton_build.events import SCHEMA, Estimate
from mlsys_path.triton_build.layout import Layout
from mlsys_path.triton_build.project import Project
from mlsys_path.triton_build.settings import Settings
from mlsys_path.triton_build.steps import NAMES, STEPS
from mlsys_path.triton_build.work import Work


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that would run, or would be skipped."""

    step: str
    title: str
    what: str
    why: str
    done: bool
    estimate: Estimate
    commands: tuple[str, ...]  # as far as they are known before the steps in front have run


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole build."""

    project: str
    folder: str
    settings: Settings
    steps: tuple[Planned, ...]

    def to_json(self) -> dict[str, Any]:
        """The object of `--dry-run --json`."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "folder": self.folder,
            "settings": self.settings.to_json(),
            "steps": [asdict(step) for step in self.steps],
        }


def plan(
    project: Project, folder: Path, settings: Settings, *, resume: bool = False, start: str = ""
) -> Plan:
    """The steps as `engine.build` would take them."""
    layout = Layout.of(folder)
    kept = opened(project, layout, settings, resume=resume, start=start)
    facts = {name: done.facts for name, done in kept.done.items()}
    jobs = resources.compile_jobs(settings.jobs)
    steps = []
    rerun = False
    for step in STEPS:
        work = Work(project, settings, layout, facts, step.name, libraries=tuple(kept.libraries))
        if start:
            done = NAMES.index(step.name) < NAMES.index(start)
        else:
            done = not rerun and step.name in facts and step.holds(work, facts[step.name])
            rerun = rerun or (not done and step.name != NAMES[0])
        expected = estimates.estimate(layout, step.name, project.name, settings.llvm, jobs)
        steps.append(
            Planned(
                step.name, _(step.title), _(step.what), _(step.why), done, expected, tuple(step.preview(work))
            )
        )
    return Plan(project.name, str(layout.folder), settings, tuple(steps))


def kept_settings(folder: Path) -> Settings | None:
    """What an earlier build in a folder was asked for."""
    kept = state.load(Layout.of(folder).state)
    return kept.settings if kept else None
