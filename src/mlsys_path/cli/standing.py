"""How the learner stands with each exercise: what is stored of it, and which prerequisites are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlsys_path.cli.terminal import style
from mlsys_path.exercises.folder import exercise_hash
from mlsys_path.language import N_, _
from mlsys_path.progress import queries
from mlsys_path.progress.records import Status

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

TRACK_SETTING = "track"  # the id of the track that is followed

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
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One exercise as its learner sees it."""

    status: Status
    missing: tuple[str, ...]  # prerequisites that have not passed

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
        """Glyph and word."""
        glyph, word, colour = _SHOWN[self.state]
        return style(f"{glyph} {_(word)}", fg=colour)


def standings(roadmap: Roadmap) -> dict[str, Standing]:
    """Every exercise of the roadmap, in its order. Raises UserError when the database cannot be read."""
    statuses = queries.statuses(_Hashes(roadmap))
    passed = {name for name, status in statuses.items() if status.passed}
    return {
        name: Standing(
            statuses.get(name) or Status(name),
            tuple(needed for needed in exercise.requires if needed not in passed),
        )
        for name, exercise in roadmap.exercises.items()
    }


def learners_word(roadmap: Roadmap) -> Callable[[str, str], str]:
    """What `roadmap.pages` says of an exercise: how the learner stands with it. Raises UserError."""
    found = standings(roadmap)

    def word(kind: str, id_: str) -> str:
        if kind == "exercise" and found[id_].state != "new":
            glyph, state, _colour = _SHOWN[found[id_].state]
            return f"{glyph} {_(state)}"
        return ""

    return word


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
