"""What the browsers of long texts share: folding, searching, going from match to match."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events, getters
from textual.content import Content
from textual.widgets import Input, Static

from mlsys_path.language import _
from mlsys_path.tui.screens.base import PathScreen
from mlsys_path.tui.sections import Folds, Match, Section, matches
from mlsys_path.tui.widgets.section_view import SectionView

SEARCHING = "-searching"
ONE, SIDE_BY_SIDE = "-one", "-side-by-side"


class Browser(PathScreen[None]):
    """Pages of sections: one of them, or all side by side. The pages share what is folded and what is searched for."""

    facts = getters.query_one("#facts", Static)
    search_line = getters.query_one("#search", Input)

    def __init__(self) -> None:
        super().__init__()
        self.pages: Sequence[Sequence[Section]] = ()
        self.page = 0
        self.folds = Folds()
        self.found: list[Match] = []
        self.at = -1  # of the matches

    @property
    def views(self) -> list[SectionView]:
        """A view for each page."""
        return list(self.query(SectionView))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to browse."""
        return not any(self.pages)

    def fill(self, pages: Sequence[Sequence[Section]]) -> None:
        """Other pages, from their beginning."""
        self.pages = pages
        count = max(map(len, pages), default=0)
        self.folds = Folds(count, min(self.folds.current, max(0, count - 1)))
        for view, page in zip(self.views, pages, strict=True):
            view.sections, view.folds = page, self.folds
        self._search(self.search_line.value)

    def draw(self) -> None:
        """Show the state of things."""
        match = self.found[self.at] if 0 <= self.at < len(self.found) else None
        for number, view in enumerate(self.views):
            view.query_text = self.search_line.value
            view.found = (match.section, match.line) if match and match.page == number else None
            view.set_class(number == self.page, "-current")
            view.show()
        self.facts.update(self._facts())
        self.refresh_keys()

    def describe(self) -> Content:
        """What is to be said of what is shown; a screen says more."""
        return Content("")

    def _facts(self) -> Content:
        shown = self.describe()
        if not self.search_line.value:
            return shown
        counted = (
            _("{n} of {total} lines with “{query}”").format(
                n=self.at + 1, total=len(self.found), query=self.search_line.value
            )
            if self.found
            else _("no line with “{query}”").format(query=self.search_line.value)
        )
        mark = Content.styled(counted, "bold $accent" if self.found else "$state-failed")
        gap = self.facts.content_size.width - shown.cell_length - cell_len(counted)
        return shown + Content(" " * gap) + mark if gap > 1 else mark

    def on_resize(self, _event: events.Resize) -> None:
        """There is other room for the facts."""
        self.facts.update(self._facts())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done at the moment."""
        match action:
            case "search" | "fold_all":
                return not self.empty
            case "fold" | "next_section" | "previous_section":
                return not self.empty and (self.folds.count > 1 or action == "fold")
            case "next_match" | "previous_match":
                return bool(self.found)
        return super().check_action(action, parameters)

    # folding

    def _reveal_current(self) -> None:
        self.draw()
        for view in self.views:
            view.reveal(self.folds.current)

    def action_fold(self) -> None:
        """Fold or unfold the current section."""
        self.folds.toggle(self.folds.current)
        self._reveal_current()

    def action_fold_all(self) -> None:
        """Fold all, or unfold all."""
        self.folds.toggle_all()
        self._reveal_current()

    def action_next_section(self) -> None:
        """The next section, from its heading."""
        self.folds.move(1)
        self._reveal_current()

    def action_previous_section(self) -> None:
        """The section before."""
        self.folds.move(-1)
        self._reveal_current()

    def on_section_view_pressed(self, event: SectionView.Pressed) -> None:
        """A click on a heading."""
        event.stop()
        self.folds.toggle(event.section)
        self.draw()

    # searching

    def action_search(self) -> None:
        """Open the line to type in."""
        self.add_class(SEARCHING)
        self.search_line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find while it is typed."""
        event.stop()
        self._search(event.value)

    def _search(self, query: str) -> None:
        self.found, self.at = matches(self.pages, query), -1
        if self.found:
            self._go_to(next((i for i, m in enumerate(self.found) if m.page == self.page), 0))
        else:
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was found, and give the keys back."""
        event.stop()
        self._close_search()

    def _close_search(self) -> None:
        self.remove_class(SEARCHING)
        self.views[self.page].focus()

    def action_next_match(self) -> None:
        """To the next line that holds it, around the end."""
        self._go_to((self.at + 1) % len(self.found))

    def action_previous_match(self) -> None:
        """To the line before."""
        self._go_to((self.at - 1) % len(self.found))

    def _go_to(self, at: int) -> None:
        self.at = at
        match = self.found[at]
        self.folds.current = match.section
        self.folds.folded.discard(match.section)
        self.turn_to(match.page)
        self.draw()
        self.views[match.page].reveal(match.section, match.line)

    def turn_to(self, page: int) -> None:
        """Another page: the one that is shown, or has the keys."""
        self.page = page
        if not self.has_class(SEARCHING):
            self.views[page].focus()

    def action_back(self) -> None:
        """Close the search, forget it, or go back: the nearest of these."""
        if self.has_class(SEARCHING):
            self.search_line.value = ""
            self._close_search()
        else:
            self.dismiss(None)
