"""The questions of a stage's diagnostic: drawn, asked, answered. Pure but for the generator that is given.

Answers are arithmetic in YAML that may come from a mentor's pack: simpleeval evaluates them, without names, attributes
or powers that could run code or fill the memory.
"""

from __future__ import annotations

import itertools
import math
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsys_path.errors import UserError
from mlsys_path.language import LANGUAGES, Language, Text, _, current
from mlsys_path.roadmap.model import Option, Question

if TYPE_CHECKING:
    from mlsys_path.roadmap.documents import Loc

MOST_COMBINATIONS = 10_000
_FUNCTIONS = {
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "sqrt": math.sqrt,
    "round": round,
    "abs": abs,
}


@dataclass(frozen=True)
class Asked:
    """A question with its values drawn: what is shown, and what is right."""

    question: Question
    values: Mapping[str, float]
    answer: float | None  # of a question about a number
    options: tuple[Option, ...]  # in the order shown, of a question with options

    @property
    def text(self) -> str:
        """The question in the language in use."""
        return _fill(self.question.ask, self.values)

    @property
    def because(self) -> str:
        """Why the answer is what it is."""
        return _fill(self.question.because, {**self.values, "answer": self.right})

    @property
    def right(self) -> str:
        """The right answer as it is shown."""
        if self.answer is not None:
            return shown(self.answer)
        return next(option.text[current()] for option in self.options if option.right)

    def is_right(self, reply: str) -> bool:
        """Whether a reply is right: a number within the tolerance, or an option's number from 1.

        Raises UserError when it is neither.
        """
        reply = reply.strip()
        if self.answer is None:
            if not reply.isdecimal() or not 1 <= int(reply) <= len(self.options):
                raise UserError(_("answer with a number from 1 to {n}").format(n=len(self.options)))
            return self.options[int(reply) - 1].right
        given = number(reply)
        return math.isclose(given, self.answer, rel_tol=self.question.tolerance, abs_tol=1e-9)


def ask(question: Question, generator: random.Random) -> Asked:
    """Draw a question's values and shuffle its options."""
    values = {name: generator.choice(choices) for name, choices in question.draw.items()}
    options = list(question.options)
    generator.shuffle(options)
    answer = evaluate(question.answer, values) if question.answer else None
    return Asked(question, values, answer, tuple(options))


def number(reply: str) -> float:
    """The number that a reply gives: `1024`, `1,024`, `2^10`, `3/4`, `75%`, `1.5e9`. Raises UserError."""
    text = reply.strip().replace("，", ",").replace("_", "").replace(",", "").replace("^", "**")
    percent = text.endswith("%")
    try:
        value = evaluate(text.removesuffix("%"), {})
    except ValueError:
        raise UserError(
            _("{reply!r} is no number: 1024, 2^10, 3/4 and 1.5e9 are").format(reply=reply)
        ) from None
    return value / 100 if percent else value


def evaluate(expression: str, values: Mapping[str, float]) -> float:
    """The value of an arithmetic expression over named values; raises ValueError when it has none."""
    from simpleeval import InvalidExpression, SimpleEval

    try:
        result = SimpleEval(functions=_FUNCTIONS, names=dict(values)).eval(expression)
    except (
        InvalidExpression,
        SyntaxError,
        ArithmeticError,
        TypeError,
        ValueError,
        RecursionError,
        MemoryError,
    ) as error:
        raise ValueError(str(error) or type(error).__name__) from None
    if isinstance(result, bool) or not isinstance(result, int | float) or not math.isfinite(result):
        raise ValueError(_("gives {result!r}, which is no number").format(result=result))
    return float(result)


def shown(value: float) -> str:
    """A number as a person would write it: no trailing zeros, at most six figures when it is not whole."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.6g}"


def flaws(question: Question) -> Iterator[tuple[Loc, str]]:
    """What is wrong with a question: the key, and why."""
    if bool(question.answer) == bool(question.options):
        yield (), _("a question has an answer, or options")
    if question.options and (len(question.options) < 2 or sum(o.right for o in question.options) != 1):
        yield ("options",), _("of at least two options one is right")
    if question.options and question.draw and not _names(question.ask.en):
        yield ("draw",), _("nothing uses these values")
    for key, text in (("ask", question.ask), ("because", question.because)):
        for lang in LANGUAGES:
            yield from _text_flaws(question, key, lang, text)
    if question.answer:
        yield from _answer_flaws(question)


def _text_flaws(question: Question, key: str, lang: Language, text: Text) -> Iterator[tuple[Loc, str]]:
    try:
        names = _names(text[lang])
    except ValueError as error:
        yield (key, lang), _("the braces are not in order: {why}").format(why=error)
        return
    known = {*question.draw, *(["answer"] if key == "because" else [])}
    for name in sorted(names - known):
        yield (key, lang), _("nothing draws {name!r}").format(name=name)
    if key == "ask":
        for name in sorted(question.draw.keys() - names):
            yield (key, lang), _("does not say {name!r}, which is drawn").format(name=name)


def _answer_flaws(question: Question) -> Iterator[tuple[Loc, str]]:
    combinations = math.prod(len(choices) for choices in question.draw.values())
    if combinations > MOST_COMBINATIONS:
        yield ("draw",), _("more than {n} combinations").format(n=MOST_COMBINATIONS)
        return
    answers = set()
    for values in itertools.product(*question.draw.values()):
        drawn = dict(zip(question.draw, values, strict=True))
        try:
            answers.add(evaluate(question.answer, drawn))
        except ValueError as error:
            shown_values = ", ".join(f"{name}={value:g}" for name, value in drawn.items())
            yield ("answer",), _("has no value for {values}: {why}").format(values=shown_values, why=error)
            return
    if len(answers) < 2:
        yield ("answer",), _("is the same whatever is drawn, so that it can be remembered")


def _names(text: str) -> set[str]:
    found = set()
    for _literal, name, spec, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError("{" + name + "}")
        found.add(name)
    return found


def _fill(text: Text, values: Mapping[str, Any]) -> str:
    said = {name: value if isinstance(value, str) else shown(value) for name, value in values.items()}
    return text[current()].format_map(said)
