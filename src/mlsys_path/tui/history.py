"""The learner's earlier runs of one exercise: what was measured then, and how the runs ended. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from mlsys_path.language import _, ngettext
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt
from mlsys_path.tui.blocks import MUTED, hang
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.words import OUTCOMES

BARS = "▁▂▃▄▅▆▇█"
LONGEST = 24  # of a sparkline
SHOWN_RUNS = 12


def series(attempts: Sequence[Attempt]) -> dict[str, list[float]]:
    """The ratios of each measurement in programs that were right, the oldest first; `attempts` are newest first."""
    found: dict[str, list[float]] = {}
    for attempt in reversed(attempts):
        if attempt.levels.get(Level.CORRECT, Outcome.PASSED) is not Outcome.PASSED:
            continue
        for measurement in attempt.measurements:
            name, ratio = measurement.get("name"), measurement.get("ratio")
            if isinstance(name, str) and isinstance(ratio, int | float) and math.isfinite(ratio):
                found.setdefault(name, []).append(float(ratio))
    return found


def sparkline(values: Sequence[float]) -> str:
    """The last values as bars, the lowest of them the lowest bar; flat in the middle when they are all the same."""
    shown = list(values)[-LONGEST:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if low == high:
        return BARS[3] * len(shown)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in shown)


def lines(run: RunState, attempts: Sequence[Attempt], width: int) -> list[Content]:
    """For each measurement the best ratio, that of the last time, and how it went; nothing of a first run."""
    now = {m.name: m.ratio for m in run.measurements if m.ratio is not None}
    past = series(attempts)
    shown: list[Content] = []
    for name in [*now, *(name for name in past if name not in now)]:
        values = past.get(name, [])
        # a run that has ended is among the attempts as soon as it is stored
        before = values[:-1] if values and values[-1] == now.get(name) else values
        if before:
            shown.append(_line(name, before, now.get(name), width))
    if shown:
        shown.insert(0, Content.styled(_("Against your own runs"), "bold"))
    return shown


def _line(name: str, before: Sequence[float], now: float | None, width: int) -> Content:
    best, last = max(before), before[-1]
    bars = sparkline([*before, now] if now is not None else before)
    facts = [
        _("best {ratio:.3g}").format(ratio=best),
        _("last time {ratio:.3g}").format(ratio=last),
        ngettext("{n} run", "{n} runs", len(before)).format(n=len(before)),
    ]
    text = Content.styled(bars, "$accent") + Content.styled("  " + " · ".join(facts), MUTED)
    if now is not None and now > best:
        text += Content.styled("  ▲ " + _("your best so far"), "bold $state-passed")
    elif now is not None and now < last:
        text += Content.styled("  ▼ " + _("slower than last time"), "$state-open")
    return hang(foreign(name, lines=1) + Content("  "), text, width)


def outcomes(attempts: Sequence[Attempt]) -> Content:
    """How the last runs ended, a glyph for each, the newest on the right."""
    shown = list(reversed(attempts[:SHOWN_RUNS]))
    if len(shown) < 2:
        return Content("")
    glyphs = [Content.styled(OUTCOMES[a.verdict].glyph, f"bold ${OUTCOMES[a.verdict].colour}") for a in shown]
    return Content.styled(_("runs") + " ", MUTED) + Content("").join(glyphs)
