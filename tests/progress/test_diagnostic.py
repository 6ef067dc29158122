"""A stage's questions: the same from the same seed, judged one by one, and where to begin afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlsys_path.errors import UserError
from mlsys_path.language import Text
from mlsys_path.progress.diagnostic import advice, answer, begin_with, detail, draw
from mlsys_path.progress.records import Claim
from mlsys_path.progress.rows import claim_from_row, claim_to_row
from mlsys_path.progress.word import Word
from mlsys_path.roadmap.model import Option, Question

from .worlds import NOON, exercise, roadmap, said, text, topic

SUM = Question(
    "sum",
    Text("{a} and {b}?", "{a} 加 {b}？"),
    Text("It is {answer}.", "是 {answer}。"),
    draw={"a": tuple(map(float, range(50))), "b": (100.0, 200.0)},
    answer="a + b",
    tolerance=0,
)
EVEN = Question(
    "even",
    text("which"),
    text("because"),
    options=(Option(Text("two", "二"), right=True), Option(text("three")), Option(text("five"))),
)
ROAD = roadmap(
    exercise("a"), exercise("b"), topics=[topic("one", exercises=["a"]), topic("two", exercises=["b"])]
)
STAGE = replace(ROAD.stages["s1"], diagnostic=(SUM, EVEN))


def shown(asked):
    return [(each.question.id, dict(each.values), each.options) for each in asked]


def test_a_seed_gives_the_same_whatever_other_questions_there_are():
    alone = replace(STAGE, diagnostic=(EVEN,))
    assert shown(draw(STAGE, 5)) == shown(draw(STAGE, 5))
    assert shown(draw(alone, 5)) == shown(draw(STAGE, 5))[1:]
    assert len({str(shown(draw(STAGE, seed))) for seed in range(30)}) > 20


def replies(seed: int) -> list[str]:
    number, which = draw(STAGE, seed)
    place = [option.right for option in which.options].index(True) + 1
    return [number.right, str(place)]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_right_is_right_and_not_to_know_is_not(seed):
    asked = draw(STAGE, seed)
    assert all(answer(each, reply).right for each, reply in zip(asked, replies(seed), strict=True))
    assert not any(answer(each, reply).right for each in asked for reply in ("?", " ？ "))


def test_a_reply_without_the_form_of_an_answer():
    number, which = draw(STAGE, 1)
    for asked, reply in ((number, "many"), (number, ""), (which, "0"), (which, "4"), (which, "two")):
        with pytest.raises(UserError):
            answer(asked, reply)


def test_what_is_stored_is_what_a_database_takes():
    answered = [answer(each, reply) for each, reply in zip(draw(STAGE, 3), ["?", replies(3)[1]], strict=True)]
    stored = detail(answered, 3)
    assert stored == {"right": 1, "of": 2, "seed": 3, "questions": {"sum": False, "even": True}}
    claim = Claim("0" * 26, "stage", "s1", "diagnostic", NOON, stored)
    assert claim_from_row(claim_to_row(claim)) == claim
    assert claim.score == (1, 2)


def test_all_right_means_to_skip_it_and_anything_else_where_to_begin():
    right = [answer(each, reply) for each, reply in zip(draw(STAGE, 3), replies(3), strict=True)]
    unknown = [answer(each, "?") for each in draw(STAGE, 3)]
    word = Word(ROAD)
    assert advice(ROAD, STAGE, right, [], word) == "2 of 2: you can skip it: `mlsys-path mark s1 known`"
    assert (
        advice(ROAD, STAGE, unknown, [], word) == "0 of 2: begin with the topic “ONE”: `mlsys-path show one`"
    )


@pytest.mark.parametrize(
    ("passed", "words", "begin"),
    [
        ([], [], "one"),
        (["a"], [], "two"),
        ([], [("topic", "one", "known")], "two"),
        ([], [("topic", "one", "read")], "one"),
        (["a", "b"], [("topic", "rest", "known")], "one"),
    ],
)
def test_to_begin_with_is_the_first_topic_that_is_not_behind(passed, words, begin):
    assert begin_with(ROAD, STAGE, passed, Word(ROAD, said(*words))) == begin
