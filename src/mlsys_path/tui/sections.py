"""Long texts in sections that can be folded and searched: the state of a browser. Pure, no widget here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from textual.content import Content

from mlsys_path.checking.show import clean
from mlsys_path.language import _

MAX_LINE = 2000  # characters of a line; what is longer says so
MAX_MATCHES = 10_000
HEADING = -1  # the line of a section that is its title

Paint = Callable[[int, str], Content]  # the number of a line and its text, as it is shown


def plain(_number: int, text: str) -> Content:
    """A line as it is."""
    return Content(text)


def cleaned(text: str) -> tuple[str, ...]:
    """The lines of a text of others: no control characters, no tabs, none without bounds."""
    return tuple(map(_line, text.rstrip("\n").split("\n")))


def _line(line: str) -> str:
    cut = line[:MAX_LINE]
    text = clean(cut.rstrip("\r").expandtabs(4))
    rest = len(line) - len(cut)
    return text + _(" … {n} more characters").format(n=rest) if rest else text


@dataclass(frozen=True)
class Section:
    """A title and cleaned lines below it."""

    title: str
    lines: tuple[str, ...]
    note: str = ""  # beside the title
    paint: Paint = plain
    gutter: int = 0  # digits of the line numbers; without them 0
    width: int = field(init=False, default=0)  # of the longest line, in cells

    def __post_init__(self) -> None:
        widths = (len(line) if line.isascii() else cell_len(line) for line in self.lines)
        heading = cell_len(self.title) + cell_len(self.note) + 6
        object.__setattr__(
            self, "width", max(heading, max(widths, default=0) + (self.gutter + 2 if self.gutter else 0))
        )


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A line that holds what is searched for."""

    section: int
    page: int
    line: int


@dataclass
class Folds:
    """Which sections are folded and which is the current one; pages that show the same things side by side share it."""

    count: int = 0
    current: int = 0
    folded: set[int] = field(default_factory=set)

    def toggle(self, section: int) -> None:
        """Fold a section, or unfold it, and make it the current one."""
        self.current = section
        self.folded ^= {section}

    def toggle_all(self) -> None:
        """Fold all; when all are folded, unfold all."""
        whole = set(range(self.count))
        self.folded = set() if self.folded == whole else whole

    def move(self, steps: int) -> None:
        """Another section, around the ends."""
        self.current = (self.current + steps) % self.count if self.count else 0


def rows(sections: Sequence[Section], folds: Folds) -> list[tuple[int, int]]:
    """The section and the line of each row; of a folded section only its heading."""
    found: list[tuple[int, int]] = []
    for number, section in enumerate(sections):
        found.append((number, HEADING))
        if number not in folds.folded:
            found += ((number, line) for line in range(len(section.lines)))
    return found


def pattern(query: str) -> re.Pattern[str] | None:
    """What finds a query as it was typed, in capitals or not; None for nothing."""
    return re.compile(re.escape(query), re.IGNORECASE) if query else None


def matches(pages: Sequence[Sequence[Section]], query: str) -> list[Match]:
    """Every line that holds the query, by section, then by page."""
    wanted = pattern(query)
    if wanted is None:
        return []
    found = [
        Match(number, at, line)
        for at, page in enumerate(pages)
        for number, section in enumerate(page)
        for line, text in enumerate(section.lines)
        if wanted.search(text)
    ]
    return sorted(found)[:MAX_MATCHES]
