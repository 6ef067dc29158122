"""The piece of a text that shows best what was looked for, and where in it the words stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlsys_path.search.words import Word, forms

Span = tuple[int, int]
_GAP = r"(?:[^\w\n]|_){0,2}"  # what may stand between the parts of a word
_LONGEST = 24  # letters of a word that is not cut


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text, where the words stand in it, and how many different ones do."""

    text: str
    marks: tuple[Span, ...] = ()
    found: int = 0


def pattern(words: Sequence[Word]) -> re.Pattern[str]:
    """What finds the words in a folded text; a group for each."""
    return re.compile("|".join(f"({_expression(word)})" for word in words) or "(?!)")


def cut(wanted: re.Pattern[str], text: str, width: int) -> Snippet:
    """Of the paragraph of `text` that holds most of the words, as much as `width` columns show, around them."""
    words: dict[int, set[int]] = {}  # by the start of each paragraph
    folded = _folded(text)
    for match in wanted.finditer(folded):
        words.setdefault(folded.rfind("\n", 0, match.start()) + 1, set()).add(match.lastindex or 0)
    start = max(words, key=lambda at: len(words[at]), default=0)
    end = text.find("\n", start)
    paragraph = text[start : len(text) if end < 0 else end]
    matches = list(wanted.finditer(_folded(paragraph)))
    shown = _window(paragraph, [match.span() for match in matches], width)
    before, after = "…" if shown.start else "", "…" if shown.stop < len(paragraph) else ""
    shift = shown.start - len(before)
    inside = [m for m in matches if shown.start <= m.start() and m.end() <= shown.stop]
    return Snippet(
        before + paragraph[shown.start : shown.stop] + after,
        tuple((m.start() - shift, m.end() - shift) for m in inside),
        len(words.get(start, ())),
    )


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _window(text: str, marks: Sequence[Span], width: int) -> slice:
    """The part of a paragraph to show: its beginning when the first mark is in it, otherwise a little around that."""
    if columns(text) <= width:
        return slice(0, len(text))
    begin = 0
    if marks and columns(text[: marks[0][1]]) >= width:
        begin = _back(text, marks[0][0], width // 3)
        if columns(text[begin:]) < width:
            return slice(_back(text, len(text), width - 1), len(text))
    end, room = begin, width - 1 - (begin > 0)
    while end < len(text) and room >= _width(text[end]):
        room -= _width(text[end])
        end += 1
    return slice(begin, _whole(text, range(end, begin, -1)))


def _back(text: str, at: int, width: int) -> int:
    """Where something that ends at `at` and takes `width` columns begins."""
    begin = at
    while begin and width >= _width(text[begin - 1]):
        begin -= 1
        width -= _width(text[begin])
    return _whole(text, range(begin, at))


def _whole(text: str, places: range) -> int:
    """Where to cut a text: at the first of the places that is not inside a word of Latin letters, without its space."""
    for at in places[:_LONGEST]:
        before, after = text[at - 1 : at], text[at : at + 1]
        if not (_latin(before) and _latin(after)):
            if places.step > 0:
                return at + (after == " ")
            return at - (before == " ")
    return places.start


def _latin(character: str) -> bool:
    return character.isalnum() and columns(character) == 1


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _folded(text: str) -> str:
    """Small letters without accents, full-width ones as the usual ones; each character stays where it is."""
    if text.isascii():
        return text.lower()
    return text.translate(folds).lower() if (folds := dict(_folds(set(text)))) else text.lower()


def _folds(characters: Iterable[str]) -> Iterator[tuple[int, str]]:
    """What stands for letters and digits that are not written in the usual way."""
    for character in characters:
        if character > "\x7f" and character.isalnum():
            usual = unicodedata.normalize("NFKD", character)[0]
            # a letter that has two small ones would move all that follows
            if usual != character or len(character.lower()) > 1:
                yield ord(character), usual


def _expression(word: Word) -> str:
    if word.cjk:
        return _GAP.join(word.parts)
    if word.parts == ("cpp",):
        return r"(?<![a-z0-9])(?:cpp|c\+\+)"
    *first, last = [_spelt(part) for part in word.parts]
    if not first and len(word.parts[0]) > 3 and word.parts[0].endswith("s"):
        last = _spelt(word.parts[0][:-1]) + "s?"
    end = (
        "[a-z0-9]*" if word.unfinished else "(?:e?s)?(?![a-z0-9])" if len(forms(word)) > 1 else "(?![a-z0-9])"
    )
    return rf"(?<![a-z0-9]){_GAP.join([*first, last])}{end}"


def _spelt(part: str) -> str:
    """The letters of a part, between which there may be hyphens: allreduce is all-reduce."""
    return "-?".join(map(re.escape, part))
