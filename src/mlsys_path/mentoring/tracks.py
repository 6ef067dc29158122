"""A mentor's own tracks: what must hold between one and the roadmap, and the YAML of a new one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap.model import Track

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.names import Kind

Loc = tuple[str | int, ...]
SCHEMA_LINE = "# yaml-language-server: $schema={schema}\n"
UNFINISHED = "[author]"  # what a new track leaves for its author
STEP_KINDS: tuple[Kind, ...] = ("stage", "topic", "exercise", "planned")
_ID = re.compile(r"[a-z0-9-]{1,80}")
_URL = re.compile(r"https?://[^\s/]+\S*")


def flaws(roadmap: Roadmap, track: Track) -> Iterator[tuple[Loc, str]]:
    """Everything wrong between a track and the roadmap, each with its place in the track. Pure."""
    if not _ID.fullmatch(track.id):
        yield ("id",), _("an id has small letters, digits and hyphens only")
    for i, step in enumerate(track.steps):
        named = {
            "stage": step.stage,
            "topic": step.topic,
            "exercise": step.exercise,
            "read": step.read.resource if step.read else None,
        }
        if sum(value is not None for value in named.values()) != 1:
            yield ("steps", i), _("a step is exactly one of stage, topic, exercise and read")
        for key, target in named.items():
            if target is not None and (message := _unknown(roadmap, key, target)):
                yield (("steps", i, "read", "resource") if key == "read" else ("steps", i, key)), message
        if step.read and step.read.url and not _URL.fullmatch(step.read.url):
            yield (
                ("steps", i, "read", "url"),
                _("{url!r} is no http address").format(url=step.read.url[:60]),
            )


def _unknown(roadmap: Roadmap, key: str, target: str) -> str:
    every: dict[str, Mapping[str, Any]] = {
        "stage": roadmap.stages,
        "topic": roadmap.topics,
        "exercise": {**roadmap.exercises, **roadmap.planned},
        "read": roadmap.resources,
    }
    known = every[key]
    if target in known:
        return ""
    from mlsys_path.roadmap.documents import nearest

    kind = "resource" if key == "read" else key
    renamed = roadmap.renames.newest(kind + "s", target) if kind != "stage" else target
    close = nearest(target, known)
    if renamed in known:
        hint = _(": it is called {new!r} now").format(new=renamed)
    else:
        hint = _("; did you mean {close!r}?").format(close=close) if close else ""
    return _("there is no {what} {id!r}").format(what=kind, id=target[:80]) + hint


def read_file(roadmap: Roadmap, file: Path, *, finished: bool = True) -> Track:
    """The track of a single YAML file; raises UserError with the first problem and its place.

    A `finished` one has nothing left that is marked to be written.
    """
    from mlsys_path.mentoring.texts import text_flaws
    from mlsys_path.roadmap.documents import Problem, read, validate

    document = read(file)
    if isinstance(document, Problem):
        raise UserError(str(document))
    track, problems = validate(Track, document)
    found = list(text_flaws(document.data)) + (list(flaws(roadmap, track)) if track else [])
    if finished and track is not None:
        texts = {"title": track.title, "summary": track.summary, "goal": track.goal}
        unwritten = [key for key, text in texts.items() if text and UNFINISHED in text.en + text.zh]
        found += [((key,), _("is still to be written: {mark}").format(mark=UNFINISHED)) for key in unwritten]
    problems += [document.places.problem(loc, message) for loc, message in found]
    if track is None or problems:
        raise UserError(str(min(problems)))
    return track


def steps_of(roadmap: Roadmap, names: Sequence[str]) -> list[dict[str, str]]:
    """A step for each name of a stage, topic or exercise; raises UserError, with the nearest, for an unknown one."""
    from mlsys_path.roadmap.names import identify, kinds_of

    steps: list[dict[str, str]] = []
    for name in names:
        found = [(kind, id_) for kind, id_ in kinds_of(roadmap, name) if kind in STEP_KINDS]
        kind, id_ = found[0] if found else identify(roadmap, name)
        if kind not in STEP_KINDS:
            text = _("{id} is a {kind}: the steps of a track are stages, topics and exercises")
            raise UserError(text.format(id=name, kind=kind))
        steps.append({"exercise" if kind == "planned" else kind: id_})
    return steps


def new_text(
    track_id: str,
    texts: Mapping[str, str],
    hours: float,
    steps: Sequence[Mapping[str, str]],
    schema: str,
) -> str:
    """The YAML of a new track; `texts` are its title, summary and goal, and what is left to write is marked."""
    import yaml

    if not _ID.fullmatch(track_id):
        raise UserError(
            _("{id!r} is no id: an id has small letters, digits and hyphens only").format(id=track_id[:80])
        )
    summary = texts.get("summary") or ""
    goal = texts.get("goal") or ""
    data: dict[str, Any] = {
        "id": track_id,
        "title": {"en": texts["title"], "zh": texts["title"]},
        "summary": {
            "en": summary or f"{UNFINISHED} One sentence: for whom, and to what end.",
            "zh": summary or f"{UNFINISHED} 一句话：给谁，为了什么。",
        },
        **({"goal": {"en": goal, "zh": goal}} if goal else {}),
        "hours_per_week": hours,
        "steps": [dict(step) for step in steps],
    }
    body = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    return SCHEMA_LINE.format(schema=schema) + body


def usable(roadmap: Roadmap, track: Track) -> Track | None:
    """A track that was assigned, by present ids and without the steps that the roadmap does not know; None of nothing."""
    import dataclasses

    renames = roadmap.renames
    steps = []
    for step in track.steps:
        topic = renames.newest("topics", step.topic) if step.topic else None
        exercise = renames.newest("exercises", step.exercise) if step.exercise else None
        read = step.read
        if read:
            read = dataclasses.replace(read, resource=renames.newest("resources", read.resource))
        if (
            (step.stage in roadmap.stages)
            or (topic in roadmap.topics)
            or (exercise in roadmap.exercises or exercise in roadmap.planned)
            or (read is not None and read.resource in roadmap.resources)
        ):
            steps.append(dataclasses.replace(step, topic=topic, exercise=exercise, read=read))
    return dataclasses.replace(track, steps=tuple(steps)) if steps else None
