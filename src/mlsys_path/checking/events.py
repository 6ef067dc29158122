"""The event stream: all that a screen, a printer, `--json` or a remote executor knows of a running check."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mlsys_path.levels import Level, Outcome

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Declared:
    """A check that the exercise declares; `open_because` says why this machine cannot run it ("" when it can)."""

    name: str
    level: Level
    open_because: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The first event: every declared check in teaching order, and where they run."""

    exercise: str
    checks: tuple[Declared, ...]
    sandbox: str
    machine: str


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check began."""

    name: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How many elements differ in each block of an array seen as a matrix: its last axis, and all others as rows."""

    counts: tuple[tuple[int, ...], ...]
    rows: int  # of the matrix
    columns: int
    block: tuple[int, int]  # rows and columns that a count stands for; at the edges they may be fewer


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where two arrays differ: counts, the first index, the tile it lies in and the largest error."""

    shape: tuple[int, ...]
    dtype: str
    differing: int
    total: int
    first_index: tuple[int, ...]
    got: str
    expected: str
    largest_error: float | None = None
    tile: str = ""
    unwritten: int = 0  # elements that hold what memory held before: they are the ones that are counted then
    heat: HeatMap | None = None  # where they are; of one element there is no map


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest input that shows a failure, what came back and what was expected; all of it plain text."""

    calls: tuple[str, ...] = ()  # "softmax(x=float32[1, 3] [0., 1., 2.])", the calls that led to it
    got: str = ""
    expected: str = ""
    mismatch: Mismatch | None = None


Obstacle = Literal["", "unwritten", "unloaded", "unbuilt"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's end. Every declared check gets exactly one of these in a complete run."""

    name: str
    level: Level
    outcome: Outcome
    message: str = ""  # one or a few lines: what is wrong
    counterexample: Counterexample | None = None
    traceback: str = ""  # the learner's own frames and no others
    output: str = ""  # what the learner's code printed during this check, first and last 64 KiB
    seconds: float = 0.0
    obstacle: Obstacle = ""  # what kept the check from seeing what the code does


@dataclass(frozen=True, slots=True)
class Roofline:
    """Where a kernel stands under the roof of its device, of which bandwidth and peak were measured.

    Rates are FLOP/s; of a kernel without arithmetic (`intensity` 0) they are bytes/s.
    """

    intensity: float  # FLOP per byte
    achieved: float
    ceiling: float
    bound: Literal["memory", "compute"]
    fraction: float  # achieved / ceiling
    bandwidth: float  # bytes/s
    peak: float  # FLOP/s of the dtype, 0 where it was not measured
    dtype: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A ratio of two times taken in turn in one run, or a plain quantity when there is no baseline."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    against: str = ""  # what the baseline is: "torch", "copy", …
    bar: float | None = None  # the ratio that the exercise asks for
    star_bar: float | None = None  # the ratio that the reference reaches
    star: bool | None = None  # whether it was reached; None where there is no star to earn
    roofline: Roofline | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A kernel of the learner's that the real compiler took, with its IR in every stage: text, cut where it is long."""

    name: str
    target: str  # "sm_90"
    warps: int
    stages: int
    registers: int  # of one thread
    spills: int  # bytes of one thread
    shared: int  # bytes of one block
    launches: int = 1
    ir: tuple[tuple[str, str], ...] = ()  # ("ttir", text) and so on: ttgir, llir, ptx


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a run that came to its end; a stream without it is an error, never a pass."""

    seconds: float
    broken: str = ""  # why nothing can be said of the code, when the run broke its contract


CheckEvent = Started | CheckStarted | CheckResult | Measurement | Compiled | Finished


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the events amount to."""

    exercise: str
    verdict: Outcome
    levels: dict[Level, Outcome]
    checks: tuple[CheckResult, ...]
    measurements: tuple[Measurement, ...] = ()
    seconds: float = 0.0
    sandbox: str = ""
    machine: str = ""
    message: str = ""  # why, when the verdict is an error or open
    open_because: dict[Level, str] = field(default_factory=dict)

    @property
    def first_failure(self) -> CheckResult | None:
        """The check that leads: the first in teaching order that did not pass."""
        return next((c for c in self.checks if c.outcome in (Outcome.FAILED, Outcome.ERROR)), None)

    def to_json(self) -> dict[str, Any]:
        """The object of `check --json`'s `results`."""
        return asdict(self)
