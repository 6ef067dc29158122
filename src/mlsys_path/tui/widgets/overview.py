"""Beside the tree: what to do next and why, and what the cursor is on."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from mlsys_path import language
from mlsys_path.language import _, bracketed, duration, labelled, listed, ngettext
from mlsys_path.progress.word import SHOWN
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.roadmap.model import Reading
from mlsys_path.roadmap.readings import part_of
from mlsys_path.tui.services import Progress
from mlsys_path.tui.widgets.roadmap_tree import Place
from mlsys_path.tui.words import STATES, said, styled

MUTED = "$text-muted"


def next_step(roadmap: Roadmap, progress: Progress) -> Content:
    """What to do now and why; a welcome when nothing was ever done."""
    if not progress.suggestions:
        return Content.styled(_("You have passed every exercise."), "bold $state-passed")
    first = progress.suggestions[0]
    title = Content.styled(roadmap.exercises[first.exercise].title[language.current()], "bold $heading")
    if progress.empty:
        # who only looks in is to pass something first; who has planned weeks means to read, too
        read_first = first.read_first if progress.today else ""
        return Content("\n").join(
            [
                Content.styled(_("Welcome"), "bold"),
                Content(
                    _("Read a lesson, edit a file, save: the program runs your code and tells what is wrong.")
                ),
                Content(_("Press n to begin with") + " ") + title,
                *([Content(read_first)] if read_first else []),
            ]
        )
    return Content("\n").join(
        [
            Content.styled(_("Next") + "  ", "bold") + title,
            Content(first.reason) + Content.styled("  " + _("n opens it"), MUTED),
        ]
    )


def today(roadmap: Roadmap, progress: Progress) -> Content:
    """The day's work in its order: how long, what, and why; nothing without hours a week."""
    plan = progress.today
    if plan is None:
        return Content("")
    if not plan.minutes:
        text = (
            _("This week's {hours} are done, by estimate.").format(hours=duration(plan.pace))
            if plan.done_this_week >= plan.pace
            else _("Today's share is done, by estimate: {done}.").format(done=duration(plan.done_today))
        )
        return Content(text)
    head = _("Today: {minutes} of {pace} a week").format(
        minutes=duration(plan.minutes), pace=duration(plan.pace)
    )
    lines = [Content.styled(head, "bold")]
    for number, entry in enumerate(plan.items, 1):
        verb = _("read") if entry.kind == "read" else _("solve")
        lines.append(
            Content(f"{number}. ")
            + Content.styled(f"{duration(entry.minutes)}  {verb}  ", "$heading")
            + Content(entry.title)
        )
        lines.append(Content.styled(f"   {entry.why}", MUTED))
    return Content("\n").join(lines)


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
    if place.kind == "today":
        return Content("")
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
        lines = [Content.styled(record.title[current], "bold"), Content(record.summary[current])]
        if whole := _word(progress, place.kind, place.id):
            lines.insert(1, whole)
        if place.kind == "stage" or not roadmap.topics[place.id].reads:
            return Content("\n").join(lines)
        lines.append(Content.styled(_("Read"), MUTED))
        lines += [_reading(roadmap, progress, reading) for reading in roadmap.topics[place.id].reads]
        return Content("\n").join(lines)
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
    # beside what was tried, and apart from it
    if exercise.id in progress.known and not status.passed:
        lines.insert(2, Content.styled(f"~ {_(SHOWN['known'])}", "bold $accent"))
    if missing := progress.missing(exercise):
        names = listed(
            roadmap.exercises[name].title[current] for name in missing if name in roadmap.exercises
        )
        lines.append(Content.styled(_("After: {names}").format(names=names), "$state-open"))
    return Content("\n").join(lines)


def _word(progress: Progress, kind: str, id_: str) -> Content | None:
    """What the learner says, said as theirs; of a stage also how its questions were answered."""
    word = progress.said(kind, id_)
    parts = [_(SHOWN[word])] if word else []
    if kind == "stage" and (answered := progress.claims.diagnostics.get(id_)):
        right, of = answered.score
        parts.append(_("{right} of {of} questions right").format(right=right, of=of))
    return Content.styled("~ " + _("; ").join(parts), "bold $accent") if parts else None


def _reading(roadmap: Roadmap, progress: Progress, reading: Reading) -> Content:
    title = roadmap.resources[reading.resource].title[language.current()]
    line = labelled(title, bracketed(reading.parts[language.current()], _("{n:g} h").format(n=reading.hours)))
    word = said(progress.said("reading", roadmap.reading_names[part_of(reading)]))
    return (styled(word) + Content(f"  {line}")) if word else Content(f"· {line}")


class Card(Static):
    """A block of text of ours or of others: never markup."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, markup=False)
