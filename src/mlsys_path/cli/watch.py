"""`check --watch`: check at every save; a save during a check cancels it and checks the newer files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import click

from mlsys_path.checking.session import Checker
from mlsys_path.checking.submission import Submission
from mlsys_path.cli.remembering import remember_attempt
from mlsys_path.cli.running import run, wanted_levels
from mlsys_path.cli.show_check import CheckPrinter
from mlsys_path.cli.targets import Target
from mlsys_path.cli.terminal import columns, cut, stderr_line, style
from mlsys_path.errors import UserError
from mlsys_path.exercises.saves import content_hash, saves
from mlsys_path.language import _
from mlsys_path.machine.inspect import Machine


class Watch:
    """What waits to be checked, and the run that is under way."""

    def __init__(self, targets: Sequence[Target], machine: Machine, levels: tuple[str, ...]) -> None:
        self.targets = targets
        self.machine = machine
        self.levels = levels
        self.waiting = list(targets)
        self.wake = asyncio.Event()
        self.checked: dict[Path, str] = {}  # what was last checked of each target's files
        self.running: Target | None = None
        self.task: asyncio.Task[None] | None = None
        self.outdated = False  # the running check is of files that have changed since

    async def queue_saves(self, target: Target) -> None:
        """Queue a target at every save, for ever, and cancel its run, which is out of date."""
        async for _save in saves(target.files_dir, lambda: self.checked.get(target.files_dir, "")):
            if target not in self.waiting:
                self.waiting.append(target)
            if target is self.running and self.task is not None:
                self.outdated = True
                self.task.cancel()
            self.wake.set()

    async def check_waiting(self, checker: Checker) -> None:
        """Check whatever waits, for ever."""
        while True:
            while self.waiting:
                self.running = self.waiting.pop(0)
                self.task = asyncio.ensure_future(self._check(checker, self.running))
                self.outdated = False
                try:
                    await asyncio.wait([self.task])
                finally:
                    # when it is the watch that ends, its run ends first
                    self.task.cancel()
                    await asyncio.wait([self.task])
                if not self.task.cancelled():
                    self.task.result()
                self.running = self.task = None
            self.wake.clear()
            await self.wake.wait()

    async def _check(self, checker: Checker, target: Target) -> None:
        printer = CheckPrinter(target.exercise)
        try:
            self.checked[target.files_dir] = content_hash(target.files_dir)
            files = target.files()
            submission = Submission(target.exercise, target.folder, files)
            only = wanted_levels(submission, self.machine, self.levels)
            ran = await run(checker, self.machine, submission, only, printer.told)
        except UserError as error:
            # half-saved or just removed: the next save may mend it
            stderr_line(str(error))
        except asyncio.CancelledError:
            printer.clear()
            if self.outdated:
                click.echo(style(_("… saved again: this run is cancelled"), dim=True))
            raise
        else:
            printer.finished(ran.verdict, target.argument)
            remember_attempt(ran.attempt(), ran.submission.files)
        click.echo(self._waiting_line())

    def _waiting_line(self) -> str:
        where = ", ".join(str(target.files_dir) for target in self.targets)
        text = _("{time} watching {where}; Ctrl-C ends").format(time=time.strftime("%H:%M:%S"), where=where)
        return style(cut(f"── {text} ", columns() - 1), dim=True)


async def watch_targets(targets: Sequence[Target], machine: Machine, levels: tuple[str, ...]) -> None:
    """Check each target at once and then at every save of its files, until it is cancelled."""
    watch = Watch(targets, machine, levels)
    with Checker() as checker:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch.check_waiting(checker))
            for target in targets:
                group.create_task(watch.queue_saves(target))
