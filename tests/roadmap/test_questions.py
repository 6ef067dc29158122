"""Diagnostics: drawn, asked, answered; what is wrong with a question is told to its author."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path import language
from mlsys_path.errors import UserError
from mlsys_path.language import Text
from mlsys_path.roadmap import questions
from mlsys_path.roadmap.content import read_all
from mlsys_path.roadmap.model import Option, Question
from mlsys_path.roadmap.sources import ours

RING = Question(
    "ring",
    Text("Ring all-reduce of {size} MB on {n} ranks: MB sent by each?", "{n} 个进程对 {size} MB 做环形 all-reduce，各发送多少 MB？"),
    Text("2(n-1)/n of the size, {answer} MB.", "即 2(n-1)/n 倍，{answer} MB。"),
    {"n": (2.0, 4.0, 8.0), "size": (100.0, 400.0)},
    "2 * (n - 1) / n * size",
)  # fmt: skip
LOCK = Question(
    "lock",
    Text("Which?", "哪个？"),
    Text("So.", "因此。"),
    options=(Option(Text("A", "甲"), True), Option(Text("B", "乙")), Option(Text("C", "丙"))),
)


def told(question):
    return [f"{'.'.join(map(str, loc))}: {message}" for loc, message in questions.flaws(question)]


def changed(question, **values):
    from dataclasses import replace

    return replace(question, **values)


@given(st.integers())
def test_a_drawn_question_shows_its_values_and_knows_its_answer(seed):
    asked = questions.ask(RING, random.Random(seed))
    n, size = asked.values["n"], asked.values["size"]
    assert asked.answer == pytest.approx(2 * (n - 1) / n * size)
    assert f"{int(size)} MB on {int(n)} ranks" in asked.text
    assert asked.right in asked.because
    assert asked.is_right(str(asked.answer))
    assert not asked.is_right(str(asked.answer * 1.1))


def test_draws_differ_and_a_seed_repeats_them():
    drawn = {tuple(questions.ask(RING, random.Random(seed)).values.values()) for seed in range(50)}
    assert len(drawn) == 6
    assert questions.ask(RING, random.Random(7)) == questions.ask(RING, random.Random(7))


def test_options_are_shuffled_and_answered_by_number():
    orders = {tuple(o.text.en for o in questions.ask(LOCK, random.Random(s)).options) for s in range(60)}
    assert len(orders) == 6
    asked = questions.ask(LOCK, random.Random(1))
    right = next(i for i, option in enumerate(asked.options, 1) if option.right)
    assert [asked.is_right(str(i)) for i in (1, 2, 3)] == [i == right for i in (1, 2, 3)]
    for reply in ("0", "4", "A", "", "-1", "1.0", "１"):
        if reply != "１":
            with pytest.raises(UserError, match="from 1 to 3"):
                asked.is_right(reply)


@pytest.mark.parametrize(
    ("reply", "value"),
    [("1024", 1024), ("1,024", 1024), ("2^10", 1024), ("3/4", 0.75), ("75%", 0.75), ("1.5e9", 1.5e9), (" 7 ", 7), ("1_000", 1000)],
)  # fmt: skip
def test_numbers_as_people_write_them(reply, value):
    assert questions.number(reply) == value


@pytest.mark.parametrize(
    "reply", ["", "many", "__import__('os')", "().__class__", "9**9**9", "'a'*9", "1/0", "[1]", "True", "nan", "1e999"]
)  # fmt: skip
def test_what_is_no_number_is_asked_again_and_runs_nothing(reply):
    with pytest.raises(UserError, match="is no number"):
        questions.number(reply)


@given(st.text(max_size=60))
def test_any_reply_is_an_answer_or_one_line(reply):
    try:
        questions.ask(RING, random.Random(0)).is_right(reply)
    except UserError as error:
        assert "\n" not in repr(str(error))


def test_a_sound_question_has_no_flaw():
    assert told(RING) == [] == told(LOCK)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"answer": ""}, "has an answer, or options"),
        ({"answer": "2 * m"}, "answer: has no value for n=2, size=100"),
        ({"answer": "size / (n - 2)"}, "answer: has no value for n=2"),
        ({"answer": "().__class__"}, "answer: has no value"),
        ({"answer": "10"}, "is the same whatever is drawn"),
        ({"answer": "n // 100"}, "is the same whatever is drawn"),
        ({"ask": Text("{n} {size} {m}", "{n} {size}")}, "ask.en: nothing draws 'm'"),
        ({"ask": Text("{n} {size}", "{n}")}, "ask.zh: does not say 'size'"),
        ({"ask": Text("{n} {size} {", "{n} {size}")}, "ask.en: the braces are not in order"),
        ({"ask": Text("{n!r} {size}", "{n} {size}")}, "ask.en: the braces are not in order"),
        ({"because": Text("{answers}", "{answer}")}, "because.en: nothing draws 'answers'"),
    ],
)
def test_each_flaw_is_told(change, expected):
    assert any(expected in line for line in told(changed(RING, **change))), told(changed(RING, **change))


def test_of_several_options_one_is_right():
    both = (Option(Text("A", "甲"), True), Option(Text("B", "乙"), True))
    assert any("one is right" in line for line in told(changed(LOCK, options=both)))
    assert any("one is right" in line for line in told(changed(LOCK, options=both[:1])))


def test_the_language_is_the_one_in_use():
    language.use("zh")
    try:
        assert "环形" in questions.ask(RING, random.Random(0)).text
    finally:
        language.use("en")


def test_every_question_of_ours_can_be_asked_and_answered_in_both_languages():
    for stage in read_all([ours()]).stages.values():
        for question in stage.diagnostic:
            for seed in range(20):
                asked = questions.ask(question, random.Random(seed))
                reply = (
                    repr(asked.answer)
                    if asked.answer is not None
                    else str(next(i for i, o in enumerate(asked.options, 1) if o.right))
                )
                assert asked.is_right(reply), (stage.id, question.id)
                # what is shown as the right answer is right when it is typed back
                assert asked.answer is None or asked.is_right(asked.right), (stage.id, question.id)
                assert "{" not in asked.text + asked.because
