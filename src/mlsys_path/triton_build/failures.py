"""Recognises a failure by the words of a log, and by facts of how a command ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlsys_path.language import _
from mlsys_path.triton_build.failure import Facts, Known
from mlsys_path.triton_build.known_failures import KNOWN

_LOG_END = 4 << 20  # bytes of a log that are looked at


@dataclass(frozen=True, slots=True)
class Recognised:
    """A failure with the details of this one."""

    name: str
    cause: str
    cure: tuple[str, ...]
    issues: tuple[int, ...] = ()


# failures that only a step itself finds out, with words of its own
OF_STEPS = (
    "missing", "no-source", "changed-tree", "no-pin", "no-prebuilt", "checksum", "no-llvm", "foreign-library",
    "symlink", "edited-version", "no-marker", "wrong-commit", "run-failed",
)  # fmt: skip
NAMES = frozenset((*(known.name for known in KNOWN), *OF_STEPS))


def name_of(name: str) -> str:
    """The name, which must be known: names are part of `--json`."""
    if name not in NAMES:
        raise KeyError(name)
    return name


def recognise(log: str, facts: Facts, *, jobs: int = 2) -> Recognised | None:
    """The first known failure that the facts or the words of a log show; None where none does."""
    log = log[-_LOG_END:]
    for known in KNOWN:
        if known.shown(facts):
            return _filled(known, {}, jobs)
        for pattern in known.patterns:
            if found := re.search(pattern, log):
                return _filled(known, {k: v for k, v in found.groupdict().items() if v}, jobs)
    return None


def _filled(known: Known, groups: dict[str, str], jobs: int) -> Recognised:
    values = _Values({"fewer": str(max(1, jobs // 2)), **groups})
    if "detail2" in values:
        values["detail"] = values["detail2"]
    fill: Callable[[str], str] = lambda text: _(text).format_map(values)  # noqa: E731
    return Recognised(known.name, fill(known.cause), tuple(map(fill, known.cure)), known.issues)


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"


_SAYS = re.compile(
    r"(?:^|\s)(?:[\w./+-]+:\d+:\d+: (?:fatal )?error|CMake Error|FAILED:|[Ff]atal|ERROR:|\w*Error:|error:)"
)


def tail_of(lines: Sequence[str], count: int = 12) -> tuple[str, ...]:
    """The lines that say most: from the first that reads like an error, else the last."""
    lines = [line.rstrip() for line in lines if line.strip() and not line.startswith("== ")]
    for index, line in enumerate(lines):
        if _SAYS.search(line):
            return tuple(lines[index : index + count])
    return tuple(lines[-count:])
