"""All keys, from the table of actions."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mlsys_path.language import N_, _
from mlsys_path.tui import actions
from mlsys_path.tui.blocks import hang
from mlsys_path.tui.screens.base import Dialog

GROUPS = ((N_("On the roadmap"), actions.HOME), (N_("In an exercise"), actions.EXERCISE))
WIDTH = 64


class HelpScreen(Dialog[None]):
    """A list of keys; made each time it is opened, in the language in use."""

    NAME = actions.HELP
    BINDINGS = actions.bindings(actions.HELP)

    def compose(self) -> ComposeResult:
        """The keys of each screen."""
        with VerticalScroll(classes="dialog"):
            yield Static(self._text(), markup=False)

    def _text(self) -> Content:
        lines: list[Content] = []
        for title, screen in GROUPS:
            lines.append(Content.styled(_(title), "bold $heading"))
            for action in actions.of_screen(screen):
                key = Content.styled(f"  {action.key}" + " " * (6 - cell_len(action.key)), "bold $accent")
                lines.append(hang(key, _(action.help), WIDTH))
            lines.append(Content(""))
        lines.append(
            Content.styled(_("Arrow keys, Page Up and Page Down scroll; q or Esc goes back."), "$text-muted")
        )
        return Content("\n").join(lines)
