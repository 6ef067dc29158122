"""The records of the roadmap: stages, topics, resources, tracks and exercise specs.

They are standard-library dataclasses, so that a command that only reads the compiled index never imports
pydantic; `roadmap.documents` validates YAML into them with pydantic's `TypeAdapter`, which reads the
`Annotated` constraints below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MinLen

from mlsys_path.language import Language, Text
from mlsys_path.levels import Level

FORBID_EXTRA = {"extra": "forbid"}

AdapterName = Literal["python", "c", "cpp", "riscv", "mpi", "opencl", "cuda", "triton", "distributed"]
ResourceKind = Literal["course", "book", "docs", "repo", "paper", "article", "tool", "video"]
ResourceState = Literal["active", "stable", "classic", "dormant", "archived", "superseded"]
PAST: tuple[ResourceState, ...] = ("dormant", "archived", "superseded")


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to read, watch or run that others made."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    kind: ResourceKind
    urls: Annotated[tuple[str, ...], MinLen(1)]
    summary: Text  # one sentence: why, and when on the path
    state: ResourceState = "active"
    status: Text | None = None  # as of `checked`: the edition to take, what was renamed or moved
    checked: str = ""  # the month in which these facts were last looked at, "2026-11"
    verified: bool = False  # whether addresses, status and licence were seen, or come from general knowledge
    licence: str = ""
    languages: Annotated[tuple[Language, ...], MinLen(1)] = ("en",)
    hours: Annotated[float, Ge(0), Le(1000)] = 0  # for all of it
    requires: tuple[str, ...] = ()  # resources first
    worth: Text | None = None  # what of a dormant, archived or superseded one is still worth learning
    superseded_by: tuple[str, ...] = ()  # resources


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a resource that matter for a topic."""

    __pydantic_config__ = FORBID_EXTRA
    resource: str
    parts: Text
    hours: Annotated[float, Gt(0), Le(200)]
    url: str = ""  # of these parts, where the first address of the resource is that of others
    name: str = ""  # tells it from another part of the resource that the same topic or track wants read
    optional: bool = False  # for who wants more: no plan counts it


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the field, and what it means."""

    __pydantic_config__ = FORBID_EXTRA
    term: Text
    meaning: Text


@dataclass(frozen=True, slots=True)
class Topic:
    """A part of a stage: what to read, what to do, and what to be able to explain.

    A longer text lies in `pages/<id>.md` and `pages/<id>.zh.md` where the field has no one text for it.
    """

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    requires: tuple[str, ...] = ()
    reads: tuple[Reading, ...] = ()
    exercises: tuple[str, ...] = ()  # built or planned
    explain: tuple[Text, ...] = ()
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that a question offers."""

    __pydantic_config__ = FORBID_EXTRA
    text: Text
    right: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a stage's diagnostic: a number to work out, or one right option among several.

    Each name of `draw` gets one of its values at random; it stands in the texts as `{name}` and in `answer`, which
    is arithmetic over these names. `because` may say `{answer}` too.
    """

    __pydantic_config__ = FORBID_EXTRA
    id: str
    ask: Text
    because: Text
    draw: dict[str, Annotated[tuple[float, ...], MinLen(2)]] = field(default_factory=dict)
    answer: str = ""
    unit: Text | None = None
    tolerance: Annotated[float, Ge(0), Le(0.5)] = 0.01  # relative
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the parts of the path, in order."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    order: Annotated[int, Ge(1)]
    title: Text
    summary: Text
    topics: Annotated[tuple[Topic, ...], MinLen(1)]
    requires: tuple[str, ...] = ()
    why: Text | None = None  # why it matters for ML systems
    before: Text | None = None  # what to know first
    outcomes: tuple[Text, ...] = ()  # what one can do at its end
    diagnostic: tuple[Question, ...] = ()  # to test whether to skip it


@dataclass(frozen=True, slots=True)
class Planned:
    """An exercise that has its place and is not built yet."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    language: AdapterName | Literal["project"]
    hardware: Literal["cpu", "gpu", "gpus"]  # "gpu", "gpus": some of its levels will want one, or several
    difficulty: Annotated[int, Ge(1), Le(5)]
    minutes: Annotated[int, Ge(1)]
    requires: tuple[str, ...] = ()  # exercises, built or planned


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a track: exactly one of a stage, a topic, an exercise, or something to read."""

    __pydantic_config__ = FORBID_EXTRA
    stage: str | None = None
    topic: str | None = None
    exercise: str | None = None
    read: Reading | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """An ordered way through the roadmap towards a goal."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text
    summary: Text
    steps: Annotated[tuple[Step, ...], MinLen(1)]
    goal: Text | None = None  # what one can do at its end
    hours_per_week: Annotated[float, Gt(0), Le(100)] = 8


@dataclass(frozen=True, slots=True)
class Addition:
    """Topics that a pack adds to a stage of another source, `additions/*.yaml`."""

    __pydantic_config__ = FORBID_EXTRA
    stage: str
    topics: Annotated[tuple[Topic, ...], MinLen(1)]


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of content that somebody added, `pack.yaml`."""

    __pydantic_config__ = FORBID_EXTRA
    id: str
    title: Text


@dataclass(frozen=True)
class Renames:
    """Ids that were renamed, old to new, by kind, `renames.yaml`."""

    KINDS: ClassVar = ("exercises", "topics", "resources", "tracks")
    __pydantic_config__: ClassVar = FORBID_EXTRA
    exercises: dict[str, str] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    tracks: dict[str, str] = field(default_factory=dict)

    def newest(self, kind: str, id_: str) -> str:
        """What an id of a kind is called now."""
        names: dict[str, str] = getattr(self, kind)
        while id_ in names:
            id_ = names[id_]
        return id_


@dataclass(frozen=True, slots=True)
class Needs:
    """What the checks cannot do without; what a language itself needs (a compiler) is known to its adapter."""

    __pydantic_config__ = FORBID_EXTRA
    python: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    gpus: Annotated[int, Ge(0)] = 0
    gpu_memory_mb: Annotated[int, Ge(0)] = 0  # free on each GPU at the levels that use one; 0: as usual


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
