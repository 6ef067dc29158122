"""The first screen: the roadmap, what is next, and how far one has come."""

from __future__ import annotations

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Tree

from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.progress.word import Word
from mlsys_path.roadmap.model import Stage
from mlsys_path.tui import actions
from mlsys_path.tui.app import WIDE
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.services import Progress
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.overview import Card, details, next_step, today, totals
from mlsys_path.tui.widgets.roadmap_tree import Place, RoadmapTree
from mlsys_path.tui.widgets.title_bar import TitleBar


class HomeScreen(PathScreen[None]):
    """The tree on the left; below 100 columns above the details."""

    NAME = actions.HOME
    BINDINGS = actions.bindings(actions.HOME)
    AUTO_FOCUS = "RoadmapTree"

    tree_of_exercises = getters.query_one(RoadmapTree)
    title_bar = getters.query_one(TitleBar)
    today_card = getters.query_one("#today", Card)
    next_card = getters.query_one("#next", Card)
    details_card = getters.query_one("#details", Card)

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()
        self.placed = False

    def compose(self) -> ComposeResult:
        """Title, next step, tree, details, keys."""
        yield TitleBar()
        with Container(id="home"):
            yield RoadmapTree(self.services.roadmap)
            with Vertical(id="side"):
                yield Card("next")
                yield Card("today")
                yield Card("details")
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Show the roadmap at once; how the learner stands follows."""
        self.tree_of_exercises.show(self.progress)
        self.tree_of_exercises.go_to(next(iter(self.services.roadmap.exercises), ""))
        self._draw()

    def on_screen_resume(self) -> None:
        """Something may have been done since."""
        self.look()

    @work(exclusive=True)
    async def look(self) -> None:
        """Read how the learner stands, and show it."""
        try:
            self.progress = await self.services.progress()
        except UserError as error:
            self.app.say(str(error), bad=True)
        self.tree_of_exercises.show(self.progress)
        self._draw()
        self.refresh_keys()
        if not self.placed:
            self.placed = True
            name = self._next()
            self.tree_of_exercises.go_to(name)
            self.tree_of_exercises.unfold()
            # what was unfolded above it has moved it
            self.tree_of_exercises.go_to(name)

    def retranslate(self) -> None:
        """Every text again; reasons are made with the suggestions."""
        super().retranslate()
        self.tree_of_exercises.show(self.progress)
        self._draw()
        self.look()

    def _draw(self) -> None:
        roadmap = self.services.roadmap
        self.title_bar.show(("mlsys-path",), totals(roadmap, self.progress))
        wide = self.app.size.width >= WIDE
        self.next_card.update(next_step(roadmap, self.progress))
        place = self.place
        of_day = place.kind == "today"
        # where there is room for one of them, the day's work has it while the cursor is on it
        something = bool(self.progress.suggestions) or not self.progress.empty
        self.next_card.display = something and (wide or not of_day)
        self.today_card.display = self.progress.today is not None and (wide or of_day)
        self.today_card.update(today(roadmap, self.progress))
        self.details_card.display = not of_day
        self.details_card.update(details(roadmap, self.progress, place))

    @property
    def place(self) -> Place:
        """What the cursor is on."""
        node = self.tree_of_exercises.cursor_node
        if node is not None and node.data is not None:
            return node.data
        return Place("stage", next(iter(self.services.roadmap.stages)))

    def on_resize(self) -> None:
        """There is room for more, or less."""
        self._draw()

    def _next(self) -> str:
        return self.progress.suggestions[0].exercise if self.progress.suggestions else ""

    def on_tree_node_highlighted(self, _event: Tree.NodeHighlighted[Place]) -> None:
        """The cursor moved."""
        self._draw()
        self.refresh_keys()

    def on_tree_node_selected(self, event: Tree.NodeSelected[Place]) -> None:
        """Enter, or a click: an exercise opens, anything else has unfolded itself."""
        if event.node.data is not None and event.node.data.kind == "exercise":
            self.app.open_exercise(event.node.data.id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is not always something next, nor something to say of what the cursor is on."""
        match action:
            case "next":
                return bool(self._next())
            case "mark":
                return self.place.kind in ("stage", "topic", "exercise")
            case "diagnose":
                stage = self._stage()
                return stage is not None and bool(stage.diagnostic)
        return super().check_action(action, parameters)

    def _stage(self) -> Stage | None:
        roadmap, place = self.services.roadmap, self.place
        match place.kind:
            case "today":
                return None
            case "stage":
                return roadmap.stages[place.id]
            case "topic":
                return roadmap.stages[roadmap.topic_stage[place.id]]
        return roadmap.stages[roadmap.stage_of(place.id)]

    def action_mark(self) -> None:
        """Say something of what the cursor is on."""
        from mlsys_path.tui.screens.mark import MarkScreen, subjects

        found = subjects(self.services.roadmap, self.place)
        if found:
            word = self.progress.word or Word(self.services.roadmap)
            self.app.push_screen(MarkScreen(found, word))

    def action_diagnose(self) -> None:
        """Answer the questions of the stage that the cursor is in."""
        from mlsys_path.tui.screens.questions import QuestionsScreen

        stage = self._stage()
        if stage is not None and stage.diagnostic:
            self.app.push_screen(QuestionsScreen(stage))

    def action_open(self) -> None:
        """What Enter does in the tree."""
        self.tree_of_exercises.action_select_cursor()

    def action_next(self) -> None:
        """Open the first suggestion."""
        if name := self._next():
            self.tree_of_exercises.go_to(name)
            self.app.open_exercise(name)
        else:
            self.app.say(_("You have passed every exercise."))

    def action_leave(self) -> None:
        """Leave the program."""
        self.app.exit()
