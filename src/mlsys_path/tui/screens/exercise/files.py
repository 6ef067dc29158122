"""The learner's files of an exercise: edited, put back, brought back."""

from __future__ import annotations

import asyncio
import contextlib

from textual import work
from textual.worker import WorkerCancelled, WorkerFailed

from mlsys_path.errors import UserError
from mlsys_path.exercises import workspace
from mlsys_path.language import _
from mlsys_path.tui import editor
from mlsys_path.tui.screens.confirm import ConfirmScreen
from mlsys_path.tui.screens.exercise.base import ExerciseBase


class Files(ExerciseBase):
    """What becomes of the files."""

    @work(group="files")
    async def action_edit(self) -> None:
        """Lend the terminal to the learner's editor."""
        if self.checking is not None:
            # it is of files that are about to change, and could not be listened to while the editor is open
            self.checking.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await self.checking.wait()
        try:
            await self.start_exercise()
            editor.edit(self.app, self.folder, self.exercise.files)
        except UserError as error:
            self.app.say(
                _("{why}\nYour file: {path}").format(why=error, path=self.folder / self.exercise.files[0]),
                bad=True,
            )
        await self.look()

    @work(group="browse")
    async def action_files(self) -> None:
        """Look at the files."""
        await self._browse(diff=False)

    @work(group="browse")
    async def action_diff(self) -> None:
        """Look at what was changed since the starter."""
        await self._browse(diff=True)

    async def _browse(self, *, diff: bool) -> None:
        from mlsys_path.tui.screens.exercise.browse_files import FilesScreen

        try:
            files, changes = await self.services.files(self.exercise)
        except UserError as error:
            self.app.say(str(error), bad=True)
            return
        if self.is_current:
            self.app.push_screen(FilesScreen(self.exercise, files, changes, diff=diff))

    def action_ir(self) -> None:
        """Look at what the compiler makes of the kernels."""
        from mlsys_path.tui.screens.exercise.ir import IrScreen

        self.app.push_screen(IrScreen(self.exercise))

    @work(group="files")
    async def action_reset(self) -> None:
        """Put the starter back, when that is really meant."""
        if not await self.app.push_screen_wait(
            ConfirmScreen(_("Put the starter back? Your files are kept in a backup."))
        ):
            return
        try:
            self.backup = await asyncio.to_thread(
                workspace.reset, self.exercise, self.services.roadmap.folder(self.exercise.id)
            )
            self.app.say(
                _("The starter is back; your files are in {backup}; u brings them back").format(
                    backup=self.backup
                )
            )
            await self.services.remember_event(self.exercise, "reset")
        except UserError as error:
            self.app.say(str(error), bad=True)
        await self.look()

    @work(group="files")
    async def action_undo(self) -> None:
        """Bring back what the last reset put away; what was written since is asked about."""
        backup, folder = self.backup, self.services.roadmap.folder(self.exercise.id)
        if backup is None:
            return
        try:
            changed = bool(await asyncio.to_thread(workspace.diff, self.exercise, folder))
        except UserError:
            changed = True
        question = _("Bring your files back? What you wrote since the reset is lost.")
        if changed and not await self.app.push_screen_wait(ConfirmScreen(question)):
            return
        try:
            await asyncio.to_thread(workspace.undo_reset, self.exercise, backup)
            self.backup = None
            self.app.say(_("Your files are back"))
        except UserError as error:
            self.app.say(str(error), bad=True)
        await self.look()
