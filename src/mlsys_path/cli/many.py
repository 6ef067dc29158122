"""Many jobs at once with a progress bar on a terminal, and their results in the order that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from mlsys_path.cli.terminal import on_terminal

Result = TypeVar("Result")


async def run_many(
    jobs: Sequence[Callable[[], Awaitable[Result]]], *, tell: Callable[[Result], str] | None, label: str
) -> list[Result]:
    """Run every job, each of which keeps to its own share; `tell` makes what is printed as one ends.

    With `tell` None nothing is printed. A job that raises cancels the others and is raised.
    """
    with _Bar(label, len(jobs), shown=tell is not None and on_terminal()) as bar:

        async def one(job: Callable[[], Awaitable[Result]]) -> Result:
            result = await job()
            if tell is not None:
                bar.say(tell(result))
            bar.step()
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(job)) for job in jobs]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]


class _Bar:
    """A progress bar below the lines that are printed; without a terminal the lines alone."""

    def __init__(self, label: str, total: int, *, shown: bool) -> None:
        self._progress = None
        if shown:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._progress = Progress(*columns, transient=True, refresh_per_second=4)
            self._task = self._progress.add_task(label, total=total)

    def __enter__(self) -> _Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def say(self, text: str) -> None:
        """Print lines above the bar, as they are."""
        if not text:
            return
        if self._progress is not None:
            self._progress.console.out(text, highlight=False)
        else:
            click.echo(text)

    def step(self) -> None:
        """One more has ended."""
        if self._progress is not None:
            self._progress.advance(self._task)
