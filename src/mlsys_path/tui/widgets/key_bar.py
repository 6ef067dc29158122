"""The line at the bottom: the keys of a screen, in the language in use, as many as fit."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from mlsys_path.tui.actions import Action, of_screen, that_fit

GAP = "  "
PRESSED = "pressed"


class KeyBar(Static):
    """Made from the table of actions; what cannot be done at the moment is left out."""

    def __init__(self, screen: str, **options: Any) -> None:
        super().__init__(markup=False, **options)
        self.screen_name = screen

    def on_mount(self) -> None:
        """Fill it."""
        self.show()

    def on_resize(self, _event: events.Resize) -> None:
        """More or fewer fit."""
        self.show()

    def show(self) -> None:
        """Look at what can be done, and say so."""
        possible = [
            action for action in of_screen(self.screen_name) if self.screen.check_action(action.name, ())
        ]
        items = {action.name: self._item(action) for action in possible}
        widths = {name: item.cell_length + len(GAP) for name, item in items.items()}
        # the last one needs no gap after it
        room = (self.content_size.width or self.app.size.width) + len(GAP)
        fitting = that_fit(possible, widths, room)
        self.update(Content(GAP).join([items[action.name] for action in fitting]))

    def _item(self, action: Action) -> Content:
        key = Content.styled(action.key, "bold $accent")
        renamed = getattr(self.screen, "label", None)
        item = key + Content(f" {renamed(action) if renamed else action.text()}")
        # not "@click", which would be drawn as a link
        return item.stylize(Style.from_meta({PRESSED: action.name}))

    async def on_click(self, event: events.Click) -> None:
        """A click on an item is a press of its key."""
        if name := event.style.meta.get(PRESSED):
            await self.screen.run_action(str(name))
