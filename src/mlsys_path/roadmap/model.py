"""The records of the roadmap: stages, topics, resources, tracks and exercise specs.

They are standard-library dataclasses, so that a command that only reads the compiled index never imports
pydantic; `roadmap.documents` validates YAML into them with pydantic's `TypeAdapter`, which reads the
`Annotated` constraints below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from mlsys_path.language import Text
from mlsys_path.levels import Level

FORBID_EXTRA = {"extra": "forbid"}

StageId = Literal[
    "foundations", "os", "parallel", "cuda", "dlsys", "compilers", "llm", "distributed", "inference"
]
AdapterName = Literal["python", "c", "cpp", "riscv", "mpi", "opencl", "cuda", "triton", "distributed"]
ResourceKind = Literal["course", "book", "docs", "repo", "paper", "article", "tool", "video"]


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to read, watch or run that others made."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    kind: ResourceKind
    urls: Annotated[tuple[str, ...], MinLen(1)]
    summary: Text
    status: str = ""
    licence: str = ""
    hours: Annotated[float, Ge(0)] = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A part of a stage: what to read and which exercises to solve."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    requires: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the nine parts of the path, in order."""

    __pydantic_config__ = FORBID_EXTRA
    id: StageId
    order: Annotated[int, Ge(1)]
    title: Text
    summary: Text
    topics: Annotated[tuple[Topic, ...], MinLen(1)]
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """An ordered way through the roadmap towards a goal."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    exercises: Annotated[tuple[str, ...], MinLen(1)]


@dataclass(frozen=True, slots=True)
class Needs:
    """What the checks cannot do without; what a language itself needs (a compiler) is known to its adapter."""

    __pydantic_config__ = FORBID_EXTRA
    python: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    gpus: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one run of all checks of an exercise, and of the learner's processes together."""

    __pydantic_config__ = FORBID_EXTRA
    seconds: Annotated[float, Ge(1), Le(3600)] = 30
    memory_mb: Annotated[int, Ge(64)] = 2048
    processes: Annotated[int, Ge(1)] = 64


@dataclass(frozen=True, slots=True)
class Check:
    """One declared check: a test function of `checks/`, in teaching order. A pass needs every one of them."""

    __pydantic_config__ = FORBID_EXTRA
    title: Text
    level: Level = Level.CORRECT
    cause: Text | None = None  # the likely cause, shown when the check fails


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong solution that people really write, and the check that catches it first."""

    __pydantic_config__ = FORBID_EXTRA
    fails: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise's spec, `exercise.yaml`."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    language: AdapterName
    files: Annotated[tuple[str, ...], MinLen(1)]
    difficulty: Annotated[int, Ge(1), Le(5)]
    minutes: Annotated[int, Ge(1)]
    checks: Annotated[dict[str, Check], MinLen(1)]
    hints: Annotated[tuple[Text, ...], MinLen(1)]
    concepts: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    needs: Needs = field(default_factory=Needs)
    limits: Limits = field(default_factory=Limits)
    wrong: dict[str, Wrong] = field(default_factory=dict)
