"""A learner's attempts one by one: what failed, what was changed before each, and what else was looked at. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mlsys_path.mentoring import verifying

if TYPE_CHECKING:
    from mlsys_path.mentoring.history import Learner
    from mlsys_path.mentoring.verifying import Verification
    from mlsys_path.progress.records import Attempt

Files = Mapping[str, bytes]
MAX_LINES = 400  # of a diff


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt; diffs are None where the files did not come."""

    attempt: Attempt
    since_before: timedelta | None  # the attempt before, of the same exercise
    looked_at: tuple[str, ...]  # "hint 1", "solution": since then
    diff: str | None  # against the attempt before, of the first against the starter
    from_starter: str | None
    flags: tuple[str, ...]
    verification: Verification | None


def timeline(
    learner: Learner,
    exercise: str | None,
    files: Callable[[str], Files | None],
    starter: Callable[[str], Files],
) -> list[Entry]:
    """The attempts at an exercise, or at all, the oldest first. `files` and `starter` are asked for by hash and id."""
    before: dict[str, Attempt] = {}
    marks = verifying.latest(learner.verifications)
    flags: dict[str, list[str]] = {}
    for flag in learner.flags:
        flags.setdefault(flag.attempt, []).append(flag.detail)
    entries = []
    for attempt in learner.attempts:
        if exercise is not None and attempt.exercise != exercise:
            continue
        last = before.get(attempt.exercise)
        mine, start = files(attempt.files_hash), starter(attempt.exercise)
        earlier = files(last.files_hash) if last else start
        looked_at = tuple(
            f"{event.kind} {int(event.detail) + 1}" if event.kind == "hint" else event.kind
            for event in learner.events
            if event.exercise == attempt.exercise
            and event.at <= attempt.started_at
            and (last is None or event.at > last.started_at)
        )
        entries.append(
            Entry(
                attempt,
                attempt.started_at - last.started_at if last else None,
                looked_at,
                None if mine is None or earlier is None else diff(earlier, mine),
                None if mine is None else diff(start, mine),
                tuple(flags.get(attempt.id, ())),
                marks.get(attempt.id),
            )
        )
        before[attempt.exercise] = attempt
    return entries


def diff(before: Files, after: Files) -> str:
    """A unified diff of files, cut where it is long."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        old, new = (files.get(name, b"").decode("utf-8", "replace").splitlines() for files in (before, after))
        lines += difflib.unified_diff(old, new, name, name, lineterm="", n=2)
        if len(lines) > MAX_LINES:
            lines = [*lines[:MAX_LINES], "…"]
            break
    return "\n".join(lines)
