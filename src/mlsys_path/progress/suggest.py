"""What to do now, and why. Pure: a roadmap and statuses in, an ordered list out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from mlsys_path.language import _, current, ngettext, sentences
from mlsys_path.progress.leading import Unread, read_first
from mlsys_path.progress.word import Word
from mlsys_path.roadmap import itinerary

if TYPE_CHECKING:
    from mlsys_path.progress.records import Status
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Exercise, Track

ReasonKind = Literal["failed", "track", "next", "uncheckable"]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An exercise to do, why, and what to read before it."""

    exercise: str
    reason_kind: ReasonKind
    because: str  # one sentence
    read_first: str = ""  # one more, or nothing

    @property
    def reason(self) -> str:
        """All of it."""
        return sentences((self.because, self.read_first))


def suggest(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    track_id: str | None = None,
    checkable: Callable[[str], bool] = lambda _exercise: True,
    word: Word | None = None,
) -> list[Suggestion]:
    """All exercises that can be worked on, best first.

    What failed last leads; then what the followed track still needs, in an order in which it can be done; then
    everything else whose prerequisites are met, in the order of the path. What this machine cannot check comes
    last. What has passed, what is known by the learner's word and what is locked is never among them.
    """
    word = word or Word(roadmap)
    met = {exercise for exercise, status in statuses.items() if status.passed} | word.known
    unlocked = roadmap.unlocked(met)
    found: dict[str, Suggestion] = {}
    for suggestion in _by_merit(roadmap, statuses, track_id, met, unlocked):
        found.setdefault(suggestion.exercise, suggestion)
    here = {name: checkable(name) for name in found}
    reason = _("This machine cannot check it: `mlsys-path doctor` says what is missing.")
    reading = _Reading(roadmap, track_id, word)
    return [
        *(reading.before(suggestion) for name, suggestion in found.items() if here[name]),
        *(Suggestion(name, "uncheckable", reason) for name in found if not here[name]),
    ]


def _by_merit(
    roadmap: Roadmap,
    statuses: Mapping[str, Status],
    track_id: str | None,
    met: Collection[str],
    unlocked: list[str],
) -> Iterator[Suggestion]:
    failed = [name for name in unlocked if name in statuses and statuses[name].last_failed]
    if failed:
        last = max(failed, key=lambda name: statuses[name].last_attempt_at or _LONG_AGO)
        yield Suggestion(last, "failed", _("Your last attempt failed: carry on while it is fresh."))
    if track := roadmap.tracks.get(track_id or ""):
        yield from _towards(roadmap, track, met, set(unlocked))
    for name in unlocked:
        yield Suggestion(name, "next", _why_next(roadmap.exercises[name], statuses))


def _towards(
    roadmap: Roadmap, track: Track, met: Collection[str], unlocked: Collection[str]
) -> Iterator[Suggestion]:
    """What can be done now for each exercise of the track that has not passed, the nearest first."""
    title = track.title[current()]
    ahead = [goal for goal in roadmap.track_exercises(track.id) if goal not in met]
    for goal in ahead:
        path = roadmap.path_to(goal, met)
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


def _why_next(exercise: Exercise, statuses: Mapping[str, Status]) -> str:
    status = statuses.get(exercise.id)
    if status is not None and status.attempts:
        return _("You have tried it and not passed it yet.")
    if status is not None and status.state == "started":
        return _("You have started it.")
    if not exercise.requires:
        return _("It needs nothing before it.")
    if all(name in statuses and statuses[name].passed for name in exercise.requires):
        return _("You have passed everything that it builds on.")
    return _("You have passed, or by your word know, everything that it builds on.")


class _Reading:
    """What is still to be read for the topic of an exercise."""

    def __init__(self, roadmap: Roadmap, track_id: str | None, word: Word) -> None:
        self._roadmap = roadmap
        self._word = word
        track = roadmap.tracks.get(track_id or "")
        items = itinerary.of_track(roadmap, track) if track else []
        self._of_track = {item.id for item in items if item.kind == "exercise"}
        self._reads: dict[str, list[Item]] = {}
        for item in items:
            if item.kind == "read":
                self._reads.setdefault(item.topic, []).append(item)

    def before(self, suggestion: Suggestion) -> Suggestion:
        """The suggestion with a sentence on what to read; who has begun to try is not sent back to the books."""
        topic = self._roadmap.exercise_topic.get(suggestion.exercise)
        if suggestion.reason_kind == "failed" or topic is None:
            return suggestion
        unread = [item for item in self._items(suggestion.exercise, topic) if not self._done(item)]
        if not unread:
            return suggestion
        found = [Unread(item.id, item.parts, item.hours, topic) for item in unread]
        return replace(suggestion, read_first=read_first(self._roadmap, found))

    def _items(self, exercise: str, topic: str) -> list[Item]:
        # a track that lists the exercise says what to read for it too, which may be nothing
        if exercise in self._of_track:
            return self._reads.get(topic, [])
        return [
            item
            for item in itinerary.of_topic(self._roadmap, topic)
            if item.kind == "read" and not item.optional
        ]

    def _done(self, item: Item) -> bool:
        return self._word.read(item.name) is not None
