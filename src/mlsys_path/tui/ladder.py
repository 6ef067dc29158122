"""The levels of an exercise as a ladder: which were reached, and what each open one needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from mlsys_path.language import N_, _
from mlsys_path.levels import LEVELS, Level, Outcome
from mlsys_path.tui.blocks import MUTED, hang, stacked
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.words import OUTCOMES, RUNNING, WAITING, Word

MEANINGS: dict[Level, str] = {
    Level.CORRECT: N_("right on every input tried, on a CPU"),
    Level.COMPILES: N_("the real compiler takes it"),
    Level.GPU: N_("right on a GPU"),
    Level.FAST: N_("as fast as the exercise asks"),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """A level that the exercise has checks of."""

    level: Level
    word: Word
    passed: int
    total: int
    needs: str = ""  # of an open one


def rungs(run: RunState) -> list[Rung]:
    """The levels of a run, the weakest first: where each stands by what is known so far."""
    found = []
    for level in LEVELS:
        names = [declared.name for declared in run.declared if declared.level is level]
        if names:
            results = [run.results[name] for name in names if name in run.results]
            passed = sum(result.outcome is Outcome.PASSED for result in results)
            needs = run.open_because.get(level, "")
            found.append(Rung(level, _word(run, level, names, needs), passed, len(names), needs))
    return found


def _word(run: RunState, level: Level, names: list[str], needs: str) -> Word:
    if run.verdict is not None:
        return OUTCOMES[run.verdict.levels.get(level, Outcome.OPEN)]
    outcomes = {run.results[name].outcome for name in names if name in run.results}
    for bad in (Outcome.ERROR, Outcome.FAILED):
        if bad in outcomes:
            return OUTCOMES[bad]
    if needs:
        return OUTCOMES[Outcome.OPEN]
    if all(name in run.results for name in names):
        return OUTCOMES[Outcome.OPEN if Outcome.OPEN in outcomes else Outcome.PASSED]
    return RUNNING if run.current in names else WAITING


def short(run: RunState) -> Content:
    """The ladder in one line, of an exercise that has more than one level."""
    found = rungs(run)
    if len(found) < 2:
        return Content("")
    arrow = Content.styled(" → ", MUTED)
    return arrow.join([Content.styled(f"{rung.word.glyph} {rung.level}", _style(rung)) for rung in found])


def _style(rung: Rung) -> str:
    return (
        f"${rung.word.colour}"
        if rung.word in (WAITING, OUTCOMES[Outcome.OPEN])
        else f"bold ${rung.word.colour}"
    )


def whole(run: RunState, width: int) -> Content:
    """Each level with its state and how many of its checks passed; below it what it means, or what it needs."""
    found = rungs(run)
    room = max((len(rung.level) for rung in found), default=0)
    lines = [Content.styled(_("Levels"), "bold")] if found else []
    for number, rung in enumerate(found):
        line = Content.styled(f"{rung.word.glyph} {rung.level:<{room}}", _style(rung))
        facts = [_(rung.word.text)]
        if rung.word is not WAITING and rung.word is not OUTCOMES[Outcome.OPEN]:
            facts.append(_("{n} of {total}").format(n=rung.passed, total=rung.total))
        lines.append(line + Content.styled("  " + " · ".join(facts), f"${rung.word.colour}"))
        text = foreign(rung.needs) if rung.needs else Content.styled(_(MEANINGS[rung.level]), MUTED)
        rail = Content.styled("│ " if number < len(found) - 1 else "  ", MUTED)
        lines += [rail + part for part in hang("", text, width - 2).split("\n")]
    return stacked(lines)
