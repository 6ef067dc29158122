"""The checks of an exercise: where a run stands, what its first failure teaches, and what is open."""

from __future__ import annotations

from pathlib import Path

from textual import events, getters
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from mlsys_path.language import _, current, ngettext
from mlsys_path.levels import Outcome
from mlsys_path.progress.records import Attempt, Status
from mlsys_path.tui import check_text, history, ladder
from mlsys_path.tui.blocks import hang, stacked
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.widgets.overview import Card


class CheckPanel(VerticalScroll):
    """Draws a RunState; whoever changes the state calls `show`."""

    file_card = getters.query_one("#file", Card)
    headline_card = getters.query_one("#headline", Card)
    failure_card = getters.query_one("#failure", Card)
    rows_card = getters.query_one("#rows", Card)
    ladder_card = getters.query_one("#ladder", Card)
    levels_card = getters.query_one("#levels", Card)
    measured_card = getters.query_one("#measured", Card)

    def __init__(self, run: RunState) -> None:
        super().__init__(id="checks")
        self.run = run
        self.status = Status(run.exercise.id)
        self.attempts: tuple[Attempt, ...] = ()  # the last of them, newest first
        self.file: Path | None = None  # the file to edit, once the exercise is started
        self.watching = False
        self._shown_failure: tuple[int, int, str] = (0, 0, "")
        self._drawn: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        """From what one needs first to what one needs last."""
        for name in ("file", "headline", "ladder", "failure", "rows", "measured", "levels"):
            yield Card(name)

    def on_mount(self) -> None:
        """Draw what is known."""
        self.show()

    def on_resize(self, _event: events.Resize) -> None:
        """Texts are wrapped to the width."""
        self.show()

    def show(self) -> None:
        """Draw the state."""
        width = self.scrollable_content_region.width - 2
        if width < 8:
            return
        run = self.run
        failed = run.leading_failure
        self._draw(self.file_card, self._where(width))
        self._draw(self.headline_card, check_text.headline(run, self.status))
        self._draw(self.ladder_card, ladder.short(run))
        if self._shown_failure != (shown := (id(failed), width, current())):
            # the longest text of all, and the same for all further events of a run
            self._shown_failure = shown
            self._draw(
                self.failure_card, check_text.failure(run.exercise, failed, width) if failed else Content("")
            )
        self._draw(self.rows_card, check_text.rows(run, width))
        self._draw(self.measured_card, check_text.measurements(run, self.attempts, width))
        self._draw(self.levels_card, ladder.whole(run, width))
        self.set_class(run.verdict is not None and run.verdict.verdict is Outcome.PASSED, "-passed")

    def _draw(self, card: Card, content: Content) -> None:
        card.display = bool(content.plain)
        if card.id is not None and not (card.id in self._drawn and self._drawn[card.id].is_same(content)):
            self._drawn[card.id] = content
            card.update(content)

    def _where(self, width: int) -> Content:
        status = self.status
        if self.file is None:
            lines = [Content.styled(_("Not started: e opens the starter in your editor"), "$text-muted")]
        else:
            lines = [hang(Content.styled(_("Your file:") + " ", "$text-muted"), str(self.file), width)]
        facts = []
        if self.watching:
            facts.append(Content.styled(_("watching for saves"), "$state-running"))
        if status.attempts:
            facts.append(
                Content(ngettext("{n} attempt", "{n} attempts", status.attempts).format(n=status.attempts))
            )
        if runs := history.outcomes(self.attempts):
            facts.append(runs)
        if status.hints:
            facts.append(
                Content(ngettext("{n} hint seen", "{n} hints seen", status.hints).format(n=status.hints))
            )
        if status.solution_seen:
            facts.append(Content(_("solution seen")))
        if status.exercise_changed:
            facts.append(Content.styled(_("the exercise has changed since you passed"), "$state-open"))
        if facts:
            lines.append(hang("", Content.styled(" · ", "").join(facts).stylize_before("$text-muted"), width))
        return stacked(lines)
