"""Finding: the records that hold the words of a query, the best first, each with a line that shows why."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from mlsys_path.language import Language, current
from mlsys_path.roadmap.names import KINDS, Kind
from mlsys_path.roadmap.sources import Source
from mlsys_path.search import snippets
from mlsys_path.search.index import COLUMNS, KIND_BITS, PART, kind_of, opened
from mlsys_path.search.snippets import Snippet
from mlsys_path.search.words import Word, expression, key, loosened, parse

LIMIT = 20
WIDTH = 70
# a field's share of the score, and how much a word weighs in it: a heavy one counts as much in a long text as in a
# short one. Each field has its own term, or a word that a lesson says a hundred times would outdo a title
_FIELDS = {("id", "title"): (8, 10), ("lead",): (3, 3), ("body",): (1, 1)}
# what one does comes before what one reads, and what is there before what is planned
_KIND_WEIGHTS: dict[Kind, float] = {
    "exercise": 1.0,
    "topic": 1.0,
    "stage": 0.95,
    "track": 0.9,
    "resource": 0.85,
    "planned": 0.6,
}
_SCORE = "({}) * CASE rowid >> {} {} END".format(
    " ".join(
        f"- {share} * bm25(words, "
        f"{', '.join(str(weight if column.partition('_')[0] in field else 0) for column in COLUMNS)})"
        for field, (share, weight) in _FIELDS.items()
    ),
    KIND_BITS,
    " ".join(f"WHEN {i} THEN {_KIND_WEIGHTS[kind]}" for i, kind in enumerate(KINDS)),
)
# what is called as the query says comes first: by its id, by one that it had before, by its title
_CALLED_SO = (30_000.0, 20_000.0, 10_000.0)
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found: its title in the language in use, and a line of its text that shows why."""

    kind: Kind
    id: str
    title: str
    snippet: str
    language: Language  # of the snippet
    score: float  # more is better
    marks: tuple[tuple[int, int], ...] = ()  # where the words stand in the snippet


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found."""

    hits: tuple[Hit, ...] = ()
    relaxed: bool = False  # nothing holds all words: the hits hold some of them
    nearest: tuple[Hit, ...] = ()  # where nothing holds all words: what is called nearly so


def search(query: str, *, kinds: Collection[Kind] | None = None, limit: int = LIMIT) -> list[Hit]:
    """The records (of `kinds`) that hold all words of a query, else those that hold some, the best first.

    Raises UserError when the index has to be made and the content is not sound.
    """
    return list(ask(query, kinds=kinds, limit=limit).hits)


def ask(
    query: str,
    *,
    kinds: Collection[Kind] | None = None,
    limit: int = LIMIT,
    width: int = WIDTH,
    content: Sequence[Source] | None = None,
) -> Answer:
    """What a query finds in all sources or those given, shown in `width` columns; nothing when it has no words.

    Raises UserError when the index has to be made and the content is not sound.
    """
    for anew in (False, True):
        try:
            with opened(content, anew=anew) as connection:
                return find(connection, query, kinds=kinds, limit=limit, width=width)
        except (sqlite3.Error, LookupError, TypeError, ValueError):
            # damage may show no sooner than here; an index that was just made has none
            if anew:
                raise
    raise AssertionError


def find(
    connection: sqlite3.Connection,
    query: str,
    *,
    kinds: Collection[Kind] | None = None,
    limit: int = LIMIT,
    width: int = WIDTH,
) -> Answer:
    """What `ask` does, in an index that is open: whether that is fresh is not looked at."""
    words = parse(query)
    if not words or limit < 1:
        return Answer()
    return _Search(connection, kinds, limit, width).answer(key(query), words)


class _Search:
    """One search of an open index."""

    def __init__(
        self, connection: sqlite3.Connection, kinds: Collection[Kind] | None, limit: int, width: int
    ) -> None:
        self.connection = connection
        numbers = [str(i) for i, kind in enumerate(KINDS) if kinds is None or kind in kinds]
        self.among = f">> {KIND_BITS} IN ({', '.join(numbers)})"
        self.limit = limit
        self.width = width

    def answer(self, name: str, words: Sequence[Word]) -> Answer:
        """What the words find, what is called `name` before all else."""
        scores = self.matching(expression(words))
        for row, rank in self.called(name):
            scores[row] = scores.get(row, 0.0) + _CALLED_SO[rank]
        if scores:
            return Answer(self.best(scores, words))
        words = loosened(words)
        scores = self.matching(expression(words, every=False))
        names = [name] if scores else [name, *("".join(word.parts) for word in words)]
        nearest = self.best(dict.fromkeys(self.near(names), 0.0), ())
        return Answer(self.best(scores, words), relaxed=bool(scores), nearest=nearest)

    def matching(self, asked: str) -> dict[int, float]:
        """The best rows that match an expression, with their scores."""
        found = self.connection.execute(
            f"SELECT rowid, {_SCORE} AS score FROM words WHERE words MATCH ? AND rowid {self.among} "  # noqa: S608
            "ORDER BY score DESC, rowid LIMIT ?",
            (asked, self.limit),
        )
        return dict(found)

    def called(self, name: str) -> list[tuple[int, int]]:
        """Rows of what is called so, with the rank of the name."""
        return self.connection.execute(
            f"SELECT row, min(rank) FROM names WHERE key = ? AND rank < {PART} AND row {self.among} GROUP BY row",  # noqa: S608
            (name,),
        ).fetchall()

    def near(self, names: Iterable[str]) -> list[int]:
        """Rows of what is called nearly so."""
        from difflib import get_close_matches

        near: dict[int, None] = {}
        for one in dict.fromkeys(names):
            # one character of three is more of a word than one letter of five
            cutoff = 0.6 if len(one) < 5 and not one.isascii() else 0.72
            like = "*" if one.isascii() else "*[^ -~]*"  # what is Chinese is near to nothing that is not
            longest = 2 / cutoff - 1  # what is longer by this factor cannot be as near
            called = dict(
                self.connection.execute(
                    f"SELECT key, row FROM names WHERE row {self.among} AND length(key) BETWEEN ? AND ? "  # noqa: S608
                    "AND key GLOB ? ORDER BY rank DESC, row DESC",
                    (len(one) / longest, len(one) * longest, like),
                )
            )
            near |= dict.fromkeys(called[close] for close in get_close_matches(one, called, _NEAR, cutoff))
        return list(near)[:_NEAR]

    def best(self, scores: dict[int, float], words: Sequence[Word]) -> tuple[Hit, ...]:
        """The records with the highest scores, the first ones among equals."""
        rows = sorted(scores, key=lambda row: -scores[row])[: self.limit]
        found = self.connection.execute(
            f"SELECT row, {', '.join(COLUMNS)} FROM records WHERE row IN ({', '.join(map(str, rows))})"  # noqa: S608
        )
        records = {row: dict(zip(COLUMNS, values, strict=True)) for row, *values in found}
        wanted = snippets.pattern(words)
        return tuple(_hit(row, records[row], scores[row], wanted, self.width) for row in rows)


def _hit(row: int, record: dict[str, str], score: float, wanted: re.Pattern[str], width: int) -> Hit:
    language = current()
    snippet = _telling(record, language, wanted, width)
    if snippet.found and score >= min(_CALLED_SO):
        # nothing says better what it is
        snippet = snippets.cut(wanted, _summary(record[f"lead_{language}"]), width)
    elif not snippet.found:
        other: Language = "en" if language == "zh" else "zh"
        elsewhere = _telling(record, other, wanted, width)
        if elsewhere.found:
            language, snippet = other, elsewhere
    title = record[f"title_{current()}"]
    return Hit(kind_of(row), record["id"], title, snippet.text, language, score, snippet.marks)


def _telling(record: dict[str, str], language: Language, wanted: re.Pattern[str], width: int) -> Snippet:
    """The line of a record's text in a language that shows most of the words; a summary where its title has them."""
    title, lead = record[f"title_{language}"], record[f"lead_{language}"]
    if language != current():
        # the title that is shown is the other one
        lead = f"{title}\n{lead}"
    best = snippets.cut(wanted, lead, width)
    named = snippets.cut(wanted, f"{record['id']} {title}", width).found
    if named >= best.found:
        best = replace(snippets.cut(wanted, _summary(lead), width), found=named)
    if best.found < wanted.groups:
        rest = snippets.cut(wanted, record[f"body_{language}"], width)
        best = rest if rest.found > best.found else best
    return best


def _summary(lead: str) -> str:
    return lead.partition("\n")[0]
