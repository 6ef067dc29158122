"""What this machine can check, and the commands that add what is missing, ready to be copied."""

from __future__ import annotations

import asyncio

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mlsys_path.errors import UserError
from mlsys_path.language import N_, _, bracketed, labelled, listed, ngettext
from mlsys_path.machine.doctor import LanguageRow, Report
from mlsys_path.tui import actions
from mlsys_path.tui.blocks import hang, stacked
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.screens.place import PlaceScreen
from mlsys_path.tui.widgets.key_bar import KeyBar
from mlsys_path.tui.widgets.title_bar import TitleBar
from mlsys_path.tui.words import Word, padded

STATES = {
    "ready": Word("✓", N_("ready"), "state-passed"),
    "partly": Word("◐", N_("partly"), "state-open"),
    "open": Word("○", N_("open"), "state-open"),
}
MUTED = "$text-muted"


class MachineScreen(PlaceScreen):
    """The doctor's table, and below it the commands."""

    NAME = actions.MACHINE
    TITLE_TEXT = N_("This machine")
    BINDINGS = actions.bindings(actions.MACHINE)

    table = getters.query_one("#found", Static)
    commands = getters.query_one("#commands", OptionList)

    def __init__(self) -> None:
        super().__init__()
        self.report: Report | None = None
        self.looking = False

    def compose(self) -> ComposeResult:
        """The table, the commands, the keys."""
        yield TitleBar()
        with VerticalScroll(id="scroll", classes="place"):
            yield Static(id="found", markup=False)
        with Vertical(id="adding"):
            yield Static(id="adds", markup=False)
            yield OptionList(id="commands", markup=False)
        yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Look."""
        self.query_one("#adding").display = False
        self.look()

    def on_resize(self) -> None:
        """Lines of another width."""
        self._draw()

    def retranslate(self) -> None:
        """Every text again; what is lacking is said by the report itself."""
        super().retranslate()
        self.look()

    @work(exclusive=True)
    async def look(self, *, again: bool = False) -> None:
        """Look at the machine, and show what was found."""
        from mlsys_path.machine.doctor import report
        from mlsys_path.machine.inspect import versions

        self.looking = True
        self._draw()
        try:
            machine = await self.services.machine(again=again)
            self.report = report(machine, self.services.roadmap)
            self._draw()
            known = await asyncio.to_thread(versions, machine)
            self.report = report(machine, self.services.roadmap, known)
        except UserError as error:
            self.app.say(str(error), bad=True)
        finally:
            self.looking = False
        self._draw()
        self.refresh_keys()

    def _draw(self) -> None:
        found = self.report
        self.name_place(_("looking …") if self.looking else "")
        if found is None:
            self.table.update(Content.styled(_("looking …"), MUTED))
            return
        # the padding and the scroll bar
        self.table.update(_table(found, max(30, self.app.size.width - 5)))
        self._draw_commands(found)

    def _draw_commands(self, found: Report) -> None:
        self.query_one("#adding").display = bool(found.commands)
        count = len(found.commands)
        head = ngettext(
            "{n} command adds what is missing:", "{n} commands add what is missing:", count
        ).format(n=count)
        self.query_one("#adds", Static).update(Content.styled(head, "bold $heading"))
        shown = [foreign(command, lines=1) for command in found.commands]
        if [str(option.prompt) for option in self.commands.options] != [text.plain for text in shown]:
            self.commands.clear_options()
            self.commands.add_options([Option(text) for text in shown])
            if shown:
                self.commands.highlighted = 0
                self.commands.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to copy where something is missing."""
        if action in ("copy", "copy_all"):
            return self.report is not None and bool(self.report.commands)
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        """Copy the command that the cursor is on."""
        if self.report and self.commands.highlighted is not None:
            self._copy(self.report.commands[self.commands.highlighted])

    def action_copy_all(self) -> None:
        """Copy all of them, a line each."""
        if self.report:
            self._copy("\n".join(self.report.commands))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.app.say(_("copied: {text}").format(text=text))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click, copies too."""
        event.stop()
        self.action_copy()

    def action_again(self) -> None:
        """Something was installed since."""
        self.look(again=True)


def _table(found: Report, width: int) -> Content:
    lines = [Content.styled(foreign(found.machine, lines=1).plain, "bold $heading")]
    gb = _("Python {python}, {gb} GB of disk free").format(python=found.python, gb=found.disk_free_mb >> 10)
    lines.append(Content(gb))
    for gpu in found.gpus:
        text = f"{gpu.name}, {gpu.memory_mb >> 10} GB, sm_{gpu.capability.replace('.', '')}, {gpu.driver}"
        lines.append(foreign(text, lines=1))
    lines.append(Content(""))
    sandbox = found.sandbox
    about = "\n".join(
        filter(None, [labelled(_("sandbox"), listed((sandbox.kind, sandbox.means))), sandbox.lacks])
    )
    lines.append(hang(_state(sandbox.state), foreign(about), width))
    lines.append(Content(""))
    language = max((len(row.language) for row in found.languages), default=0)
    level = max((len(row.level) for row in found.languages), default=0)
    lines += [_row(row, language, level, width) for row in found.languages]
    there = [bracketed(tool.name, tool.version) for tool in found.tools if tool.found]
    missing = [tool.name for tool in found.tools if not tool.found]
    lines.append(Content(""))
    lines.append(hang("", foreign(_("Found: {tools}").format(tools=listed(there))), width))
    if missing:
        lines.append(hang("", foreign(_("Not found: {tools}").format(tools=listed(missing))), width))
    return stacked(lines)


def _state(state: str) -> Content:
    return padded(STATES[state], STATES.values()) + Content("  ")


def _row(row: LanguageRow, language: int, level: int, width: int) -> Content:
    count = f"{row.ready}/{row.exercises}"
    label = _state(row.state) + Content(f"{row.language:<{language}}  {row.level:<{level}}  {count:>7}")
    if not row.lacks:
        return label
    return hang(label + Content("  "), foreign("; ".join(row.lacks)), width)
