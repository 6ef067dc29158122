"""An exercise: its lesson beside its checks, and the keys."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal

from mlsys_path import language
from mlsys_path.language import _
from mlsys_path.levels import Level
from mlsys_path.tui import actions
from mlsys_path.tui.screens.exercise.base import SHOWS_CHECKS
from mlsys_path.tui.screens.exercise.checking import Checking
from mlsys_path.tui.screens.exercise.files import Files
from mlsys_path.tui.screens.exercise.helping import Helping
from mlsys_path.tui.widgets.check_panel import CheckPanel
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.lesson import Lesson
from mlsys_path.tui.widgets.title_bar import TitleBar


class ExerciseScreen(Checking, Files, Helping):
    """The lesson on the left, the checks on the right; below 100 columns one of them at a time."""

    NAME = actions.EXERCISE
    BINDINGS = actions.bindings(actions.EXERCISE)
    AUTO_FOCUS = "#lesson"

    title_bar = getters.query_one(TitleBar)

    def compose(self) -> ComposeResult:
        """Title, lesson, checks, keys."""
        yield TitleBar()
        with Horizontal(id="exercise"):
            yield Lesson(self.services.roadmap, self.exercise)
            yield CheckPanel(self.run)
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Show what is known at once, then find out the rest and warm up."""
        self._name_place()
        self.prepare()

    def _name_place(self) -> None:
        roadmap = self.services.roadmap
        stage = roadmap.stages[roadmap.stage_of(self.exercise.id)]
        current = language.current()
        self.title_bar.show((stage.title[current], self.exercise.title[current]), self.exercise.id)

    def retranslate(self) -> None:
        """Every text again, the lesson too."""
        super().retranslate()
        self._name_place()
        self.lesson.show()
        self.draw()
        self.prepare()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done at the moment."""
        match action:
            case "stop":
                return self.run.phase == "running"
            case "undo":
                return self.backup is not None
            case "ir":
                return self.exercise.language == "triton" and any(
                    check.level is Level.COMPILES for check in self.exercise.checks.values()
                )
            case "reset" | "diff":
                return self.folder.is_dir()
        return super().check_action(action, parameters)

    def label(self, action: actions.Action) -> str:
        """Some actions lead to and fro."""
        match action.name:
            case "pane":
                return _("lesson") if self.has_class(SHOWS_CHECKS) else _("checks")
            case "watch" if self.watcher is not None:
                return _("end watch")
        return super().label(action)

    def action_pane(self) -> None:
        """Go to the other pane."""
        self.show_pane(checks=not self.has_class(SHOWS_CHECKS))

    def action_back(self) -> None:
        """Back to the roadmap; a running check ends, and nothing of it is stored."""
        self.dismiss(None)
