"""Sections of long text: only the lines in sight are coloured and drawn, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from mlsys_path.tui.sections import HEADING, Folds, Section, pattern, rows

KEPT = 400  # drawn lines
FOUND, FOUND_HERE = "bold underline $state-open", "reverse bold"


class SectionView(ScrollView, can_focus=True):
    """One page of sections; whoever changes its state calls `show`."""

    class Pressed(Message):
        """A heading was clicked."""

        def __init__(self, section: int) -> None:
            super().__init__()
            self.section = section

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.sections: Sequence[Section] = ()
        self.folds = Folds()
        self.query_text = ""
        self.found: tuple[int, int] | None = None  # the section and the line of the match that one is at
        self._rows: list[tuple[int, int]] = []
        self._rows_of: tuple[int, frozenset[int]] = (0, frozenset())
        self._drawn: dict[int, Strip] = {}

    def show(self) -> None:
        """Draw the state."""
        self._drawn.clear()
        # of millions of characters there are many: they change only by folding
        if self._rows_of != (of := (id(self.sections), frozenset(self.folds.folded))):
            self._rows_of, self._rows = of, rows(self.sections, self.folds)
        width = max((section.width for section in self.sections), default=0)
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._drawn.clear()

    def reveal(self, section: int, line: int = HEADING) -> None:
        """Bring a line into sight: a heading to the top, another where it is seen with those around it."""
        try:
            row, height = self._rows.index((section, line)), self.scrollable_content_region.height
        except ValueError:
            return
        x, y = self.scroll_offset
        if line == HEADING:
            x, y = 0, row
        elif not y <= row < y + height - 1:
            y = max(0, row - height // 3)
        if line != HEADING and (wanted := pattern(self.query_text)) is not None:
            text = self.sections[section].lines[line]
            if (match := wanted.search(text)) is not None:
                gutter = self.sections[section].gutter
                begin, end = (cell_len(text[:at]) + (gutter + 2 if gutter else 0) for at in match.span())
                width = self.scrollable_content_region.width
                if not x <= begin <= end <= x + width:
                    x = 0 if end <= width else end - width // 2
        self.scroll_to(x, y, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """A line in sight."""
        scroll_x, scroll_y = self.scroll_offset
        row, width = scroll_y + y, self.size.width
        style = self.rich_style
        if row >= len(self._rows):
            return Strip.blank(width, style)
        if row not in self._drawn:
            if len(self._drawn) > KEPT:
                self._drawn.clear()
            content = self._content(*self._rows[row])
            room = max(1, content.cell_length)
            (self._drawn[row],) = Visual.to_strips(self, content, room, 1, self.visual_style)[:1] or (
                Strip.blank(1, style),
            )
        return self._drawn[row].crop_extend(scroll_x, scroll_x + width, style)

    def _content(self, number: int, line: int) -> Content:
        section = self.sections[number]
        if line == HEADING:
            glyph = "▸" if number in self.folds.folded else "▾"
            style = "bold $accent" if number == self.folds.current else "bold $heading"
            title = Content.styled(f"{glyph} {section.title}", style)
            return title + Content.styled(f"  {section.note}" if section.note else "", "$text-muted")
        text = section.lines[line]
        content = section.paint(line, text)
        if (wanted := pattern(self.query_text)) is not None:
            style = FOUND_HERE if self.found == (number, line) else FOUND
            for match in wanted.finditer(text):
                content = content.stylize(style, match.start(), match.end())
        if section.gutter:
            return Content.styled(f"{line + 1:>{section.gutter}}  ", "$text-muted") + content
        return content

    def on_click(self, event: events.Click) -> None:
        """A click on a heading folds its section."""
        row = self.scroll_offset.y + event.y
        if row < len(self._rows) and self._rows[row][1] == HEADING:
            self.post_message(self.Pressed(self._rows[row][0]))
