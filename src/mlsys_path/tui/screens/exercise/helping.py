"""Help with an exercise: hints, the solution, and what to do next."""

from __future__ import annotations

import asyncio

from textual import work

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import read_files
from mlsys_path.language import _
from mlsys_path.tui.screens.confirm import ConfirmScreen
from mlsys_path.tui.screens.exercise.base import ExerciseBase
from mlsys_path.tui.screens.hints import HintScreen


class Helping(ExerciseBase):
    """What a learner who is stuck, or done, asks for."""

    @work(group="help")
    async def action_hint(self) -> None:
        """Show the hints, one more each time."""
        # what could not be stored was seen all the same
        seen = max(self.hints, self.panel.status.hints)
        self.hints = await self.app.push_screen_wait(HintScreen(self.exercise, seen)) or seen
        await self.look()

    @work(group="help")
    async def action_solution(self) -> None:
        """Show the reference; before a pass only when that is really meant, and it is remembered."""
        from mlsys_path.tui.screens.solution import SolutionScreen

        passed = self.panel.status.passed
        question = _("You have not passed yet. See the solution all the same? It is remembered that you did.")
        if not passed and not await self.app.push_screen_wait(ConfirmScreen(question)):
            return
        try:
            files = await asyncio.to_thread(
                read_files, self.services.roadmap.folder(self.exercise.id) / "solution"
            )
        except UserError as error:
            self.app.say(str(error), bad=True)
            return
        if not passed:
            await self.app.guarded(self.services.remember_event(self.exercise, "solution"))
        await self.app.push_screen_wait(SolutionScreen(self.exercise, files))
        await self.look()

    @work(group="help")
    async def action_next(self) -> None:
        """Open what is suggested now, other than this."""
        try:
            progress = await self.services.progress()
        except UserError as error:
            self.app.say(str(error), bad=True)
            return
        name = next((s.exercise for s in progress.suggestions if s.exercise != self.exercise.id), None)
        if name is None:
            self.app.say(_("There is nothing else to do now."))
        elif self.is_current:
            self.app.open_exercise(name)
