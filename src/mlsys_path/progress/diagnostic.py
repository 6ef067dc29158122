"""A stage's questions: drawn from a seed, answered, and what to do with the result. Pure; it proves nothing."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsys_path.language import _, current
from mlsys_path.roadmap.questions import Asked, ask

if TYPE_CHECKING:
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Stage

UNKNOWN = ("?", "？")  # the reply of who does not know
SEEDS = 2**31  # below this lie the seeds that are drawn


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with the reply to it."""

    asked: Asked
    reply: str
    right: bool


def draw(stage: Stage, seed: int) -> tuple[Asked, ...]:
    """The questions of a stage; the same seed gives the same, whatever other questions there are."""
    return tuple(ask(question, random.Random(f"{seed}:{question.id}")) for question in stage.diagnostic)


def answer(asked: Asked, reply: str) -> Answered:
    """Judge a reply; raises UserError when it has not the form of an answer."""
    reply = reply.strip()
    return Answered(asked, reply, reply not in UNKNOWN and asked.is_right(reply))


def detail(answered: Sequence[Answered], seed: int) -> dict[str, Any]:
    """What is stored of it."""
    questions = {each.asked.question.id: each.right for each in answered}
    return {"right": sum(questions.values()), "of": len(questions), "seed": seed, "questions": questions}


def begin_with(roadmap: Roadmap, stage: Stage, passed: Collection[str], word: Word) -> str:
    """The first topic of a stage that is not behind the learner: neither known nor all of its exercises passed."""
    for topic in stage.topics:
        built = [name for name in topic.exercises if name in roadmap.exercises]
        if word.of("topic", topic.id) != "known" and not (built and all(name in passed for name in built)):
            return topic.id
    return stage.topics[0].id


def advice(
    roadmap: Roadmap, stage: Stage, answered: Sequence[Answered], passed: Collection[str], word: Word
) -> str:
    """One sentence: whether to skip the stage, or where to begin."""
    right, of = sum(each.right for each in answered), len(answered)
    if right == of:
        text = _("{right} of {of}: you can skip it: `mlsys-path mark {stage} known`")
        return text.format(right=right, of=of, stage=stage.id)
    topic = begin_with(roadmap, stage, passed, word)
    text = _("{right} of {of}: begin with the topic “{topic}”: `mlsys-path show {id}`")
    return text.format(right=right, of=of, topic=roadmap.topics[topic].title[current()], id=topic)
