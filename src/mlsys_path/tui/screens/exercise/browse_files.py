"""The learner's files in colour, or what was changed in them since the starter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from mlsys_path import language
from mlsys_path.language import _, ngettext
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import actions, code_text
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.screens.exercise.browsing import Browser
from mlsys_path.tui.sections import Section
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.section_view import SectionView
from mlsys_path.tui.widgets.title_bar import TitleBar


class FilesScreen(Browser):
    """One page: the files, or the changes."""

    NAME = actions.FILES
    BINDINGS = actions.bindings(actions.FILES)
    AUTO_FOCUS = "#code"

    def __init__(
        self, exercise: Exercise, files: Mapping[str, bytes], changes: Mapping[str, str], *, diff: bool
    ) -> None:
        super().__init__()
        self.exercise = exercise
        self.files = files
        self.changes = changes
        self.diff = diff

    def compose(self) -> ComposeResult:
        """The page; a line of facts, one to search in, the keys."""
        yield TitleBar()
        yield Static(id="message", markup=False)
        with Horizontal(id="pages"), Vertical(classes="page -shown"):
            yield SectionView(id="code")
        yield Static(id="facts", markup=False)
        yield Input(id="search", placeholder=_("search in all files"))
        yield KeyBar(self.NAME)

    async def on_mount(self) -> None:
        """Show it."""
        await self._fill()

    def retranslate(self) -> None:
        """Every text again."""
        super().retranslate()
        self.search_line.placeholder = _("search in all files")
        self.run_worker(self._fill(), exclusive=True)

    def _name_place(self) -> None:
        here = _("what you changed") if self.diff else _("your files")
        self.query_one(TitleBar).show((self.exercise.title[language.current()], here), self.exercise.id)

    async def _fill(self) -> None:
        self._name_place()
        sections = await asyncio.to_thread(self._sections)
        message = self.query_one("#message", Static)
        message.update(foreign(_("Your files are those of the starter.")))
        message.display, self.query_one("#pages").display = not sections, bool(sections)
        self.fill([sections])

    def _sections(self) -> Sequence[Section]:
        if self.diff:
            return code_text.changes(self.changes)
        # what the learner edits comes first
        own = [name for name in self.exercise.files if name in self.files]
        names = [*own, *(name for name in self.files if name not in own)]
        return tuple(code_text.file(name, self.files[name]) for name in names)

    def describe(self) -> Content:
        """How many files there are, and how many were changed."""
        files = ngettext("{n} file", "{n} files", len(self.files)).format(n=len(self.files))
        changed = _("{n} changed since the starter").format(n=len(self.changes))
        return Content.styled(f"{files} · {changed}", "$text-muted")

    def label(self, action: actions.Action) -> str:
        """The one leads to the other."""
        if action.name == "diff" and self.diff:
            return _("whole files")
        return super().label(action)

    async def action_diff(self) -> None:
        """The changes instead of the files, or the files again."""
        self.diff = not self.diff
        self.folds.current = 0
        await self._fill()
