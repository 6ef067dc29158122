"""Every command by its name, and every exercise by its title: what can be done now, found by a few letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from mlsys_path.language import LANGUAGES, _, current
from mlsys_path.roadmap.load import Roadmap
from mlsys_path.tui import actions
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.screens.base import Dialog, PathScreen

MOST = 50  # exercises that are listed at once
NOT_LISTED = ("palette",)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: what it does, its key where it has one, and what it is."""

    kind: str  # "action" or "exercise"
    name: str
    text: str
    key: str = ""


def open_palette(screen: PathScreen[Any]) -> None:
    """Ask for a command of a screen, and do it there."""
    palette = PaletteScreen(list(commands(screen)), screen.services.roadmap)

    async def chosen(entry: Entry | None) -> None:
        if entry is None:
            return
        if entry.kind == "exercise":
            screen.app.open_exercise(entry.name)
        else:
            await screen.run_action(entry.name)

    screen.app.push_screen(palette, chosen)


def commands(screen: Screen[Any]) -> Iterator[Entry]:
    """What can be done on a screen at the moment."""
    for action in actions.of_screen(getattr(screen, "NAME", "")):
        if action.name not in NOT_LISTED and screen.check_action(action.name, ()):
            yield Entry("action", action.name, _(action.help), action.key)


def found(query: str, entries: list[Entry], roadmap: Roadmap) -> list[tuple[Entry, Content]]:
    """The entries that fit, the best first, as they are shown: all commands where nothing is asked."""
    query = query.strip()
    if not query:
        return [(entry, Content(entry.text)) for entry in entries]
    matcher = Matcher(query, match_style=Style(bold=True, underline=True))
    fitting = [(score, entry) for entry in entries if (score := matcher.match(entry.text)) > 0]
    fitting.sort(key=lambda each: -each[0])
    shown = [(entry, matcher.highlight(entry.text)) for _score, entry in fitting]
    return shown + [(entry, Content(entry.text)) for entry in _exercises(query.casefold(), roadmap)]


def _exercises(query: str, roadmap: Roadmap) -> Iterator[Entry]:
    left = MOST
    for name, exercise in roadmap.exercises.items():
        if query in name or any(query in exercise.title[each].casefold() for each in LANGUAGES):
            # of a content pack anybody may have written it
            title = foreign(exercise.title[current()], lines=1).plain
            yield Entry("exercise", name, _("{title}: open it").format(title=title))
            left -= 1
            if not left:
                return


class PaletteScreen(Dialog[Entry]):
    """A line to type in, and below it what fits; dismissed with what was chosen."""

    NAME = actions.HELP
    BINDINGS = [  # noqa: RUF012  (as Textual types it)
        ("escape", "back", ""), ("down", "move(1)", ""), ("up", "move(-1)", ""),
        ("pagedown", "move(8)", ""), ("pageup", "move(-8)", ""),
    ]  # fmt: skip
    AUTO_FOCUS = "Input"

    query_line = getters.query_one(Input)
    hits = getters.query_one(OptionList)

    def __init__(self, entries: list[Entry], roadmap: Roadmap) -> None:
        super().__init__()
        self.entries = entries
        self.roadmap = roadmap
        self.shown: list[Entry] = []

    def compose(self) -> ComposeResult:
        """The line, and the list."""
        with Vertical(classes="dialog palette"):
            yield Input(placeholder=_("a command, or an exercise"))
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        """All of them."""
        self.hits.can_focus = False
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Fewer, or more."""
        self._list(event.value)

    def _list(self, query: str) -> None:
        hits = found(query, self.entries, self.roadmap)
        self.shown = [entry for entry, _shown in hits]
        self.hits.clear_options()
        # no colour of its own: on the cursor it could not be read
        rows = [Content(f"{entry.key:>4}  ") + shown for entry, shown in hits]
        self.hits.add_options(rows or [Option(_("nothing fits"), disabled=True)])
        self.hits.highlighted = 0 if hits else None

    def action_move(self, by: int) -> None:
        """Move the cursor in the list while the line keeps the letters."""
        if self.shown:
            at = (self.hits.highlighted or 0) + by
            self.hits.highlighted = (
                at % len(self.shown) if abs(by) == 1 else max(0, min(at, len(self.shown) - 1))
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what the cursor is on."""
        event.stop()
        if self.shown and self.hits.highlighted is not None:
            self.dismiss(self.shown[self.hits.highlighted])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click."""
        event.stop()
        if event.option_index < len(self.shown):
            self.dismiss(self.shown[event.option_index])
