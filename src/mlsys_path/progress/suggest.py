"""What to do now, and why. Pure: a roadmap and statuses in, an ordered list out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from mlsys_path.language import _, current, ngettext
from mlsys_path.progress.records import Status
from mlsys_path.roadmap.model import Exercise, Track

ReasonKind = Literal["failed", "track", "next", "uncheckable"]


class Roadmap(Protocol):
    """What is needed of the roadmap: the exercises in the order of the path, and the tracks."""

    @property
    def exercises(self) -> Mapping[str, Exercise]: ...  # noqa: D102
    @property
    def tracks(self) -> Mapping[str, Track]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An exercise to do, and one sentence that says why."""

    exercise: str
    reason_kind: ReasonKind
    reason: str


def suggest(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    track_id: str | None = None,
    checkable: Callable[[str], bool] = lambda _exercise: True,
) -> list[Suggestion]:
    """All exercises that can be worked on, best first.

    The last failed attempt leads; then what the followed track still needs, in an order in which it can be
    done; then everything else whose prerequisites are met, in the order of the path. What this machine cannot
    check comes last. What has passed and what is locked is never among them.
    """
    passed = {exercise for exercise, status in statuses.items() if status.passed}
    open_now = [
        name
        for name, exercise in roadmap.exercises.items()
        if name not in passed and all(required in passed for required in exercise.requires)
    ]
    found: dict[str, Suggestion] = {}
    for suggestion in _in_order(roadmap, statuses, track_id, passed, open_now):
        found.setdefault(suggestion.exercise, suggestion)
    here = {name: bool(checkable(name)) for name in found}
    return [
        *(s for s in found.values() if here[s.exercise]),
        *(
            Suggestion(
                s.exercise,
                "uncheckable",
                _("This machine cannot check it: `mlsys-path doctor` says what is missing."),
            )
            for s in found.values()
            if not here[s.exercise]
        ),
    ]


def _in_order(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    track_id: str | None,
    passed: set[str],
    open_now: list[str],
) -> Iterator[Suggestion]:
    long_ago = datetime.min.replace(tzinfo=UTC)
    failed = [name for name in open_now if name in statuses and statuses[name].last_failed]
    failed.sort(key=lambda name: statuses[name].last_attempt_at or long_ago, reverse=True)
    for name in failed:
        yield Suggestion(name, "failed", _("Your last attempt failed: carry on while it is fresh."))
    if track := roadmap.tracks.get(track_id or ""):
        yield from _towards(roadmap, track, passed, set(open_now))
    for name in open_now:
        yield Suggestion(name, "next", _next_reason(roadmap.exercises[name], statuses.get(name)))


def _towards(roadmap: Roadmap, track: Track, passed: set[str], open_now: set[str]) -> Iterator[Suggestion]:
    """What the track's first unfinished goals need, each with its whole chain of prerequisites."""
    title = track.title[current()]
    for goal in track.exercises:
        if goal in passed or goal not in roadmap.exercises:
            continue
        chain = _missing(roadmap, goal, passed)
        for name in chain:
            if name not in open_now:
                continue
            if name == goal:
                reason = _("It is the next exercise of your track “{track}”.").format(track=title)
            else:
                steps = len(chain) - 1
                reason = ngettext(
                    "It leads to “{goal}” of your track “{track}”, {n} exercise from here.",
                    "It leads to “{goal}” of your track “{track}”, {n} exercises from here.",
                    steps,
                ).format(goal=roadmap.exercises[goal].title[current()], track=title, n=steps)
            yield Suggestion(name, "track", reason)


def _missing(roadmap: Roadmap, goal: str, passed: set[str]) -> list[str]:
    """The goal and everything below it that has not passed, in an order in which it can be done."""
    order: dict[str, None] = {}
    visiting: set[str] = set()
    stack = [(goal, False)]
    while stack:
        name, ready = stack.pop()
        if ready:
            order[name] = None
        elif name not in visiting and name not in passed and name in roadmap.exercises:
            visiting.add(name)
            stack.append((name, True))
            stack.extend((required, False) for required in reversed(roadmap.exercises[name].requires))
    return list(order)


def _next_reason(exercise: Exercise, status: Status | None) -> str:
    if status is not None and status.state == "started":
        return _("You have started it.")
    if exercise.requires:
        return _("You have passed everything that it builds on.")
    return _("It needs nothing before it.")
