"""Beside the tree: what to do next and why, and what the cursor is on."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from mlsys_path import language
from mlsys_path.language import _, ngettext
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.tui.services import Progress
from mlsys_path.tui.widgets.roadmap_tree import Place
from mlsys_path.tui.words import STATES, styled

MUTED = "$text-muted"


def next_step(roadmap: Roadmap, progress: Progress) -> Content:
    """What to do now and why; a welcome when nothing was ever done."""
    if not progress.suggestions:
        return Content.styled(_("You have passed every exercise."), "bold $state-passed")
    first = progress.suggestions[0]
    title = Content.styled(roadmap.exercises[first.exercise].title[language.current()], "bold $heading")
    if progress.empty:
        return Content("\n").join(
            [
                Content.styled(_("Welcome"), "bold"),
                Content(
                    _("Read a lesson, edit a file, save: the program runs your code and tells what is wrong.")
                ),
                Content(_("Press n to begin with") + " ") + title,
            ]
        )
    return Content("\n").join(
        [
            Content.styled(_("Next") + "  ", "bold") + title,
            Content(first.reason) + Content.styled("  " + _("n opens it"), MUTED),
        ]
    )


def totals(roadmap: Roadmap, progress: Progress) -> str:
    """How much is done, in a few words."""
    total = len(roadmap.exercises)
    parts = [_("{passed} of {total} passed").format(passed=progress.summary.passes, total=total)]
    if streak := progress.summary.streak:
        parts.append(ngettext("{n} day in a row", "{n} days in a row", streak).format(n=streak))
    return " · ".join(parts)


def details(roadmap: Roadmap, progress: Progress, place: Place) -> Content:
    """What a node of the tree stands for."""
    current = language.current()
    if place.kind == "planned":
        planned = roadmap.planned[place.id]
        return Content("\n").join(
            [
                Content.styled(planned.title[current], "bold"),
                styled(STATES["planned"]),
                Content(planned.summary[current]),
            ]
        )
    if place.kind != "exercise":
        record = roadmap.stages[place.id] if place.kind == "stage" else roadmap.topics[place.id]
        head = Content.styled(record.title[current], "bold") + Content(f"\n{record.summary[current]}")
        if place.kind == "stage" or not roadmap.topics[place.id].reads:
            return head
        readings = roadmap.topics[place.id].reads
        titles = [f"{roadmap.resources[r.resource].title[current]}: {r.parts[current]}" for r in readings]
        return head + Content.styled("\n" + _("Read") + "\n", MUTED) + Content("\n".join(titles))
    exercise = roadmap.exercises[place.id]
    facts = [
        exercise.language,
        _("difficulty {n} of 5").format(n=exercise.difficulty),
        _("about {n} minutes").format(n=exercise.minutes),
    ]
    status = progress.status(exercise.id)
    if status.attempts:
        facts.append(ngettext("{n} attempt", "{n} attempts", status.attempts).format(n=status.attempts))
    lines = [
        Content.styled(exercise.title[current], "bold"),
        styled(STATES[progress.state(exercise)]) + Content.styled("  " + " · ".join(facts), MUTED),
        Content(exercise.summary[current]),
    ]
    if missing := progress.missing(exercise):
        names = ", ".join(
            roadmap.exercises[name].title[current] for name in missing if name in roadmap.exercises
        )
        lines.append(Content.styled(_("After: {names}").format(names=names), "$state-open"))
    return Content("\n").join(lines)


class Card(Static):
    """A block of text of ours or of others: never markup."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, markup=False)
