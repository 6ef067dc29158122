"""What the learner says that they have read or know: of a stage, a topic with its reading, or an exercise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mlsys_path.language import _, current, labelled
from mlsys_path.tui import actions
from mlsys_path.tui.screens.base import Dialog
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.words import said

if TYPE_CHECKING:
    from mlsys_path.progress.records import ClaimKind, ClaimWord
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.tui.widgets.roadmap_tree import Place


class Subject(NamedTuple):
    """What something can be said of."""

    kind: ClaimKind
    id: str
    title: str


def subjects(roadmap: Roadmap, place: Place) -> list[Subject]:
    """The thing that a node of the tree stands for, and of a topic what it wants read."""
    match place.kind:
        case "stage":
            return [Subject("stage", place.id, roadmap.stages[place.id].title[current()])]
        case "exercise":
            return [Subject("exercise", place.id, roadmap.exercises[place.id].title[current()])]
        case "topic":
            topic = roadmap.topics[place.id]
            found = [Subject("topic", topic.id, topic.title[current()])]
            for reading in topic.reads:
                name = roadmap.reading_names[reading.resource, reading.parts]
                found.append(Subject("reading", name, roadmap.readings[name].title[current()]))
            return found
    return []


class MarkScreen(Dialog[bool]):
    """Says a word of one of several subjects, or takes it back; dismissed with whether anything was said."""

    NAME = actions.MARK
    BINDINGS = actions.bindings(actions.MARK)

    listing = getters.query_one(OptionList)
    keys = getters.query_one(KeyBar)

    def __init__(self, subjects: list[Subject], word: Word) -> None:
        super().__init__()
        self.subjects = subjects
        self.word = word
        self.changed = False

    def compose(self) -> ComposeResult:
        """The subjects, and whose word it is."""
        with Vertical(classes="dialog"):
            yield Static(_("Your own word: it is shown as that, and passes nothing."), markup=False)
            yield OptionList(markup=False)
            yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Show what holds."""
        self._show()
        self.listing.highlighted = 0
        self.listing.focus()

    @property
    def subject(self) -> Subject:
        """The one under the cursor."""
        return self.subjects[self.listing.highlighted or 0]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An exercise is not known by reading, and what was not said cannot be taken back."""
        if not self.is_mounted:
            return True
        if action == "read":
            return self.subject.kind != "exercise"
        if action == "take_back":
            return bool(self.word.of(self.subject.kind, self.subject.id))
        return super().check_action(action, parameters)

    def on_option_list_option_highlighted(self) -> None:
        """The cursor moved: other words may be possible."""
        self.keys.show()

    async def action_read(self) -> None:
        """It was read."""
        await self._say("read")

    async def action_known(self) -> None:
        """It is known."""
        await self._say("known")

    async def action_take_back(self) -> None:
        """Nothing is said of it any more."""
        await self._say("none")

    async def _say(self, claim: ClaimWord) -> None:
        subject = self.subject
        if await self.app.guarded(self.services.claim(subject.kind, subject.id, claim)):
            self.changed = True
            await self.app.guarded(self._look())
            self._show()

    async def _look(self) -> None:
        self.word = await self.services.word()

    def _show(self) -> None:
        at = self.listing.highlighted
        self.listing.clear_options()
        self.listing.add_options([Option(self._line(subject)) for subject in self.subjects])
        self.listing.highlighted = at
        self.keys.show()

    def _line(self, subject: Subject) -> Content:
        word = said(self.word.of(subject.kind, subject.id))
        # no colour of its own: on the cursor it could not be read
        head = Content.styled(f"{word.shown()}  ", "bold") if word else Content("")
        if subject.kind == "topic":
            return head + Content(labelled(_("All of the topic"), subject.title))
        return head + Content(subject.title)

    def action_back(self) -> None:
        """Close it."""
        self.dismiss(self.changed)
