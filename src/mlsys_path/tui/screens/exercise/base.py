"""What all parts of the screen of an exercise share: its state, and how it is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import getters, work
from textual.worker import Worker

from mlsys_path.errors import UserError
from mlsys_path.exercises import workspace
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.widgets.check_panel import CheckPanel
from mlsys_path.tui.widgets.lesson import Lesson

SHOWS_CHECKS = "-checks"  # below 100 columns: the pane that is shown


class ExerciseBase(PathScreen[None]):
    """The state of one open exercise."""

    lesson = getters.query_one(Lesson)
    panel = getters.query_one(CheckPanel)

    def __init__(self, exercise: Exercise) -> None:
        super().__init__()
        self.exercise = exercise
        self.run = RunState(exercise)
        self.checked = ""  # a hash of the files that were checked last, "" before
        self.checking: Worker[None] | None = None
        self.watcher: Worker[None] | None = None
        self.backup: Path | None = None  # where the last reset put the learner's files
        self.hints = 0  # hints seen while this screen is open

    @property
    def folder(self) -> Path:
        """The learner's own copy."""
        return workspace.workspace_of(self.exercise.id)

    @work(exclusive=True, group="prepare")
    async def prepare(self) -> None:
        """What this machine can check of it, and whatever its first check will want."""
        self.run.open_levels = await self.services.open_levels(self.exercise)
        await self.look()
        await self.services.warm(self.exercise)

    async def look(self) -> None:
        """Read how the learner stands, and show it."""
        try:
            self.panel.status = await self.services.status(self.exercise)
            self.panel.attempts = await self.services.attempts(self.exercise)
        except UserError as error:
            self.app.say(str(error), bad=True)
        self.backup = self.backup or await asyncio.to_thread(self._undoable)
        self.panel.file = self.folder / self.exercise.files[0] if self.folder.is_dir() else None
        self.draw()

    def _undoable(self) -> Path | None:
        """The backup of a reset, made anywhere, since which nothing was checked."""
        backup, last = workspace.last_backup(self.exercise.id), self.panel.status.last_attempt_at
        return backup if backup and (last is None or last < workspace.reset_at(backup)) else None

    def draw(self) -> None:
        """Show the state of things."""
        self.panel.run = self.run
        self.panel.watching = self.watcher is not None
        self.panel.show()
        self.refresh_keys()

    def show_pane(self, *, checks: bool) -> None:
        """Show one of the panes where there is room for one, and give it the keys."""
        self.set_class(checks, SHOWS_CHECKS)
        (self.panel if checks else self.lesson).focus()
        self.refresh_keys()

    async def start_exercise(self) -> None:
        """Copy the starter, unless that was done."""
        if await self.services.start(self.exercise):
            await self.app.guarded(self.services.remember_event(self.exercise, "started"))
