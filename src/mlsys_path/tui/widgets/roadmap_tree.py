"""The roadmap as a tree: stage, topic, exercise, with how the learner stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from mlsys_path import language
from mlsys_path.language import _, duration
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.tui.services import Progress
from mlsys_path.tui.words import STATES, column, said


class Place(NamedTuple):
    """What a node stands for."""

    kind: Literal["today", "stage", "topic", "exercise", "planned"]
    id: str


class RoadmapTree(Tree[Place]):
    """Nodes are made once; `show` writes their labels, so that progress and language can change under the cursor."""

    def __init__(self, roadmap: Roadmap) -> None:
        super().__init__("")
        self.roadmap = roadmap
        self.progress = Progress()
        self.show_root = False
        self.guide_depth = 2
        self.nodes: dict[Place, TreeNode[Place]] = {}
        self.today: TreeNode[Place] | None = None
        for stage in roadmap.stages.values():
            at = self._add(self.root, Place("stage", stage.id))
            for topic in stage.topics:
                below = self._add(at, Place("topic", topic.id), expand=bool(self.built(topic.id)))
                for name in topic.exercises:
                    place = Place("exercise" if name in roadmap.exercises else "planned", name)
                    self.nodes[place] = below.add_leaf("", place)
        self.root.expand()

    def _add(self, parent: TreeNode[Place], place: Place, *, expand: bool = False) -> TreeNode[Place]:
        self.nodes[place] = node = parent.add("", place, expand=expand)
        return node

    def on_mount(self) -> None:
        """Labels hold colours, which are those of one theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.show(self.progress))

    def show(self, progress: Progress) -> None:
        """Write every label anew."""
        self.progress = progress
        self._show_today()
        for place, node in self.nodes.items():
            node.set_label(self._label(place))

    def _show_today(self) -> None:
        """The day's work is the first line, where there are hours a week to plan it with."""
        today = self.progress.today
        if today is None:
            if self.today is not None:
                self.today.remove()
                self.today = None
            return
        if self.today is None:
            self.today = self.root.add_leaf("", Place("today", ""), before=0)
        colours = self.app.theme_variables
        label = Text(_("Today"), style=Style(bold=True, color=colours["heading"]))
        left = duration(today.minutes) if today.minutes else "✓"
        self.today.set_label(label.append(f"  {left}", Style(color=colours["text-muted"], bold=False)))

    def unfold(self) -> None:
        """Unfold stage after stage, as long as all of the roadmap stays in sight."""
        room = self.size.height - (self.last_line + 1)
        for stage in self.root.children:
            if stage.is_expanded or not stage.children:
                continue
            room -= sum(1 + len(topic.children) * topic.is_expanded for topic in stage.children)
            if room < 0:
                break
            stage.expand()

    def go_to(self, exercise: str) -> None:
        """Put the cursor on an exercise, with its stage unfolded."""
        node = self.nodes.get(Place("exercise", exercise))
        if node is None:
            return
        above = node.parent
        while above is not None:
            above.expand()
            above = above.parent
        # asking for the last line counts the lines anew: before that the node has none
        if self.last_line >= 0:
            # what comes before and after is in sight
            self.center_scroll = True
            self.move_cursor(node)
            self.center_scroll = False

    def counts(self, place: Place) -> tuple[int, int]:
        """How many exercises below a place have passed, and how many there are."""
        names = list(self._exercises(place))
        return sum(self.progress.status(name).passed for name in names), len(names)

    def built(self, topic: str) -> list[str]:
        """The exercises of a topic that can be done."""
        return [name for name in self.roadmap.topics[topic].exercises if name in self.roadmap.exercises]

    def _exercises(self, place: Place) -> Iterable[str]:
        match place.kind:
            case "stage":
                return [
                    name for topic in self.roadmap.stages[place.id].topics for name in self.built(topic.id)
                ]
            case "topic":
                return self.built(place.id)
            case "exercise":
                return [place.id]
            case "planned" | "today":
                return []

    def _label(self, place: Place) -> Text:
        current = language.current()
        colours = self.app.theme_variables
        if place.kind in ("exercise", "planned"):
            built = self.roadmap.exercises.get(place.id)
            title = (built or self.roadmap.planned[place.id]).title[current]
            word = STATES[self.progress.state(built) if built else "planned"]
            label = Text(column(word, "state"), style=Style(color=colours[word.colour]))
            return label.append(f"  {title}", Style(color=colours["foreground" if built else "text-muted"]))
        record = self.roadmap.stages[place.id] if place.kind == "stage" else self.roadmap.topics[place.id]
        label = Text(
            record.title[current], style=Style(bold=place.kind == "stage", color=colours["foreground"])
        )
        if spoken := said(self.progress.said(place.kind, place.id)):
            label.append(f"  {spoken.shown()}", Style(color=colours[spoken.colour], bold=False))
        passed, total = self.counts(place)
        if total:
            done = colours["state-passed" if passed == total else "text-muted"]
            label.append(
                f"  {passed}/{total}" + (" ✓" if passed == total else ""), Style(color=done, bold=False)
            )
        return label

    def render_label(self, node: TreeNode[Place], base_style: Style, style: Style) -> Text:
        """Draw a label; on the cursor its own colours would not be readable."""
        label = super().render_label(node, base_style, style)
        if node is self.cursor_node:
            label = Text(label.plain)
            label.stylize(style)
        return label
