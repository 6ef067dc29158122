"""A year of what was done, the passes of each stage, and how ratios went; also in words."""

from __future__ import annotations

import asyncio

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mlsys_path.errors import UserError
from mlsys_path.language import N_, _, ngettext
from mlsys_path.progress.stats import Stats, stats
from mlsys_path.tui import actions, charts
from mlsys_path.tui.actions import Action
from mlsys_path.tui.screens.place import PlaceScreen
from mlsys_path.tui.services import now
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.title_bar import TitleBar

CARDS = ("year", "stages", "weeks", "courses")
TWO_COLUMNS = 120


class StatsScreen(PlaceScreen):
    """The year above; below it the stages beside the courses where there is room for both."""

    NAME = actions.STATS
    TITLE_TEXT = N_("Statistics")
    BINDINGS = actions.bindings(actions.STATS)
    AUTO_FOCUS = "#scroll"

    scroll = getters.query_one("#scroll", VerticalScroll)

    def __init__(self) -> None:
        super().__init__()
        self.stats: Stats | None = None
        self.in_words = False

    def compose(self) -> ComposeResult:
        """The cards, the keys."""
        yield TitleBar()
        with VerticalScroll(id="scroll", classes="place"):
            yield Static(id="year", markup=False)
            with Container(id="columns"):
                with Vertical():
                    yield Static(id="stages", markup=False)
                    yield Static(id="weeks", markup=False)
                with Vertical():
                    yield Static(id="courses", markup=False)
        yield KeyBar(self.NAME)

    def on_screen_resume(self) -> None:
        """Something may have been done since."""
        self.look()

    @work(exclusive=True)
    async def look(self) -> None:
        """Read it all, and show it."""
        self.name_place()
        today = now().astimezone().date()
        try:
            self.stats = await asyncio.to_thread(stats, self.services.roadmap, today)
        except UserError as error:
            self.app.say(str(error), bad=True)
        self._draw()

    def retranslate(self) -> None:
        """Every text again."""
        super().retranslate()
        self._draw()

    def on_resize(self) -> None:
        """There is room for more, or less."""
        self._draw()

    def _draw(self) -> None:
        found = self.stats
        if found is None:
            return
        passed = _("{passed} of {total} passed").format(
            passed=found.passes, total=len(self.services.roadmap.exercises)
        )
        streak = found.activity.streak
        days = ngettext("{n} day in a row", "{n} days in a row", streak).format(n=streak)
        self.name_place(f"{passed} · {days}" if streak else passed)
        width = self.app.size.width - 6  # the padding, the scroll bar and a column before it
        self.set_class(self.app.size.width >= TWO_COLUMNS, "-two-columns")
        half = (width - 6) // 2 if self.app.size.width >= TWO_COLUMNS else width
        drawn: dict[str, Content] = {
            "year": charts.in_words(found.activity, width)
            if self.in_words
            else charts.year(found.activity, width),
            "stages": charts.stages(self.services.roadmap, found.stages, half),
            "weeks": charts.weeks(found.activity, half),
            "courses": charts.courses(found.courses, half),
        }
        for name in CARDS:
            card = self.query_one(f"#{name}", Static)
            card.update(drawn[name])
            card.display = bool(drawn[name].plain)
        # what the words say already is not drawn beside them
        self.query_one("#weeks").display &= not self.in_words

    def label(self, action: Action) -> str:
        """The key leads to and fro."""
        if action.name == "words" and self.in_words:
            return _("as a drawing")
        return super().label(action)

    def action_words(self) -> None:
        """The year in words, and back."""
        self.in_words = not self.in_words
        self._draw()
        self.refresh_keys()
