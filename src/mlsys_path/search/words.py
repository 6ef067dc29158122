"""Words: how a text is cut into them for the index, and how a query asks for them.

FTS5 cuts text where something is neither letter nor digit, which leaves a Chinese sentence in one piece. So each CJK
character becomes a word by itself, and a run of them in a query a phrase: 显存 is found wherever these two stand side by
side. What is written in several ways in English (`all-reduce` and `allreduce`, `FlashAttention` and `flash attention`,
`C++` and `cpp`) goes into the index in each of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 400  # of a query: what is behind them is not looked for
MAX_WORDS = 16

_CJK = (
    "\u3005\u3007\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufad9"
    "\U00020000-\U0002fa1d\U00030000-\U0003134a"
)
_RUN = re.compile(f"[{_CJK}]+")
_LATIN = rf"(?:(?![{_CJK}])[^\W_])+"
# a word of a query: a run of CJK, or letters and digits, of which several may be joined
_WORD = re.compile(rf"[{_CJK}]+|{_LATIN}(?:[-_.'\u2010-\u2013\u2019]{_LATIN})*")
_PART = re.compile(_LATIN)
_NO_WORD = re.compile(r"[\W_]+")
_COMPOUND = re.compile(r"[A-Za-z0-9]+(?:[-\u2010-\u2013][A-Za-z0-9]+)+")
_HYPHEN = re.compile("[-\u2010-\u2013]")
_CAMEL = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z][a-z]+){2,}(?![A-Za-z])")
_HUMP = re.compile("[A-Z][a-z]+")
_CPP = re.compile(r"(?<![A-Za-z0-9])[Cc]\+\+")
# left out where any word is enough, as nearly every text has them
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "how",
        "i",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "what",
        "when",
        "where",
        "which",
        "why",
        "with",
        "you",
    ]
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query in small letters: its parts, which are single characters when it is CJK."""

    parts: tuple[str, ...]
    cjk: bool = False
    unfinished: bool = False  # what begins so is meant too


def plain(text: str) -> str:
    """The text without anything that could steer a terminal: control, format and private characters, lone surrogates."""
    if text.isprintable():
        return text
    # soft hyphens and the like stand inside words; what else is not printable stands between them
    return "".join(c if c.isprintable() else "" if unicodedata.category(c) == "Cf" else " " for c in text)


def searchable(text: str) -> str:
    """A text as FTS5 gets it: a space wherever a word ends, and behind all of it the other ways to write its words."""
    text = _normal(text)
    others = dict.fromkeys(_HYPHEN.sub("", word) for word in _COMPOUND.findall(text))
    others |= dict.fromkeys(" ".join(_HUMP.findall(word)) for word in _CAMEL.findall(text))
    return " ".join((_RUN.sub(lambda run: f" {' '.join(run[0])} ", text), *others))


def key(text: str) -> str:
    """A name without all that people write in different ways: `LRU cache`, `lru-cache` and `lrucache` have one key."""
    return _NO_WORD.sub("", _normal(text).lower())


def parse(query: str) -> list[Word]:
    """The words of a query, whatever else is in it; the last one may be unfinished."""
    text = _normal(plain(query[:MAX_CHARACTERS]))[:MAX_CHARACTERS].lower()
    found = list(dict.fromkeys(_WORD.findall(text)))[:MAX_WORDS]
    return [_word(one, last=i == len(found) - 1) for i, one in enumerate(found)]


def loosened(words: Iterable[Word]) -> list[Word]:
    """What to look for when no text has all of the words: their parts too, and what begins like them."""
    every = dict.fromkeys(part for word in words for part in _parts(word))
    telling = [word for word in every if word.parts[0] not in _STOP or len(word.parts) > 1]
    return telling or list(every)


def expression(words: Iterable[Word], *, every: bool = True) -> str:
    """The MATCH expression that asks for all of the words, or for any; nothing in it but quoted letters and digits."""
    return (" AND " if every else " OR ").join(_asked(word) for word in words)


def forms(word: Word) -> tuple[str, ...]:
    """The ways in which a word stands in the index."""
    if word.cjk:
        return (" ".join(word.parts),)
    first, *more = word.parts
    if more:
        apart, joined = " ".join(word.parts), "".join(word.parts)
        # 3.5 is not 35
        return (apart,) if joined.isdigit() else (apart, joined)
    if len(first) < 3 or not first.isalpha() or not first.isascii():
        return (first,)
    if first.endswith("s"):
        return (first, first[:-1], first[:-2]) if first.endswith("es") else (first, first[:-1])
    return (first, first + "s")


def _normal(text: str) -> str:
    """Full-width letters and digits as the usual ones, and C++ as a word."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _CPP.sub("cpp", text)


def _word(text: str, *, last: bool) -> Word:
    if _RUN.match(text):
        return Word(tuple(text), cjk=True)
    parts = tuple(_PART.findall(text))
    # one letter begins too much, and who writes 3 does not mean 30
    return Word(parts, unfinished=last and len(parts[-1]) > 1 and not parts[-1].isdigit())


def _parts(word: Word) -> Iterator[Word]:
    if word.cjk:
        yield word
        if len(word.parts) > 2:
            for pair in zip(word.parts, word.parts[1:], strict=False):
                yield Word(pair, cjk=True)
        return
    if len(word.parts) > 1:
        yield word
    for part in word.parts:
        yield Word((part,), unfinished=len(part) > 2 and not part.isdigit())


def _asked(word: Word) -> str:
    terms = [f'"{form}"' for form in forms(word)]
    if word.unfinished:
        terms += [f"{term}*" for term in terms[: 2 if len(word.parts) > 1 else 1]]
    return f"({' OR '.join(terms)})" if len(terms) > 1 else terms[0]
