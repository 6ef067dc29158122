"""The app: what is shared by all screens, and how it starts and ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from textual import constants, events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from mlsys_path import language, preferences
from mlsys_path.errors import UserError
from mlsys_path.language import LANGUAGES, Language, _
from mlsys_path.tui import defects, line_breaks, themes
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.services import Services

WIDE = 100  # columns; below, one pane at a time


def _home() -> Screen[Any]:
    from mlsys_path.tui.screens.home import HomeScreen

    return HomeScreen()


class PathApp(App[None]):
    """mlsys-path in a terminal."""

    TITLE = "mlsys-path"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  (as Textual types it)
    SCREENS: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {"home": _home}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "help_quit", show=False, system=True)]

    def __init__(self, services: Services, *, theme: str = themes.DARK, calm: bool = False) -> None:
        line_breaks.install()
        defects.install()
        super().__init__()
        # a tooltip of Markdown's tables is parsed as markup, and a cell may hold `[/x]`
        self._disable_tooltips = True
        self.services = services
        self.defects = defects.Defects(self)
        self.defect: Exception | None = None  # that has ended it
        for own in themes.THEMES:
            self.register_theme(own)
        self.theme = theme if theme in {own.name for own in themes.THEMES} else themes.DARK
        self.trouble_at_start = ""  # with the file of settings
        self.calm = False
        self.use_calm(calm)

    def on_mount(self) -> None:
        """Open the first screen."""
        self.push_screen("home")
        if self.trouble_at_start:
            self.say(self.trouble_at_start, bad=True)

    def begin_anew(self) -> None:
        """The first screen as after a start, whatever was open."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(_home())

    def open_exercise(self, exercise_id: str) -> None:
        """Open an exercise, in the place of one that is open."""
        from mlsys_path.tui.screens.exercise import ExerciseScreen

        screen = ExerciseScreen(self.services.roadmap.exercise(exercise_id))
        if isinstance(self.screen, ExerciseScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def go_to(self, place: type[Screen[Any]]) -> None:
        """Open one of the places beside the roadmap, in the place of another that is open."""
        from mlsys_path.tui.screens.place import PlaceScreen

        if isinstance(self.screen, place):
            return
        if isinstance(self.screen, PlaceScreen):
            self.switch_screen(place())
        else:
            self.push_screen(place())

    def say(self, message: str, *, bad: bool = False) -> None:
        """A notification of plain text: what is said may quote a path or a learner."""
        text = foreign(message, lines=8).plain
        self.notify(text, severity="error" if bad else "information", timeout=12 if bad else 5, markup=False)

    async def guarded(self, work: Coroutine[Any, Any, object]) -> bool:
        """Do something that may meet a UserError, which becomes a notification; whether it was done."""
        try:
            await work
        except UserError as error:
            self.say(str(error), bad=True)
            return False
        return True

    def switch_language(self) -> None:
        """The other language, at once and on every screen."""
        at = LANGUAGES.index(language.current())
        self.use_language(LANGUAGES[(at + 1) % len(LANGUAGES)])
        self.prefer("language", language.current())

    def use_language(self, wanted: Language) -> None:
        """Show everything in a language."""
        language.use(wanted)
        for screen in self.screen_stack:
            if hasattr(screen, "retranslate"):
                screen.retranslate()

    def switch_theme(self) -> None:
        """The other theme."""
        self.theme = themes.other(self.theme)
        self.prefer("theme", themes.short(self.theme))

    def use_calm(self, calm: bool) -> None:
        """Let nothing move or blink by itself, or let it."""
        self.calm = calm
        self.animation_level = "none" if calm else constants.TEXTUAL_ANIMATIONS

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A cursor does not blink in calm mode."""
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = not self.calm

    def prefer(self, key: str, value: str) -> None:
        """Keep a setting; what is wrong with its file is said, and what was switched stays switched."""
        work = self.guarded(self.services.prefer(key, value))
        self.run_worker(work, group="settings")

    def action_help_quit(self) -> None:
        """Ctrl-C with nothing selected: leave, as in any program."""
        self.exit()

    def _fatal_error(self) -> None:
        # the command line writes the report and says where it is: nobody is shown a traceback
        self._close_messages_no_wait()

    def _handle_exception(self, error: Exception) -> None:
        if not self.defects.take(error):
            self.defect = self.defect or error
            super()._handle_exception(error)


def run(path_language: Language | None = None) -> int:
    """Open the program in this terminal, in `path_language` or else as it was left; returns its exit code.

    Raises UserError where there is nothing to show or no terminal for it, and whatever defect ended the screens.
    """
    from mlsys_path.checking.session import Checker
    from mlsys_path.roadmap.load import load

    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UserError(
            _("this terminal cannot show screens: `mlsys-path --help` lists the same as commands")
        )
    preferred, trouble = preferences.lenient()
    _use_language(path_language, preferred.language)
    roadmap = load()
    with Checker() as checker:
        theme = themes.named(preferred["theme"])
        app = PathApp(Services(roadmap, checker), theme=theme, calm=preferred.calm)
        app.trouble_at_start = trouble
        asyncio.run(_run(app))
    if app.defect is not None:
        raise app.defect
    return app.return_code or 0


async def _run(app: PathApp) -> None:
    loop = asyncio.get_running_loop()
    # a terminal that is closed or a kill ends the screens in order, and leaves the terminal as it was
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit)
    await app.run_async()


def _use_language(asked: Language | None, preferred: Language | None) -> None:
    if asked is not None:
        language.use(asked)
    elif preferred and not os.environ.get("MLSYS_PATH_LANG") and language.current() == language.detect():
        # neither an option nor a variable asked for a language
        language.use(preferred)
