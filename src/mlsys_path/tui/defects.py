"""A defect in a widget is told on a screen of its own, with a report, and the program goes on.

Textual ends the program at any exception. Here it ends only where nothing could be shown: before the first screen, or
when the screen that tells of defects breaks itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.worker import WorkerFailed

from mlsys_path import crash_report, language

if TYPE_CHECKING:
    from mlsys_path.tui.app import PathApp

MOST = 40  # different defects, after which nothing is right any more
_dispatch = MessagePump._dispatch_message


@dataclass(frozen=True, slots=True)
class Defect:
    """One of them, as it was written down."""

    kind: str
    place: str  # file and line, by which it is known again
    text: str
    path: Path | None


async def _guarded(self: MessagePump, message: Message) -> None:
    """Handle a message; its handler's defect ends neither the widget nor the program where it can be told."""
    try:
        await _dispatch(self, message)
    except Exception as error:
        app = None
        with contextlib.suppress(Exception):
            app = self.app
        defects: Defects | None = getattr(app, "defects", None)
        if defects is None or not defects.take(error):
            raise


def install() -> None:
    """Guard every widget; Textual has no place for it, and lets a widget end whose handler has failed."""
    MessagePump._dispatch_message = _guarded  # type: ignore[method-assign]


class Defects:
    """What broke since the start."""

    def __init__(self, app: PathApp) -> None:
        self.app = app
        self.counts: Counter[str] = Counter()
        self.written: list[Defect] = []
        self.telling: Widget | None = None  # the screen that tells of one
        self.since = 0  # those that came while it did

    def take(self, error: Exception) -> bool:
        """Write it down and tell it; False where it cannot be told."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error
        if not self._can_be_told(error):
            return False
        place = _place(error)
        self.counts[place] += 1
        if len(self.counts) > MOST:
            return False
        if self.telling is not None:
            self.since += 1
            return True
        from mlsys_path.tui.screens.crashed import CrashedScreen

        text = crash_report.text_of(error, sys.argv[1:], self._facts())
        path = next((old.path for old in self.written if old.place == place), None) or crash_report.write(
            text
        )
        self.written.append(Defect(type(error).__name__, place, text, path))
        self.telling = CrashedScreen(self.written[-1])
        self.since = 0
        # not from here: it may be the middle of drawing the screen below
        self.app.call_later(self.app.push_screen, self.telling)
        return True

    def _can_be_told(self, error: Exception) -> bool:
        if self.app._exit or not self.app.is_running or len(self.app.screen_stack) < 2:
            return False
        telling = self.telling
        return telling is None or not any(
            one is telling or (isinstance(one, Widget) and telling in one.ancestors)
            for one in _through(error.__traceback__)
        )

    def told(self) -> None:
        """Whoever sat before it has read it: back to where they were, or anew where it came a second time."""
        place = self.written[-1].place
        self.telling = None
        if self.counts[place] > 1:
            self.counts[place] = 0
            self.app.begin_anew()
        else:
            self.app.pop_screen()

    def _facts(self) -> dict[str, Any]:
        return {
            "screens": [type(screen).__name__ for screen in self.app.screen_stack],
            "size": f"{self.app.size.width}x{self.app.size.height}",
            "theme": self.app.theme,
            "language": language.current(),
            "terminal": os.environ.get("TERM", ""),
        }


def _through(at: TracebackType | None) -> Iterator[object]:
    """Whose methods an error has passed."""
    while at is not None:
        yield at.tb_frame.f_locals.get("self")
        at = at.tb_next


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__} {where}"
