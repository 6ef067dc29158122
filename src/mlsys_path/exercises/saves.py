"""Watching an exercise's files for saves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import hash_files, read_files

STEP_MS = 5  # a save ends when nothing has changed for this long; one that goes on is noticed as another
DEBOUNCE_MS = 200
LOOK_MS = (
    1000  # some file systems tell nothing, and nothing is told before the watch stands: look now and then
)


UNREADABLE = "unreadable"


def content_hash(folder: Path) -> str:
    """A hash of the files of a folder; UNREADABLE while it cannot be read, as in the middle of a save."""
    try:
        return hash_files(read_files(folder))
    except UserError:
        return UNREADABLE


async def saves(folder: Path, checked: Callable[[], str]) -> AsyncIterator[None]:
    """Yield whenever the folder's files are other than those whose hash `checked` gives; for ever.

    Before anything was checked `checked` gives "", and nothing is yielded.
    """
    from watchfiles import awatch

    # a reset moves the folder away and makes a new one: only its parent sees both
    watched = folder.parent if folder.parent == locations.workspace_dir() else folder
    async for _changes in awatch(
        watched, step=STEP_MS, debounce=DEBOUNCE_MS, rust_timeout=LOOK_MS, yield_on_timeout=True
    ):
        found = await asyncio.to_thread(content_hash, folder)
        if found not in (UNREADABLE, checked() or found):
            yield None
