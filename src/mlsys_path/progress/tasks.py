"""What is left to do of a track or of the whole path, in an order in which it can be done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlsys_path.language import Text, _, current
from mlsys_path.roadmap import itinerary

if TYPE_CHECKING:
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class Task:
    """Something to read, or an exercise to solve."""

    kind: Literal["read", "exercise"]
    id: str  # of the resource or exercise
    topic: str  # that it is done for; "" for what a track wants read by itself
    minutes: int
    parts: Text | None = None  # of a resource: what of it matters
    name: str = ""  # of a reading, in `Roadmap.readings`
    needed_for: str = ""  # the exercise that builds on it, where it is not among what was asked for


@dataclass(frozen=True, slots=True)
class Apart:
    """An exercise that this machine cannot check at all, and why."""

    task: Task
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """What is left: to do, to do elsewhere, and what cannot be done by anybody yet."""

    tasks: tuple[Task, ...]
    uncheckable: tuple[Apart, ...]
    planned: tuple[str, ...]  # exercises that are not built

    @property
    def minutes(self) -> int:
        """Of all that can be done here."""
        return sum(task.minutes for task in self.tasks)


def items_of(roadmap: Roadmap, track_id: str) -> list[Item]:
    """What a track consists of; the whole path when it is none."""
    track = roadmap.tracks.get(track_id)
    return itinerary.of_track(roadmap, track) if track else itinerary.of_path(roadmap)


def left(
    roadmap: Roadmap,
    items: Sequence[Item],
    passed: Collection[str],
    word: Word,
    trouble: Callable[[str], str] = lambda _exercise: "",
) -> Left:
    """What of `items` is neither passed nor, by the learner's word, read or known.

    The order is that of the items, but each exercise comes after what it builds on; what of that is not among the
    items is added, with `needed_for`. `trouble` says why this machine cannot check an exercise at any level, or "".
    """
    order = _Order(roadmap, items, {*passed, *word.known}, word, trouble)
    for item in items:
        order.add(item)
    return Left(tuple(order.tasks), tuple(order.apart.values()), tuple(order.planned))


class _Order:
    """Takes items one by one and puts down what has to come before each."""

    def __init__(
        self,
        roadmap: Roadmap,
        items: Sequence[Item],
        met: set[str],
        word: Word,
        trouble: Callable[[str], str],
    ) -> None:
        self._roadmap = roadmap
        self._word = word
        self._trouble = trouble
        self._done = met  # passed, known, or put down already
        self._wanted = {item.id: item for item in items if item.kind == "exercise"}
        self._reading: dict[str, list[Item]] = {}
        for item in items:
            if item.kind == "read":
                self._reading.setdefault(item.topic, []).append(item)
        self._read: set[str] = set()
        self.tasks: list[Task] = []
        self.apart: dict[str, Apart] = {}
        self.planned: list[str] = []

    def add(self, item: Item) -> None:
        match item.kind:
            case "planned":
                if self._word.of("topic", item.topic) != "known":
                    self.planned.append(item.id)
            case "read":
                self._put_reading(item)
            case "exercise" if item.id not in self._done:
                for name in self._roadmap.path_to(item.id, self._done):
                    self._put_exercise(name, item.id)

    def _put_reading(self, item: Item) -> None:
        if item.name not in self._read and not self._word.read(item.name):
            self._read.add(item.name)
            self.tasks.append(Task("read", item.id, item.topic, _minutes(item.hours), item.parts, item.name))

    def _put_exercise(self, name: str, goal: str) -> None:
        self._done.add(name)
        exercise, topic = self._roadmap.exercises[name], self._roadmap.topic_of(name)
        if name != goal and name in self._wanted:
            # its turn comes early, and that of its reading with it
            for item in self._reading.get(topic, ()):
                self._put_reading(item)
        needed_for = "" if name in self._wanted else goal
        task = Task("exercise", name, topic, exercise.minutes, needed_for=needed_for)
        if reason := self._trouble(name) or self._blocked(name):
            self.apart[name] = Apart(task, reason)
        else:
            self.tasks.append(task)

    def _blocked(self, name: str) -> str:
        """Why an exercise cannot be begun here although it could be checked."""
        for needed in self._roadmap.exercises[name].requires:
            if needed in self.apart:
                title = self._roadmap.exercises[needed].title[current()]
                return _("builds on “{title}”, which this machine cannot check").format(title=title)
        return ""


def _minutes(hours: float) -> int:
    return max(1, round(hours * 60))
