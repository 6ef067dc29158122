"""A place beside the roadmap: one full screen under its title, and back."""

from __future__ import annotations

from typing import ClassVar

from textual import getters

from mlsys_path.language import _
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.widgets.title_bar import TitleBar


class PlaceScreen(PathScreen[None]):
    """`TITLE_TEXT` is a message id."""

    TITLE_TEXT: ClassVar[str] = ""

    title_bar = getters.query_one(TitleBar)

    def name_place(self, fact: str = "") -> None:
        """Say where one is."""
        self.title_bar.show(("mlsys-path", _(self.TITLE_TEXT)), fact)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One is here already."""
        return False if action == self.NAME else super().check_action(action, parameters)

    def action_back(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)
