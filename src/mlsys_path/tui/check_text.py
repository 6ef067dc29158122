"""What a run of checks has to say, as styled text of a given width. Pure: a RunState in, Content out."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from mlsys_path import language
from mlsys_path.checking.causes import likely_cause
from mlsys_path.checking.events import CheckResult, Declared
from mlsys_path.checking.timing import telling
from mlsys_path.language import N_, _, ngettext
from mlsys_path.levels import Level, Outcome, highest_passed
from mlsys_path.progress.records import Attempt, Status
from mlsys_path.roadmap.model import Exercise
from mlsys_path.tui import counterexample, history
from mlsys_path.tui.blocks import MUTED, hang, stacked
from mlsys_path.tui.foreign import foreign
from mlsys_path.tui.run_state import RunState
from mlsys_path.tui.words import OUTCOMES, RUNNING, STATES, WAITING, Word, column, styled

OUTPUT_LINES = 40
ADVICE: dict[Outcome, str] = {
    Outcome.PASSED: N_("n opens what is next; s shows how an expert wrote it"),
    Outcome.FAILED: N_("e edits; h gives a hint; w checks at every save"),
    Outcome.ERROR: N_(
        "nothing can be said of your code: c tries again, `mlsys-path doctor` looks at this machine"
    ),
    Outcome.OPEN: N_("nothing of it can be checked here: `mlsys-path doctor` says what is missing"),
}


def title_of(exercise: Exercise, name: str) -> str:
    """A check's title in the language in use."""
    check = exercise.checks.get(name)
    return check.title[language.current()] if check else name


def headline(run: RunState, status: Status) -> Content:
    """One line: where the run stands, or what it amounts to; before a run, how the learner stands."""
    results, total = run.results, len(run.declared)
    match run.phase:
        case "idle":
            since = _("so far; c checks again") if status.attempts else _("c runs the checks")
            return styled(STATES[status.state]) + Content.styled(f"  {since}", MUTED)
        case "running":
            counted = _("{n} of {total}").format(n=len(results), total=total)
            return styled(RUNNING) + Content.styled(f"  {counted}", MUTED)
        case "stopped":
            why = run.problem or _("Stopped: nothing was stored")
            return Content.styled("! ", "$state-error") + foreign(why)
    assert run.verdict is not None
    verdict = run.verdict
    passed = sum(result.outcome is Outcome.PASSED for result in verdict.checks)
    facts = [
        ngettext("{passed} of {n} check passed", "{passed} of {n} checks passed", total).format(
            passed=passed, n=total
        ),
        _("{seconds:.2f} s").format(seconds=verdict.seconds),
    ]
    reached = highest_passed(verdict.levels)
    if verdict.verdict is Outcome.PASSED and reached is not None:
        facts.insert(0, _("level {level}").format(level=reached))
    if verdict.sandbox:
        facts.append(verdict.sandbox)
    line = styled(OUTCOMES[verdict.verdict]) + Content.styled("  " + " · ".join(facts), MUTED)
    if advice := ADVICE.get(verdict.verdict):
        line += Content.styled(f"\n{_(advice)}", MUTED)
    if verdict.verdict in (Outcome.ERROR, Outcome.OPEN) and verdict.first_failure is None and verdict.message:
        line += Content("\n") + foreign(verdict.message)
    return line


def rows(run: RunState, width: int) -> Content:
    """A row for every declared check: glyph and word, seconds, title, and its level unless that is `correct`."""
    return stacked(_row(run, declared, width) for declared in run.declared)


def _row(run: RunState, declared: Declared, width: int) -> Content:
    result = run.results.get(declared.name)
    seconds = ""
    word: Word
    if result is not None:
        word = OUTCOMES[result.outcome]
        seconds = f"{result.seconds:.2f} s" if result.outcome is not Outcome.OPEN else ""
    elif declared.open_because:
        word = OUTCOMES[Outcome.OPEN]
    else:
        word = RUNNING if run.current == declared.name else WAITING
        if word is RUNNING and run.elapsed >= 1:
            seconds = f"{run.elapsed:.0f} s"
    label = Content.styled(column(word, "check"), f"${word.colour}") + Content.styled(
        f"{seconds:>8}  ", MUTED
    )
    title = Content(title_of(run.exercise, declared.name))
    if declared.level is not Level.CORRECT:
        title += Content.styled(f"  [{declared.level}]", MUTED)
    return hang(label, title, width)


def failure(exercise: Exercise, result: CheckResult, width: int) -> Content:
    """All that the leading failure teaches: what is wrong, the smallest input, the cause, the traceback."""
    word = OUTCOMES[result.outcome]
    heading = Content.styled(f"{word.glyph} {title_of(exercise, result.name)}", f"bold ${word.colour}")
    parts = [hang("", heading, width)]
    if result.message:
        parts.append(hang("  ", foreign(result.message), width))
    if result.counterexample is not None:
        parts += counterexample.shown(result.counterexample, width)
    if cause := likely_cause(exercise, result):
        parts += [Content(""), _heading(_("Likely cause:")), hang("  ", cause, width)]
    # its last line is the message that stands above
    frames = result.traceback.rstrip().removesuffix(result.message.strip()).rstrip()
    if frames:
        parts += [Content(""), _heading(_("In your code:")), hang("  ", foreign(frames), width)]
    if result.output.strip():
        printed = foreign(result.output, lines=OUTPUT_LINES)
        parts += [Content(""), _heading(_("Your code printed:")), hang("  ", printed, width)]
    return stacked(parts)


def _heading(text: str) -> Content:
    return Content.styled(f"  {text}", "bold")


def measurements(run: RunState, attempts: Sequence[Attempt], width: int) -> Content:
    """Each measurement with its stars, how it compares with the learner's own, and the rooflines below them."""
    parts = [
        hang("" if i == 0 else "  ", foreign(line), width)
        for m in run.measurements
        for i, line in enumerate(telling.lines(m))
    ]
    earlier = history.lines(run, attempts, width)
    parts += [*([Content("")] if parts and earlier else []), *earlier]
    # lines of a plot are as wide as they are: each has its own, and none is wrapped
    plots = [foreign(line) for line in telling.rooflines(run.measurements, width)]
    return stacked([*parts, *([Content("")] if parts and plots else []), *plots])
