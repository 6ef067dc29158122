"""What the compiler made of the learner's kernels: every stage side by side where there is room, else one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from mlsys_path import language
from mlsys_path.checking.events import Compiled
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import actions, ir_text
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.ir_text import STAGES
from mlsys_path.tui.screens.exercise.browsing import ONE, SIDE_BY_SIDE, Browser
from mlsys_path.tui.sections import Section
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.section_view import SectionView
from mlsys_path.tui.widgets.title_bar import TitleBar

WIDE = 120  # columns; below, one stage at a time
STAGE = "stage"


class Tabs(Static):
    """The stages by their numbers; a click shows one."""

    def on_click(self, event: events.Click) -> None:
        """As its number would."""
        number = event.style.meta.get(STAGE)
        if isinstance(number, int) and isinstance(self.screen, IrScreen):
            self.screen.action_stage(number)


class IrScreen(Browser):
    """Kernels, folded one by one, in each stage of the compiler."""

    NAME = actions.IR
    BINDINGS = [  # noqa: RUF012  (as Textual types it)
        *actions.bindings(actions.IR),
        *((str(number + 1), f"stage({number})", "") for number in range(len(STAGES))),
    ]
    AUTO_FOCUS = "#ttir"
    HORIZONTAL_BREAKPOINTS = [(0, ONE), (WIDE, SIDE_BY_SIDE)]  # noqa: RUF012  (as Textual types it)

    def __init__(self, exercise: Exercise) -> None:
        super().__init__()
        self.exercise = exercise
        self.kernels: Sequence[Compiled] = ()
        self.alone = False  # one stage, though there were room for all

    def compose(self) -> ComposeResult:
        """The stages under their names; a line of facts, one to search in, the keys."""
        yield TitleBar()
        yield Tabs(id="tabs", markup=False)
        yield Static(id="message", markup=False)
        with Horizontal(id="pages"):
            for stage in STAGES:
                with Vertical(classes="page", id=f"page-{stage}"):
                    yield Static(stage.upper(), classes="stage", markup=False)
                    yield SectionView(id=stage)
        yield Static(id="facts", markup=False)
        yield Input(id="search", placeholder=_("search in all stages"))
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Show what was kept, or compile."""
        self._name_place()
        self.turn_to(0)
        self.load()

    def retranslate(self) -> None:
        """Every text again."""
        super().retranslate()
        self.search_line.placeholder = _("search in all stages")
        self._name_place()
        self.draw()

    def _name_place(self) -> None:
        self.query_one(TitleBar).show((self.exercise.title[language.current()], "IR"), self.exercise.id)

    @work(exclusive=True, group="ir")
    async def load(self) -> None:
        """The kernels of the files as they are: those that the last check kept, else compiled now."""
        try:
            submission = await self.services.submission(self.exercise)
            kernels, why = await self.services.kept_kernels(submission), ""
            if not kernels:
                self._say(_("The compiler is at work on your kernels …"))
                kernels, why = await self.services.compile_kernels(submission)
        except UserError as error:
            self._say(str(error))
            return
        except Exception as error:
            self._say(
                _("the checker broke ({kind}: {why}); try again").format(kind=type(error).__name__, why=error)
            )
            return
        if not kernels:
            self._say(why or _("nothing was compiled"))
            return
        self.kernels = kernels
        # millions of characters may have to be made harmless
        pages = await asyncio.to_thread(self._pages)
        self._say("")
        self.fill(pages)

    def _pages(self) -> list[Sequence[Section]]:
        return [ir_text.page(self.kernels, stage) for stage in STAGES]

    def _say(self, text: str) -> None:
        message = self.query_one("#message", Static)
        message.update(foreign(text))
        message.display = bool(text)
        self.query_one("#pages").display = not text

    def draw(self) -> None:
        """Show which stage one is in, too."""
        super().draw()
        for number, stage in enumerate(STAGES):
            self.query_one(f"#page-{stage}").set_class(number == self.page, "-shown")
        parts = []
        for number, stage in enumerate(STAGES):
            style = "bold reverse $accent" if number == self.page else "$text-muted"
            tab = Content.styled(f" {number + 1} {stage.upper()} ", style)
            parts.append(tab.stylize(Style.from_meta({STAGE: number})))
        self.query_one("#tabs", Static).update(Content(" ").join(parts))

    def describe(self) -> Content:
        """The current kernel, and what it takes."""
        if not self.kernels:
            return Content("")
        kernel = self.kernels[self.folds.current]
        name = foreign(kernel.name, lines=1).stylize("bold")
        count = ""
        if len(self.kernels) > 1:
            count = " " + _("{n} of {total}").format(n=self.folds.current + 1, total=len(self.kernels))
        return name + Content.styled(f"{count}  " + " · ".join(ir_text.facts(kernel)), "$text-muted")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All stages or one is a choice only where there is room."""
        if action == "zoom":
            return self.size.width >= WIDE and not self.empty
        return super().check_action(action, parameters)

    def label(self, action: actions.Action) -> str:
        """What the keys lead to."""
        if action.name == "zoom":
            return _("all stages") if self.alone else _("one stage")
        return super().label(action)

    def turn_to(self, page: int) -> None:
        """Show a stage, and give it the keys."""
        for number, stage in enumerate(STAGES):
            self.query_one(f"#page-{stage}").set_class(number == page, "-shown")
        super().turn_to(page)

    def action_stage(self, number: int) -> None:
        """Go to a stage."""
        self.turn_to(number)
        self.draw()

    def action_next_stage(self) -> None:
        """The stage that the compiler makes next, and from the last the first."""
        self.action_stage((self.page + 1) % len(STAGES))

    def action_zoom(self) -> None:
        """One stage over the whole width, or all again."""
        self.alone = not self.alone
        self.set_class(self.alone, "-alone")
        self.draw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click into a stage."""
        if isinstance(event.widget, SectionView) and event.widget.id in STAGES:
            page = STAGES.index(event.widget.id)
            if page != self.page:
                self.action_stage(page)
