"""A question with two answers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from mlsys_path.language import _
from mlsys_path.tui import actions
from mlsys_path.tui.screens.base import Dialog


class ConfirmScreen(Dialog[bool]):
    """Asks; the answer is what it is dismissed with."""

    NAME = actions.CONFIRM
    BINDINGS = actions.bindings(actions.CONFIRM)
    AUTO_FOCUS = "#no"

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        with Vertical(classes="dialog"):
            yield Static(self.question, markup=False)
            with Horizontal(classes="answers"):
                yield Button(f"y  {_('yes')}", id="yes")
                yield Button(f"n  {_('no')}", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(False)
