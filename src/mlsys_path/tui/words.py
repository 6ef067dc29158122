"""Glyph, word and colour of every state and outcome: never colour alone, and the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from mlsys_path.language import N_, _
from mlsys_path.levels import Outcome
from mlsys_path.progress.word import Said


@dataclass(frozen=True, slots=True)
class Word:
    """How a state is shown: `text` is a message id, `colour` a variable of the themes."""

    glyph: str
    text: str
    colour: str

    def shown(self) -> str:
        """Glyph and word in the language in use."""
        return f"{self.glyph} {_(self.text)}"


# how the learner stands with an exercise
STATES: dict[str, Word] = {
    "passed": Word("✓", N_("passed"), "state-passed"),
    "failed": Word("✗", N_("failed"), "state-failed"),
    "error": Word("!", N_("error"), "state-error"),
    "open": Word("○", N_("unchecked"), "state-open"),
    "started": Word("▸", N_("started"), "state-running"),
    "new": Word("·", N_("new"), "state-new"),
    "blocked": Word("-", N_("blocked"), "state-idle"),
    "planned": Word("…", N_("planned"), "state-idle"),  # has its place, and is not built yet
    "known": Word("~", N_("known"), "accent"),  # by the learner's word, which is no pass
}
# what the learner says, apart from what was proved
SAID: dict[Said, Word] = {"read": Word("~", N_("have read"), "accent"), "known": STATES["known"]}

# how a check, a level or a run ended
OUTCOMES: dict[Outcome, Word] = {
    Outcome.PASSED: Word("✓", N_("passed"), "state-passed"),
    Outcome.FAILED: Word("✗", N_("failed"), "state-failed"),
    Outcome.ERROR: Word("!", N_("error"), "state-error"),
    Outcome.OPEN: Word("○", N_("open"), "state-open"),
}
RUNNING = Word("▸", N_("running"), "state-running")
WAITING = Word("·", N_("to check"), "state-idle")

_COLUMNS = {"state": tuple(STATES.values()), "check": (*OUTCOMES.values(), RUNNING, WAITING)}


def said(word: Said) -> Word | None:
    """How the learner's word is shown; nothing where there is none."""
    return SAID.get(word)


def column(word: Word, kind: str) -> str:
    """Glyph and word, padded so that whatever follows a word of the same kind aligns, in cells."""
    return set_cell_size(word.shown(), max(cell_len(w.shown()) for w in _COLUMNS[kind]))


def padded(word: Word, among: Iterable[Word]) -> Content:
    """Glyph and word in their colour, as wide as the widest of those that stand in its column."""
    width = max(cell_len(each.shown()) for each in among)
    return styled(word) + Content(" " * (width - cell_len(word.shown())))


def styled(word: Word) -> Content:
    """Glyph and word in their colour."""
    return Content.styled(word.shown(), f"bold ${word.colour}")
