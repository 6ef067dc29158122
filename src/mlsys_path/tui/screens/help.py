"""All keys, from the table of actions."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mlsys_path.language import N_, _
from mlsys_path.tui import actions
from mlsys_path.tui.blocks import hang
from mlsys_path.tui.screens.base import Dialog

GROUPS = {
    actions.HOME: N_("On the roadmap"),
    actions.EXERCISE: N_("In an exercise"),
    actions.IR: N_("In the IR browser"),
    actions.FILES: N_("In your files"),
    actions.STATS: N_("Statistics"),
    actions.MACHINE: N_("This machine"),
    actions.SETTINGS: N_("Settings"),
}
WIDTH = 64


class HelpScreen(Dialog[None]):
    """A list of keys, those of the screen below first; made each time it is opened, in the language in use."""

    NAME = actions.HELP
    BINDINGS = actions.bindings(actions.HELP)

    def __init__(self, screen: str = actions.HOME) -> None:
        super().__init__()
        self.screen_name = screen

    def compose(self) -> ComposeResult:
        """The keys of each screen."""
        with VerticalScroll(classes="dialog"):
            yield Static(self._text(), markup=False)

    def _groups(self) -> Iterator[tuple[str, list[actions.Action]]]:
        shown = [
            self.screen_name,
            *(each for each in (actions.HOME, actions.EXERCISE) if each != self.screen_name),
        ]
        for screen in shown:
            if screen in GROUPS:
                yield GROUPS[screen], [a for a in actions.of_screen(screen) if a.screens != actions.PLACES]
        yield N_("Everywhere"), [a for a in actions.ACTIONS if a.screens == actions.PLACES]

    def _text(self) -> Content:
        lines: list[Content] = []
        for title, listed in self._groups():
            lines.append(Content.styled(_(title), "bold $heading"))
            for action in listed:
                key = Content.styled(f"  {action.key}" + " " * (6 - cell_len(action.key)), "bold $accent")
                lines.append(hang(key, _(action.help), WIDTH))
            lines.append(Content(""))
        lines.append(
            Content.styled(_("Arrow keys, Page Up and Page Down scroll; q or Esc goes back."), "$text-muted")
        )
        return Content("\n").join(lines)
