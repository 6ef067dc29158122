"""The line at the top: where one is."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widgets import Static


class TitleBar(Static):
    """A path of places on the left, a fact on the right; the fact goes first when room is short."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._places: tuple[str, ...] = ()
        self._fact = ""

    def show(self, places: tuple[str, ...], fact: str = "") -> None:
        """Name the place."""
        self._places, self._fact = places, fact
        self._draw()

    def on_resize(self, _event: events.Resize) -> None:
        """The room has changed."""
        self._draw()

    def _draw(self) -> None:
        *before, here = self._places or ("",)
        # only the places that fit beside where one is
        room = self.content_size.width or self.app.size.width
        while before and cell_len(" › ".join([*before, here])) > room:
            before.pop(0)
        head = "".join(f"{place} › " for place in before)
        line = Content.styled(head, "$text-muted") + Content.styled(here, "bold")
        gap = room - line.cell_length - cell_len(self._fact)
        if self._fact and gap >= 2:
            line += Content(" " * gap) + Content.styled(self._fact, "$text-muted")
        self.update(line)
