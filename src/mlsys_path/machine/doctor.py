"""What `mlsys-path doctor` tells: pure over a `Machine` and the exercises there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, get_args

from mlsys_path.language import _
from mlsys_path.levels import LEVELS, Level
from mlsys_path.machine import packages
from mlsys_path.machine.inspect import MODULES, TOOLS
from mlsys_path.machine.packages import Missing, commands
from mlsys_path.machine.records import Gpu, Machine
from mlsys_path.machine.requirements import missing
from mlsys_path.roadmap.model import AdapterName, Exercise

SCHEMA = 1
LANGUAGES: tuple[AdapterName, ...] = get_args(AdapterName)


class Roadmap(Protocol):
    """What is needed of the roadmap: its exercises."""

    @property
    def exercises(self) -> Mapping[str, Exercise]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """One language at one level: whether, and for how many of its exercises, it can be checked here."""

    language: AdapterName
    level: Level
    state: Literal["ready", "partly", "open"]
    exercises: int  # that have checks of this level
    ready: int  # of them that this machine can check
    lacks: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def because(self) -> str:
        """What it lacks, in one line; "" when it is ready."""
        return "; ".join([*self.lacks, *self.commands])


@dataclass(frozen=True, slots=True)
class SandboxRow:
    """The sandbox that learners' programs run in, what that means, and the command that makes it stronger."""

    kind: str
    state: Literal["ready", "partly"]
    means: str
    lacks: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A program or module that checks may use; path and version are "" where missing or not asked for."""

    name: str
    found: bool
    version: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the doctor found."""

    machine: str
    python: str
    memory_mb: int
    disk_free_mb: int
    gpus: tuple[Gpu, ...]
    sandbox: SandboxRow
    languages: tuple[LanguageRow, ...]
    tools: tuple[ToolRow, ...]
    commands: tuple[str, ...]  # all that would make more ready, each once

    def to_json(self) -> dict[str, Any]:
        """The object of `doctor --json`."""
        return {"schema": SCHEMA, **asdict(self)}


def report(machine: Machine, roadmap: Roadmap, versions: Mapping[str, str] | None = None) -> Report:
    """What a machine can check of a roadmap; `versions` are what `inspect.versions` found."""
    sandbox, sandbox_lack = _sandbox(machine)
    rows, lacks = _languages(machine, roadmap)
    return Report(
        machine=machine.describe(),
        python=machine.python,
        memory_mb=machine.memory_mb,
        disk_free_mb=machine.disk_free_mb,
        gpus=machine.gpus,
        sandbox=sandbox,
        languages=rows,
        tools=tuple(_tools(machine, versions or {})),
        commands=commands([*sandbox_lack, *lacks]),
    )


def _languages(machine: Machine, roadmap: Roadmap) -> tuple[tuple[LanguageRow, ...], list[Missing]]:
    by_row: dict[tuple[AdapterName, Level], list[Exercise]] = {}
    for exercise in roadmap.exercises.values():
        for level in {check.level for check in exercise.checks.values()}:
            by_row.setdefault((exercise.language, level), []).append(exercise)
    rows: list[LanguageRow] = []
    all_lacks: list[Missing] = []
    for language in LANGUAGES:
        for level in LEVELS:
            exercises = by_row.get((language, level), [])
            if not exercises:
                continue
            lacks = {lack: None for exercise in exercises for lack in missing(exercise, level, machine)}
            ready = sum(not missing(exercise, level, machine) for exercise in exercises)
            all_lacks += lacks
            rows.append(
                LanguageRow(
                    language,
                    level,
                    "ready" if ready == len(exercises) else "partly" if ready else "open",
                    len(exercises),
                    ready,
                    tuple(lack.what for lack in lacks),
                    commands(lacks),
                )
            )
    return tuple(rows), all_lacks


def _sandbox(machine: Machine) -> tuple[SandboxRow, list[Missing]]:
    means = {
        "bubblewrap": _("own file system, processes and network: nothing of yours can be seen or reached"),
        "landlock": _(
            "kernel rules for files (Landlock ABI {abi}): no own network, so traffic cannot be counted"
        ),
        "rlimits": _("limits of time and memory alone: check only programs that you trust"),
    }
    lacks = []
    if machine.sandbox != "bubblewrap" and "bwrap" not in machine.tools:
        lacks = [packages.system("bwrap", machine, "bubblewrap")]
    return (
        SandboxRow(
            machine.sandbox,
            "ready" if machine.sandbox == "bubblewrap" else "partly",
            means.get(machine.sandbox, "").format(abi=machine.landlock_abi),
            machine.sandbox_lacks,
            machine.sandbox_command or " && ".join(commands(lacks)),
        ),
        lacks or ([Missing("", then=machine.sandbox_command)] if machine.sandbox_command else []),
    )


def _tools(machine: Machine, versions: Mapping[str, str]) -> Iterator[ToolRow]:
    for name in TOOLS:
        path = machine.tools.get(name, "")
        yield ToolRow(name, bool(path), versions.get(name, ""), path)
    for name in MODULES:
        yield ToolRow(name, name in machine.modules, versions.get(name, ""))
