"""The lesson: Markdown, streamed in section by section so that the first lines are there at once."""

from __future__ import annotations

import asyncio
import re

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import lesson
from mlsys_path.language import _, current
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui.line_breaks import joined
from mlsys_path.tui.widgets.document import Document

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)


class Lesson(VerticalScroll):
    """The lesson of one exercise in the language in use."""

    document = getters.query_one(Document)

    def __init__(self, roadmap: Roadmap, exercise: Exercise) -> None:
        super().__init__(id="lesson")
        self.roadmap = roadmap
        self.exercise = exercise

    def compose(self) -> ComposeResult:
        """One document."""
        yield Document()

    def on_mount(self) -> None:
        """Show it."""
        self.show()

    @work(exclusive=True)
    async def show(self) -> None:
        """Show the lesson from its beginning."""
        await self.document.update("")
        self.scroll_home(animate=False)
        stream = Markdown.get_stream(self.document)
        try:
            for section in _SECTION.split(self._text()):
                await stream.write(section)
                # keys are heard between sections, and the first is read while the others come
                await self._drawn()
        finally:
            await stream.stop()

    async def _drawn(self) -> None:
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()

    def _text(self) -> str:
        try:
            text = joined(lesson(self.roadmap.folder(self.exercise.id), current()))
        except UserError as error:
            return f"    {error}"
        reads = [
            self.roadmap.resources[name] for name in self.exercise.reads if name in self.roadmap.resources
        ]
        if not reads:
            return text
        listed = "\n".join(f"- `{r.id}`: {r.title[current()]}\n  <{r.urls[0]}>" for r in reads)
        return f"{text.rstrip()}\n\n## {_('Where to find it')}\n\n{listed}\n"
