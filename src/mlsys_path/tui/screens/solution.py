"""How an expert wrote it."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Static

from mlsys_path import language
from mlsys_path.language import _
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import actions
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.themes import CodeStyle
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.title_bar import TitleBar


class SolutionScreen(PathScreen[None]):
    """The files of the reference solution, one below the other."""

    NAME = actions.SOLUTION
    BINDINGS = actions.bindings(actions.SOLUTION)
    AUTO_FOCUS = "#solution"

    def __init__(self, exercise: Exercise, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self.exercise = exercise
        self.files = files

    def compose(self) -> ComposeResult:
        """A heading and the code of each file."""
        yield TitleBar()
        with VerticalScroll(id="solution"):
            for name, data in self.files.items():
                yield Static(Content.styled(name, "bold $heading"), markup=False)
                yield Static(
                    highlight(data.decode("utf-8", "replace"), path=name, theme=CodeStyle),
                    markup=False,
                    classes="code",
                )
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Say what it is."""
        self.query_one(TitleBar).show((self.exercise.title[language.current()], _("solution")))

    def action_back(self) -> None:
        """Back to the exercise."""
        self.dismiss(None)
