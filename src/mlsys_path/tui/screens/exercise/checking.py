"""Checking an exercise: once, or at every save."""

from __future__ import annotations

import asyncio

from textual import work

from mlsys_path.checking.events import CheckEvent
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import hash_files
from mlsys_path.exercises.saves import content_hash, saves
from mlsys_path.language import _
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.screens.exercise.base import ExerciseBase
from mlsys_path.tui.services import now

TICK = 0.5  # seconds


class Checking(ExerciseBase):
    """Runs, their end and their beginning anew."""

    def action_check(self) -> None:
        """Run the checks, from the beginning when they are running."""
        self.show_pane(checks=True)
        self.checking = self.check()

    def action_stop(self) -> None:
        """Stop the running check; nothing of it is stored."""
        if self.checking is not None:
            self.checking.cancel()

    @work(exclusive=True, group="check")
    async def check(self) -> None:
        """One run, from the files to a verdict that is remembered."""
        run = RunState(self.exercise, self.run.open_levels)
        self.run = run
        run.begin()
        started_at = now()
        self.panel.scroll_home(animate=False)
        self.draw()
        ticking = self.set_interval(TICK, self.panel.show)  # the seconds of a check that takes long

        def told(event: CheckEvent) -> None:
            run.take(event)
            self.draw()

        try:
            await self.start_exercise()
            self.checked = await asyncio.to_thread(content_hash, self.folder)
            submission = await self.services.submission(self.exercise)
            self.checked = hash_files(submission.files)
            await self.services.check(submission, told)
        except UserError as error:
            run.stop(str(error))
        except asyncio.CancelledError:
            run.stop()
            if self.run is run and self.is_attached:
                self.draw()
            raise
        except Exception as error:
            run.stop(
                _("the checker broke ({kind}: {why}); try again").format(kind=type(error).__name__, why=error)
            )
        else:
            verdict = run.end()
            self.draw()
            try:
                await self.services.remember(submission, verdict, started_at)
            except Exception as error:
                # the verdict stands, whatever keeps it from being stored
                self.app.say(_("not stored: {why}").format(why=error), bad=True)
        finally:
            ticking.stop()
        await self.look()

    def action_watch(self) -> None:
        """Check at once and at every save; or end that."""
        if self.watcher is not None:
            self.watcher.cancel()
            self.watcher = None
            self.draw()
        else:
            self.watcher = self.watch_files()
            self.action_check()

    @work(exclusive=True, group="watch")
    async def watch_files(self) -> None:
        """Start a run whenever the files differ from those that were checked, in the place of one under way."""
        try:
            await self.start_exercise()
            async for _save in saves(self.folder, lambda: self.checked):
                self.checking = self.check()
        except (UserError, OSError) as error:
            self.app.say(_("cannot watch: {why}").format(why=error), bad=True)
            self.watcher = None
            self.draw()
