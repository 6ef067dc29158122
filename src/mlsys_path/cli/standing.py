"""How the learner stands with each exercise: what is stored of it, which prerequisites are missing, and, apart, their word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlsys_path.cli.terminal import style
from mlsys_path.exercises.folder import exercise_hash
from mlsys_path.language import N_, _, listed
from mlsys_path.mentoring import received
from mlsys_path.progress import queries
from mlsys_path.progress.records import Status
from mlsys_path.progress.word import SHOWN, Said, Word

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

Category = Literal["open", "passed", "blocked"]

# glyph, word, colour: never colour alone
_SHOWN: dict[str, tuple[str, str, str | None]] = {
    "passed": ("✓", N_("passed"), "green"),
    "failed": ("✗", N_("failed"), "red"),
    "error": ("!", N_("error"), "magenta"),
    "open": ("○", N_("unchecked"), "yellow"),
    "started": ("▸", N_("started"), "cyan"),
    "new": ("·", N_("new"), None),
    "blocked": ("-", N_("blocked"), None),
    "known": ("~", N_("by your word"), "blue"),
    "waived": ("~", N_("waived"), "blue"),
    "unread": ("·", N_("to read"), None),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One exercise as its learner sees it."""

    status: Status
    missing: tuple[str, ...]  # prerequisites that have not passed and are not known by the learner's word
    known: bool = False  # by the learner's word, which is no pass
    waived: bool = False  # by a mentor's

    @property
    def word(self) -> str | None:
        """The learner's word, where it says more than what was proved."""
        return "known" if self.known and not self.status.passed else None

    @property
    def state(self) -> str:
        """The status's state, or "blocked" where something else comes first and nothing was tried yet."""
        return "blocked" if self.missing and self.status.state == "new" else self.status.state

    @property
    def category(self) -> Category:
        """What `list --status` filters by."""
        if self.status.passed:
            return "passed"
        return "blocked" if self.missing else "open"

    def label(self) -> str:
        """Glyph and word: what was tried, else what the learner says."""
        untried = self.state in ("new", "blocked", "started")
        said = "known" if self.word else "waived" if self.waived else ""
        glyph, word, colour = _SHOWN[said if said and untried else self.state]
        return style(f"{glyph} {_(word)}", fg=colour)


def note(standing: Standing) -> str:
    """What stands behind a title: what is missing, what has changed, or a word that the label does not say."""
    if standing.status.exercise_changed:
        return "  " + _("(changed since you passed)")
    if standing.word and standing.state not in ("new", "blocked", "started"):
        return _("  ({note})").format(note=_(SHOWN["known"]))
    return "  " + _("(after {ids})").format(ids=listed(standing.missing)) if standing.missing else ""


def word_label(said_of_it: Said) -> str:
    """Glyph and word of what is no exercise: the learner's own, which is no proof."""
    glyph, word, colour = _SHOWN["known" if said_of_it else "unread"]
    return style(f"{glyph} {_(word)}", fg=colour)


def standings(roadmap: Roadmap, word: Word | None = None) -> dict[str, Standing]:
    """Every exercise of the roadmap, in its order. Raises UserError when the database cannot be read."""
    word = word or said(roadmap)
    statuses = queries.statuses(_Hashes(roadmap), roadmap.renames)
    met = {name for name, status in statuses.items() if status.passed} | word.known
    return {
        name: Standing(
            statuses.get(name) or Status(name),
            tuple(needed for needed in exercise.requires if needed not in met),
            name in word.own,
            name in word.waived,
        )
        for name, exercise in roadmap.exercises.items()
    }


def said(roadmap: Roadmap) -> Word:
    """The learner's word on everything, and what a mentor waived. Raises UserError when the database cannot be read."""
    return Word(roadmap, queries.claims(roadmap.renames), received.waived(roadmap, received.current()))


def learners_word(roadmap: Roadmap) -> Callable[[str, str], str]:
    """What `roadmap.pages` says of a thing: how the learner stands with it, and their word. Raises UserError."""
    word = said(roadmap)
    found = standings(roadmap, word)

    def of(kind: str, id_: str) -> str:
        parts = []
        if kind == "exercise":
            standing = found[id_]
            if standing.state not in ("new", *(["blocked"] if standing.word else [])):
                glyph, state, _colour = _SHOWN[standing.state]
                parts.append(f"{glyph} {_(state)}")
            if standing.word:
                parts.append(_(SHOWN["known"]))
        else:
            parts += [_(SHOWN[word.of(kind, id_)])] if word.of(kind, id_) else []
            if kind == "stage" and (answered := word.claims.diagnostics.get(id_)):
                right, total = answered.score
                parts.append(_("{right} of {of} questions right").format(right=right, of=total))
        return _("; ").join(parts)

    return of


class _Hashes(Mapping[str, str]):
    """The hashes of exercises on disk, computed only for those that are asked for: the touched ones."""

    def __init__(self, roadmap: Roadmap) -> None:
        self._roadmap = roadmap

    def __getitem__(self, exercise: str) -> str:
        if exercise not in self._roadmap.exercises:
            raise KeyError(exercise)
        return exercise_hash(self._roadmap.folder(exercise))

    def __iter__(self) -> Iterator[str]:
        return iter(self._roadmap.exercises)

    def __len__(self) -> int:
        return len(self._roadmap.exercises)
