"""What to do now, and why. Pure: a roadmap and statuses in, an ordered list out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from mlsys_path.language import _, current, ngettext
from mlsys_path.progress.records import Status
from mlsys_path.roadmap.model import Exercise, Track

ReasonKind = Literal["failed", "track", "next", "uncheckable"]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Roadmap(Protocol):
    """What is needed of `roadmap.load.Roadmap`: exercises in the order of the path, tracks, and the graph."""

    @property
    def exercises(self) -> Mapping[str, Exercise]: ...  # noqa: D102
    @property
    def tracks(self) -> Mapping[str, Track]: ...  # noqa: D102
    def track_exercises(self, track_id: str) -> tuple[str, ...]: ...  # noqa: D102
    def unlocked(self, passed: Collection[str]) -> list[str]: ...  # noqa: D102
    def path_to(self, goal: str, passed: Collection[str]) -> list[str]: ...  # noqa: D102


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

    What failed last leads; then what the followed track still needs, in an order in which it can be done; then
    everything else whose prerequisites are met, in the order of the path. What this machine cannot check comes
    last. What has passed and what is locked is never among them.
    """
    passed = {exercise for exercise, status in statuses.items() if status.passed}
    unlocked = roadmap.unlocked(passed)
    found: dict[str, Suggestion] = {}
    for suggestion in _by_merit(roadmap, statuses, track_id, passed, unlocked):
        found.setdefault(suggestion.exercise, suggestion)
    here = {name: checkable(name) for name in found}
    reason = _("This machine cannot check it: `mlsys-path doctor` says what is missing.")
    return [
        *(suggestion for name, suggestion in found.items() if here[name]),
        *(Suggestion(name, "uncheckable", reason) for name in found if not here[name]),
    ]


def _by_merit(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    track_id: str | None,
    passed: Collection[str],
    unlocked: list[str],
) -> Iterator[Suggestion]:
    failed = [name for name in unlocked if name in statuses and statuses[name].last_failed]
    if failed:
        last = max(failed, key=lambda name: statuses[name].last_attempt_at or _LONG_AGO)
        yield Suggestion(last, "failed", _("Your last attempt failed: carry on while it is fresh."))
    if track := roadmap.tracks.get(track_id or ""):
        yield from _towards(roadmap, track, passed, set(unlocked))
    for name in unlocked:
        yield Suggestion(name, "next", _why_next(roadmap.exercises[name], statuses.get(name)))


def _towards(
    roadmap: Roadmap, track: Track, passed: Collection[str], unlocked: Collection[str]
) -> Iterator[Suggestion]:
    """What can be done now for each exercise of the track that has not passed, the nearest first."""
    title = track.title[current()]
    ahead = [goal for goal in roadmap.track_exercises(track.id) if goal not in passed]
    for goal in ahead:
        path = roadmap.path_to(goal, passed)
        for name in path:
            if name not in unlocked:
                continue
            if name != goal:
                reason = ngettext(
                    "“{goal}” of your track “{track}” builds on it: {n} exercise to go.",
                    "“{goal}” of your track “{track}” builds on it: {n} exercises to go.",
                    len(path),
                ).format(goal=roadmap.exercises[goal].title[current()], track=title, n=len(path))
            elif goal == ahead[0]:
                reason = _("It is the next exercise of your track “{track}”.").format(track=title)
            else:
                reason = _("It is an exercise of your track “{track}”.").format(track=title)
            yield Suggestion(name, "track", reason)


def _why_next(exercise: Exercise, status: Status | None) -> str:
    if status is not None and status.attempts:
        return _("You have tried it and not passed it yet.")
    if status is not None and status.state == "started":
        return _("You have started it.")
    if exercise.requires:
        return _("You have passed everything that it builds on.")
    return _("It needs nothing before it.")
