"""How the learner likes the program: each change holds at once, and is kept."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mlsys_path import language, locations, preferences
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _
from mlsys_path.preferences import KEYS
from mlsys_path.tui import actions, themes
from mlsys_path.tui.blocks import hang
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.screens.place import PlaceScreen
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.title_bar import TitleBar

NAMES = {"language": N_("Language"), "theme": N_("Theme"), "editor": N_("Editor"), "calm": N_("Calm")}
VALUES = {
    "auto": N_("as the system"), "en": N_("English"), "zh": N_("Chinese"), "dark": N_("dark"),
    "light": N_("light"), "on": N_("on"), "off": N_("off"),
}  # fmt: skip


class SettingsScreen(PlaceScreen):
    """One row a setting; Enter takes the next value, or asks for the editor's command."""

    NAME = actions.SETTINGS
    TITLE_TEXT = N_("Settings")
    BINDINGS = actions.bindings(actions.SETTINGS)
    AUTO_FOCUS = "#settings"

    rows = getters.query_one("#settings", OptionList)
    reply = getters.query_one(Input)
    note = getters.query_one("#note", Static)

    def __init__(self) -> None:
        super().__init__()
        self.preferences, self.trouble = preferences.lenient()

    def compose(self) -> ComposeResult:
        """The rows, the line for the editor, what is said of the row, the keys."""
        yield TitleBar()
        with Vertical(classes="place"):
            yield OptionList(id="settings", markup=False)
            yield Input(id="reply")
            yield Static(id="note", markup=False)
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Show what holds."""
        self.reply.display = False
        self.rows.add_options([Option("", id=name) for name in KEYS])
        self.rows.highlighted = 0
        self._draw()

    def retranslate(self) -> None:
        """Every text again."""
        super().retranslate()
        self._draw()

    @property
    def key(self) -> str:
        """The setting that the cursor is on."""
        return list(KEYS)[self.rows.highlighted or 0]

    def _draw(self) -> None:
        self.name_place()
        width = max(Content(_(name)).cell_length for name in NAMES.values())
        for key in KEYS:
            name = Content(_(NAMES[key]))
            gap = Content(" " * (width - name.cell_length + 3))
            self.rows.replace_option_prompt(key, name + gap + self._value(key))
        self._explain()

    def _value(self, key: str) -> Content:
        value = self.preferences[key]
        if not KEYS[key].values:
            return foreign(value, lines=1) if value else Content(_("$VISUAL, else $EDITOR"))
        # a mark and not a colour says which of them holds
        shown = [
            Content.styled(f"● {_(VALUES[each])}", "bold")
            if each == value
            else Content(f"○ {_(VALUES[each])}")
            for each in KEYS[key].values
        ]
        return Content("   ").join(shown)

    def _explain(self) -> None:
        parts = [Content(_(KEYS[self.key].help))]
        command = f"mlsys-path config set {self.key} …"
        parts.append(
            Content.styled(_("The same by a command: {command}").format(command=command), "$text-muted")
        )
        path = foreign(str(locations.preferences_path())).plain
        parts.append(Content.styled(_("They are kept in {path}").format(path=path), "$text-muted"))
        if self.trouble:
            parts.append(hang(Content.styled("! ", "bold $state-error"), foreign(self.trouble).plain, 76))
        self.note.update(Content("\n").join(parts))

    def on_option_list_option_highlighted(self, _event: OptionList.OptionHighlighted) -> None:
        """The cursor moved."""
        self._explain()

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        await self.action_choose()

    async def action_choose(self) -> None:
        """The next value; of what is text, ask for it."""
        key = KEYS[self.key]
        if not key.values:
            self.reply.display = True
            self.reply.value = self.preferences[key.name]
            self.reply.placeholder = _("a command, such as: nano, or code --wait")
            self.reply.focus()
            return
        at = key.values.index(self.preferences[key.name])
        await self._set(key.values[(at + 1) % len(key.values)])

    async def action_default(self) -> None:
        """Take it back."""
        await self._set("")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """The editor's command was typed."""
        event.stop()
        await self._set(event.value)
        self._close_reply()

    def action_back(self) -> None:
        """Leave the line that is typed in, else the screen."""
        if self.reply.display:
            self._close_reply()
        else:
            super().action_back()

    def _close_reply(self) -> None:
        self.reply.display = False
        self.rows.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a command is typed, letters are letters."""
        if self.is_mounted and self.reply.display and action not in ("back", "choose"):
            return False
        return super().check_action(action, parameters)

    async def _set(self, value: str) -> None:
        key = self.key
        try:
            await self.services.prefer(key, value)
            self.preferences = preferences.load()
        except UserError as error:
            self.app.say(str(error), bad=True)
            return
        self.trouble = ""
        match key:
            case "language":
                self.app.use_language(self.preferences.language or language.detect())
            case "theme":
                self.app.theme = themes.named(self.preferences["theme"])
            case "calm":
                self.app.use_calm(self.preferences.calm)
        self._draw()

    def action_language(self) -> None:
        """The other language, which shows in its row."""
        super().action_language()
        self._look()

    def action_theme(self) -> None:
        """The other theme, which shows in its row."""
        super().action_theme()
        self._look()

    def _look(self) -> None:
        shown = {
            **self.preferences.set,
            "language": language.current(),
            "theme": themes.short(self.app.theme),
        }
        self.preferences = preferences.Preferences(shown)
        self._draw()
