"""Small roadmaps of real records, made in memory, and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from mlsys_path.language import Text
from mlsys_path.progress.records import Claim, Claims, Status
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.roadmap.model import (
    Check,
    Exercise,
    Planned,
    Reading,
    Renames,
    Resource,
    Stage,
    Step,
    Topic,
    Track,
)

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def text(name: str) -> Text:
    return Text(name.upper(), name + "题")


def exercise(name: str, *requires: str, minutes: int = 30) -> Exercise:
    own = text(name)
    return Exercise(
        name, own, own, "python", ("a.py",), 1, minutes, {"test_a": Check(own)}, (own,), requires=requires
    )


def planned(name: str) -> Planned:
    return Planned(name, text(name), text(name), "c", "cpu", 1, 60)


def reading(resource: str, hours: float = 2, chapter: int = 1) -> Reading:
    return Reading(
        resource,
        Text(f"Chapter {chapter}", f"第 {chapter} 章"),
        hours,
        name=f"c{chapter}" if chapter > 1 else "",
    )


def topic(name: str, reads: Sequence[Reading] = (), exercises: Sequence[str] = ()) -> Topic:
    return Topic(name, text(name), text(name), reads=tuple(reads), exercises=tuple(exercises))


def track(name: str, *steps: Step | str) -> Track:
    found = tuple(Step(exercise=step) if isinstance(step, str) else step for step in steps)
    return Track(name, Text(name.title(), name), Text("", ""), found)


def roadmap(
    *exercises: Exercise,
    topics: Sequence[Topic] = (),
    stages: Sequence[Sequence[Topic]] = (),
    to_come: Sequence[Planned] = (),
    renames: Renames | None = None,
    **tracks: Sequence[Step | str],
) -> Roadmap:
    """Stages `s1`, `s2` …, each of some topics; exercises that no topic lists are in the topic `rest` of the first."""
    parts = [list(stage) for stage in stages] or [list(topics)]
    listed = {name for part in parts for each in part for name in each.exercises}
    parts[0].append(topic("rest", exercises=[e.id for e in exercises if e.id not in listed]))
    every = [each for part in parts for each in part]
    books = {reading.resource for each in every for reading in each.reads}
    books |= {s.read.resource for steps in tracks.values() for s in steps if isinstance(s, Step) and s.read}
    by_id = {e.id: e for e in exercises}
    return Roadmap(
        stages={
            f"s{n}": Stage(f"s{n}", n, text(f"s{n}"), text(f"s{n}"), tuple(part))
            for n, part in enumerate(parts, start=1)
        },
        topics={each.id: each for each in every},
        resources={
            name: Resource(name, text(name), "book", ("https://example.org",), text(name))
            for name in sorted(books)
        },
        tracks={name: track(name, *steps) for name, steps in tracks.items()},
        # in the order of the path
        exercises={name: by_id[name] for each in every for name in each.exercises if name in by_id},
        planned={each.id: each for each in to_come},
        packs={},
        renames=renames or Renames(),
        folders={},
        pages={},
        exercise_topic={name: each.id for each in every for name in each.exercises},
        topic_stage={each.id: f"s{n}" for n, part in enumerate(parts, start=1) for each in part},
    )


def passed(*names: str, at: datetime = NOON) -> dict[str, Status]:
    return {name: Status(name, "passed", attempts=1, last_attempt_at=at, passed_at=at) for name in names}


def failed(name: str, hours: int = 0) -> dict[str, Status]:
    at = NOON + timedelta(hours=hours)
    return {name: Status(name, "failed", attempts=1, last_attempt_at=at, last_failed=True)}


def said(*words: tuple[str, str, str], start: datetime = NOON) -> Claims:
    """What was said of things, a minute apart: `said(("topic", "caches", "known"))`; the latest of each counts."""
    return Claims(
        {
            (kind, subject): Claim(f"{n:026}", kind, subject, claim, start + timedelta(minutes=n))
            for n, (kind, subject, claim) in enumerate(words)
        }
    )


@st.composite
def worlds(draw):
    """A roadmap with a track, statuses, words, and what can be checked here."""
    count = draw(st.integers(1, 9))
    names = [f"e{n}" for n in range(count)]
    exercises = [
        exercise(
            name,
            *(draw(st.lists(st.sampled_from(names[:n]), unique=True, max_size=3)) if n else ()),
            minutes=draw(st.integers(1, 400)),
        )
        for n, name in enumerate(names)
    ]
    statuses: dict[str, Status] = {}
    for n, name in enumerate(names):
        match draw(st.sampled_from(["passed", "failed", "new", "new"])):
            case "passed":
                statuses |= passed(name)
            case "failed":
                statuses |= failed(name, hours=n)
    shuffled = draw(st.permutations(names))
    cut = draw(st.integers(0, count))
    hours = st.integers(1, 40).map(lambda n: n / 4)
    books = st.lists(st.builds(reading, st.sampled_from("xyz"), hours, st.integers(1, 3)))
    reads = [
        tuple({r.resource: r for r in draw(books)}.values()) for _ in range(2)
    ]  # a topic names a resource once
    topics = [
        topic("t1", reads[0], [*shuffled[:cut], "p1"]),
        topic("t2", reads[1], [*shuffled[cut:], "p2"]),
    ]
    steps = [Step(exercise=name) for name in draw(st.lists(st.sampled_from(names), unique=True))]
    steps += [Step(topic=name) for name in draw(st.lists(st.sampled_from(["t1", "t2"]), unique=True))]
    steps += draw(st.lists(st.sampled_from([Step(stage="s1"), Step(read=reading("z"))]), max_size=2))
    road = roadmap(
        *exercises,
        stages=[topics[:1], topics[1:]],
        to_come=[planned("p1"), planned("p2")],
        track=draw(st.permutations(steps or [Step(stage="s2")])),
    )
    subjects = [("stage", "s1"), ("topic", "t1"), ("topic", "t2"), ("resource", "x"), ("exercise", names[-1])]
    words = draw(
        st.lists(st.tuples(st.sampled_from(subjects), st.sampled_from(["known", "none", "read"])), max_size=5)
    )
    claims = said(
        *((kind, subject, claim) for (kind, subject), claim in words if (kind, claim) != ("exercise", "read"))
    )
    here = frozenset(
        draw(st.lists(st.sampled_from(names), unique=True)) + names[: draw(st.integers(0, count))]
    )
    return road, statuses, claims, here
