"""The hints of an exercise: those that were seen, and one more each time."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mlsys_path import language
from mlsys_path.language import _
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import actions
from mlsys_path.tui.screens.base import Dialog
from mlsys_path.tui.widgets.document import Document
from mlsys_path.tui.widgets.key_bar import KeyBar


class HintScreen(Dialog[int]):
    """Opens with one more hint than was seen; dismissed with how many have been seen."""

    NAME = actions.HINTS
    BINDINGS = actions.bindings(actions.HINTS)

    scroll = getters.query_one(VerticalScroll)
    keys = getters.query_one(KeyBar)

    def __init__(self, exercise: Exercise, seen: int) -> None:
        super().__init__()
        self.exercise = exercise
        self.seen = min(seen, len(exercise.hints))

    def compose(self) -> ComposeResult:
        """The hints above one another, the newest last."""
        with Vertical(classes="dialog"):
            yield VerticalScroll()
            yield KeyBar(self.NAME)

    async def on_mount(self) -> None:
        """What was seen before, and one more."""
        for number in range(self.seen):
            await self._add(number)
        await self.action_hint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """After the last hint there is no further one."""
        return (
            self.seen < len(self.exercise.hints)
            if action == "hint"
            else super().check_action(action, parameters)
        )

    async def action_hint(self) -> None:
        """One more, and remember it; after the last one say that it was."""
        number, total = self.seen, len(self.exercise.hints)
        if number < total:
            self.seen += 1
            await self._add(number)
        if self.seen == total:
            await self.scroll.mount(
                Static(_("That was the last hint: s shows the solution."), markup=False, classes="last")
            )
        self.keys.show()
        self.scroll.scroll_end(animate=False)
        if number < total:
            await self.app.guarded(self.services.remember_event(self.exercise, "hint", str(number)))

    async def _add(self, number: int) -> None:
        total = len(self.exercise.hints)
        heading = Content.styled(
            _("Hint {number} of {total}").format(number=number + 1, total=total), "bold $heading"
        )
        await self.scroll.mount(
            Static(heading, markup=False),
            Document(self.exercise.hints[number][language.current()]),
        )

    def action_back(self) -> None:
        """Close, and say how many were seen."""
        self.dismiss(self.seen)
