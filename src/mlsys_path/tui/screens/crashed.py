"""The program itself has a defect: what it is, where the report lies, and how to go on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mlsys_path.language import _
from mlsys_path.tui import actions
from mlsys_path.tui.defects import Defect
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.title_bar import TitleBar

LINES = 200  # of the report


class CrashedScreen(PathScreen[None]):
    """A full screen: what is below it may be what cannot be drawn."""

    NAME = actions.CRASHED
    BINDINGS = actions.bindings(actions.CRASHED)
    AUTO_FOCUS = "#report"

    def __init__(self, defect: Defect) -> None:
        super().__init__()
        self.defect = defect

    def compose(self) -> ComposeResult:
        """What broke, what is kept, where the report is, the report."""
        yield TitleBar()
        yield Static(self._said(), id="said", markup=False)
        with VerticalScroll(id="report"):
            yield Static(foreign(self.defect.text, lines=LINES), markup=False)
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Say where one is, and show the end of the report, which says what it was."""
        self.query_one(TitleBar).show(("mlsys-path", _("a defect")))
        self.query_one("#report").scroll_end(animate=False)

    def retranslate(self) -> None:
        """The words again; the report is as it was written."""
        super().retranslate()
        self.query_one("#said", Static).update(self._said())

    def _said(self) -> Content:
        head = _("Something in mlsys-path itself broke: {kind}").format(kind=self.defect.kind)
        path = str(self.defect.path) if self.defect.path else _("(it could not be written)")
        parts = [
            Content.styled(f"! {head}", "bold $state-error"),
            Content(_("Your files and your progress are kept. Enter goes on.")),
            Content(_("A report that you can send: {path}").format(path=foreign(path, lines=1).plain)),
        ]
        return Content("\n").join(parts)

    def action_copy(self) -> None:
        """Copy the whole report."""
        self.app.copy_to_clipboard(self.defect.text)
        self.app.say(_("The report is copied."))

    def action_go_on(self) -> None:
        """Go on."""
        self.app.defects.told()

    def action_leave(self) -> None:
        """Leave the program."""
        self.app.exit()
