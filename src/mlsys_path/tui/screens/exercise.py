"""An exercise: its lesson, its checks, and all that a learner does with it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from mlsys_path import language
from mlsys_path.checking.events import CheckEvent
from mlsys_path.errors import UserError
from mlsys_path.exercises import workspace
from mlsys_path.exercises.folder import hash_files, read_files
from mlsys_path.language import _
from mlsys_path.progress.records import Status
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import actions, editor
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.saving import content_hash, saves
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.screens.confirm import ConfirmScreen
from mlsys_path.tui.screens.hints import HintScreen
from mlsys_path.tui.services import now
from mlsys_path.tui.widgets.check_panel import CheckPanel
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.lesson import Lesson
from mlsys_path.tui.widgets.title_bar import TitleBar

SHOWS_CHECKS = "-checks"  # below 100 columns: the pane that is shown


class ExerciseScreen(PathScreen[None]):
    """The lesson on the left, the checks on the right; below 100 columns one of them at a time."""

    NAME = actions.EXERCISE
    BINDINGS = actions.bindings(actions.EXERCISE)
    AUTO_FOCUS = "#lesson"

    title_bar = getters.query_one(TitleBar)
    lesson = getters.query_one(Lesson)
    panel = getters.query_one(CheckPanel)

    def __init__(self, exercise: Exercise) -> None:
        super().__init__()
        self.exercise = exercise
        self.run = RunState(exercise)
        self.checked = ""  # a hash of the files that were checked last
        self.hints = 0  # hints seen while this screen is open
        self.checking: Worker[None] | None = None
        self.watcher: Worker[None] | None = None
        self.backup: Path | None = None  # where the last reset put the learner's files

    @property
    def folder(self) -> Path:
        """The learner's own copy."""
        return workspace.workspace_of(self.exercise.id)

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
        except UserError as error:
            self.app.say(str(error), bad=True)
        self.panel.file = self.folder / self.exercise.files[0] if self.folder.is_dir() else None
        self.draw()

    def draw(self) -> None:
        """Show the state of things."""
        self.panel.run = self.run
        self.panel.watching = self.watcher is not None
        self.panel.show()
        self.refresh_keys()

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
            case "reset":
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

    # panes

    def show_pane(self, *, checks: bool) -> None:
        """Show one of the panes where there is room for one, and give it the keys."""
        self.set_class(checks, SHOWS_CHECKS)
        (self.panel if checks else self.lesson).focus()
        self.refresh_keys()

    def action_pane(self) -> None:
        """Go to the other pane."""
        self.show_pane(checks=not self.has_class(SHOWS_CHECKS))

    # checking

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

        def told(event: CheckEvent) -> None:
            run.take(event)
            self.draw()

        try:
            await self._start()
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
        await self.look()

    async def _start(self) -> None:
        """Copy the starter, unless that was done."""
        if await self.services.start(self.exercise):
            await self.app.guarded(self.services.remember_event(self.exercise, "started"))

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
            await self._start()
            async for _save in saves(self.folder, lambda: self.checked):
                self.checking = self.check()
        except (UserError, OSError) as error:
            self.app.say(_("cannot watch: {why}").format(why=error), bad=True)
            self.watcher = None
            self.draw()

    # files

    @work(group="files")
    async def action_edit(self) -> None:
        """Lend the terminal to the learner's editor."""
        if self.checking is not None:
            # it is of files that are about to change, and could not be listened to while the editor is open
            self.checking.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await self.checking.wait()
        try:
            await self._start()
            editor.edit(self.app, self.folder, self.exercise.files)
        except UserError as error:
            self.app.say(
                _("{why}\nYour file: {path}").format(why=error, path=self.folder / self.exercise.files[0]),
                bad=True,
            )
        await self.look()

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

    # help

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

    def action_back(self) -> None:
        """Back to the roadmap; a running check ends, and nothing of it is stored."""
        self.dismiss(None)

    @property
    def status(self) -> Status:
        """How the learner stands with it."""
        return self.panel.status
