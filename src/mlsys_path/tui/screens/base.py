"""What every screen of the program has: its actions, a key bar, and texts that can change their language."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from textual import getters
from textual.screen import ModalScreen, Screen

from mlsys_path.tui.actions import Action
from mlsys_path.tui.app import PathApp
from mlsys_path.tui.services import Services
from mlsys_path.tui.widgets.key_bar import KeyBar

Result = TypeVar("Result")


class PathScreen(Screen[Result], Generic[Result]):
    """A full screen; `NAME` is its name in the table of actions."""

    NAME: ClassVar[str] = ""
    app = getters.app(PathApp)

    @property
    def services(self) -> Services:
        """The roadmap, the checker, the progress."""
        return self.app.services

    def retranslate(self) -> None:
        """Show every text again, in the language in use."""
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Show the key bar again: what can be done has changed."""
        for bar in self.query(KeyBar):
            bar.show()

    def label(self, action: Action) -> str:
        """What the key bar calls an action at the moment."""
        return action.text()

    def action_language(self) -> None:
        """Switch the language."""
        self.app.switch_language()

    def action_theme(self) -> None:
        """Switch the theme."""
        self.app.switch_theme()

    def action_stats(self) -> None:
        """Your year and your passes."""
        from mlsys_path.tui.screens.stats import StatsScreen

        self.app.go_to(StatsScreen)

    def action_machine(self) -> None:
        """What this machine can check."""
        from mlsys_path.tui.screens.machine import MachineScreen

        self.app.go_to(MachineScreen)

    def action_settings(self) -> None:
        """How you like the program."""
        from mlsys_path.tui.screens.settings import SettingsScreen

        self.app.go_to(SettingsScreen)

    def action_palette(self) -> None:
        """Every command by its name."""
        from mlsys_path.tui.palette import open_palette

        open_palette(self)

    def action_help(self) -> None:
        """Show all keys."""
        from mlsys_path.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.NAME))


class Dialog(ModalScreen[Result], Generic[Result]):
    """A box over the screen that it belongs to."""

    NAME: ClassVar[str] = ""
    app = getters.app(PathApp)

    @property
    def services(self) -> Services:
        """The roadmap, the checker, the progress."""
        return self.app.services

    def action_back(self) -> Any:
        """Close it."""
        self.dismiss(None)
