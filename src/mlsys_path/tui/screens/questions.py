"""A stage's questions, asked one by one: to test whether to skip it. It proves nothing, and says so."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from mlsys_path.errors import UserError
from mlsys_path.language import _, current
from mlsys_path.progress.diagnostic import SEEDS, Answered, answer, detail, draw
from mlsys_path.tui import actions
from mlsys_path.tui.screens.base import Dialog
from mlsys_path.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Stage


class QuestionsScreen(Dialog[bool]):
    """Dismissed with whether all were answered; whoever leaves before has answered nothing."""

    NAME = actions.QUESTIONS
    BINDINGS = actions.bindings(actions.QUESTIONS)

    text = getters.query_one("#question", Static)
    reply = getters.query_one(Input)
    keys = getters.query_one(KeyBar)

    def __init__(self, stage: Stage, seed: int | None = None) -> None:
        super().__init__()
        self.stage = stage
        self.seed = secrets.randbelow(SEEDS) if seed is None else seed
        self.asked = draw(stage, self.seed)
        self.answered: list[Answered] = []
        self.judged = False  # the answer to the present question is shown
        self.advice = ""

    def compose(self) -> ComposeResult:
        """The question, the reply, the keys."""
        with Vertical(classes="dialog"):
            with VerticalScroll():
                yield Static(id="question", markup=False)
            yield Input()
            yield KeyBar(self.NAME)

    def on_mount(self) -> None:
        """Ask the first."""
        self._show()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: judge the reply, or go on."""
        event.stop()
        await self.action_answer()

    async def action_answer(self) -> None:
        """Judge the reply, then ask the next, then say what comes of it."""
        if self.advice:
            self.dismiss(True)
        elif not self.judged:
            self._judge()
        elif len(self.answered) < len(self.asked):
            self.judged = False
            self._show()
        else:
            await self._end()

    def action_give_up(self) -> None:
        """Leave; what was not answered to its end is not kept."""
        self.dismiss(bool(self.advice))

    def _judge(self) -> None:
        try:
            self.answered.append(answer(self.asked[len(self.answered)], self.reply.value))
        except UserError as error:
            self._show(str(error))
            return
        self.judged = True
        self._show()

    async def _end(self) -> None:
        await self.app.guarded(self._advise())
        # whatever is wrong with the database, what comes of the answers is said
        told = detail(self.answered, self.seed)
        await self.app.guarded(self.services.remember_diagnostic(self.stage, told))
        self.advice = self.advice or f"{told['right']}/{told['of']}"
        self._show()

    async def _advise(self) -> None:
        self.advice = await self.services.advice(self.stage, self.answered)

    def _show(self, trouble: str = "") -> None:
        self.reply.display = not (self.judged or self.advice)
        if self.advice:
            parts = [Content.styled(self.stage.title[current()], "bold $heading"), Content(self.advice)]
            parts.append(Content(_("This is kept as your word: it proves nothing, and passes nothing.")))
        else:
            parts = self._question()
        if trouble:
            parts.append(Content.styled(trouble, "$state-failed"))
        self.text.update(Content("\n\n").join(parts))
        if self.reply.display:
            self.reply.value = ""
            self.reply.focus()
        else:
            self.set_focus(None)
        self.keys.show()

    def _question(self) -> list[Content]:
        number = len(self.answered) - self.judged
        asked, total = self.asked[number], len(self.asked)
        head = _("Question {n} of {total}").format(n=number + 1, total=total)
        parts = [Content.styled(f"{self.stage.title[current()]} · {head}", "bold $heading")]
        parts.append(Content(asked.text))
        if asked.options:
            lines = [f"  {n}. {option.text[current()]}" for n, option in enumerate(asked.options, 1)]
            parts.append(Content("\n".join(lines)))
        if self.judged:
            parts.append(_verdict(self.answered[-1]))
            parts.append(Content(asked.because))
            return parts
        unit = asked.question.unit
        prompt = _("Answer in {unit}: ").format(unit=unit[current()]) if unit else _("Answer: ")
        hint = _("Numbers may be written 1024, 2^10, 3/4 or 1.5e9; ? says that you do not know.")
        parts.append(Content(prompt.strip()) + Content.styled(f"\n{hint}", "$text-muted"))
        return parts


def _verdict(answered: Answered) -> Content:
    if answered.right:
        return Content.styled("✓ " + _("right"), "bold $state-passed")
    text = _("not right: {answer}").format(answer=answered.asked.right)
    return Content.styled("✗ " + text, "bold $state-failed")
