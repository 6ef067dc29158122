"""A check on the terminal: a line for each result as it comes, then what the first failure teaches.

What comes from learners' code was made harmless by the checker, and is echoed as it is: never as markup.
"""

from __future__ import annotations

import click

from mlsys_path import language
from mlsys_path.checking import heat
from mlsys_path.checking.causes import likely_cause
from mlsys_path.checking.events import (
    CheckEvent,
    CheckResult,
    CheckStarted,
    Counterexample,
    Measurement,
    Started,
    Verdict,
)
from mlsys_path.checking.timing import telling
from mlsys_path.cli.terminal import (
    OUTCOMES,
    cells,
    columns,
    cut,
    indent,
    on_terminal,
    outcome_label,
    pad,
    style,
)
from mlsys_path.language import _, labelled, listed, ngettext
from mlsys_path.levels import Level, Outcome, highest_passed
from mlsys_path.roadmap.model import Exercise

MAX_OUTPUT_LINES = 20
MAX_TITLE = 52
CLEAR_LINE = "\r\x1b[K"


class CheckPrinter:
    """Prints one run of one exercise."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        titles = [self.title(name) for name in exercise.checks]
        self.width = min(max(map(cells, titles)), MAX_TITLE, max(20, columns() - 30))
        self.transient = False

    def title(self, name: str) -> str:
        """A check's title in the language in use."""
        check = self.exercise.checks.get(name)
        return check.title[language.current()] if check else name

    def told(self, event: CheckEvent) -> None:
        """Print what an event says."""
        match event:
            case Started():
                click.echo(style(f"{self.exercise.id}  {self.exercise.title[language.current()]}", bold=True))
                for declared in event.checks:
                    if declared.open_because:
                        self._line(Outcome.OPEN, declared.name, declared.level, "")
            case CheckStarted():
                self._show_running(event.name)
            case CheckResult():
                ran = event.outcome is not Outcome.OPEN
                self._line(event.outcome, event.name, event.level, f"{event.seconds:.2f} s" if ran else "")
            case Measurement():
                self.clear()
                for line in telling.lines(event):
                    click.echo(f"      {line}")

    def _line(self, outcome: Outcome, name: str, level: Level, seconds: str) -> None:
        self.clear()
        shown = pad(cut(self.title(name), self.width), self.width)
        mark = "" if level is Level.CORRECT else f"  [{level}]"
        click.echo(f"  {outcome_label(outcome)}  {shown}  {seconds:>7}{mark}".rstrip())

    def _show_running(self, name: str) -> None:
        if on_terminal():
            self.clear()
            click.echo(cut(f"  … {self.title(name)}", columns() - 1), nl=False)
            self.transient = True

    def clear(self) -> None:
        """Take back the line that says what is running."""
        if self.transient:
            click.echo(CLEAR_LINE, nl=False)
            self.transient = False

    def finished(self, verdict: Verdict, argument: str) -> None:
        """After the last event: the leading failure, the open levels, and what to do."""
        self.clear()
        click.echo()
        if text := self._lead(verdict):
            click.echo(text + "\n")
        if plots := telling.rooflines(verdict.measurements, columns()):
            click.echo("\n".join(plots) + "\n")
        for level, why in verdict.open_because.items():
            click.echo(_("{level} is open: {why}").format(level=style(level, bold=True), why=why))
        click.echo(summary(verdict))
        click.echo(what_next(self.exercise, verdict, argument))

    def _lead(self, verdict: Verdict) -> str:
        """What the verdict rests on: the first failure, or why the run as a whole broke."""
        first = verdict.first_failure
        broken = verdict.verdict is Outcome.ERROR and (first is None or first.outcome is Outcome.ERROR)
        if broken and (first is None or verdict.message != first.message):
            return verdict.message
        return failure(self.exercise, first) if first is not None else ""


def summary(verdict: Verdict) -> str:
    """One line: the verdict, how many checks passed, in which time and under what guard."""
    passed = sum(c.outcome is Outcome.PASSED for c in verdict.checks)
    counted = ngettext(
        "{passed} of {n} check passed", "{passed} of {n} checks passed", len(verdict.checks)
    ).format(passed=passed, n=len(verdict.checks))
    glyph, word, colour = OUTCOMES[verdict.verdict]
    reached = highest_passed(verdict.levels)
    level = (
        _(", level {level}").format(level=reached) if reached and verdict.verdict is Outcome.PASSED else ""
    )
    head = style(f"{glyph} {labelled(verdict.exercise, _(word))}{level}", fg=colour, bold=True)
    facts = listed((counted, f"{verdict.seconds:.2f} s", verdict.sandbox))
    return head + _("  ({note})").format(note=facts)


def failure(exercise: Exercise, result: CheckResult) -> str:
    """All that the leading failure has to say."""
    check = exercise.checks.get(result.name)
    glyph, _word, colour = OUTCOMES[result.outcome]
    title = check.title[language.current()] if check else result.name
    parts = [style(f"{glyph} {title}", fg=colour, bold=True), indent(result.message, 2)]
    if result.counterexample is not None:
        parts += _counterexample(result.counterexample)
    # its last line is the exception, which is the message
    if frames := result.traceback.rstrip().removesuffix(result.message.strip()).rstrip():
        parts += ["", "  " + _("In your code:"), indent(frames, 2)]
    if result.output.strip():
        lines = result.output.rstrip().splitlines()
        note = _(" (the last {n} of {m} lines)").format(n=MAX_OUTPUT_LINES, m=len(lines))
        parts += ["", "  " + _("Your code printed") + (note if len(lines) > MAX_OUTPUT_LINES else "") + ":"]
        parts.append(indent("\n".join(cut(line, 200) for line in lines[-MAX_OUTPUT_LINES:]), 4))
    if cause := likely_cause(exercise, result):
        parts += ["", "  " + style(_("Likely cause:"), bold=True) + f" {cause}"]
    return "\n".join(parts)


def _counterexample(example: Counterexample) -> list[str]:
    parts: list[str] = []
    if example.calls:
        parts += ["", "  " + _("The smallest input that shows it:"), indent("\n".join(example.calls), 4)]
    rows = [(_("got"), example.got), (_("expected"), example.expected)]
    width = max(cells(label) for label, _text in rows)
    for label, text in rows:
        if text:
            first, *rest = text.splitlines() or [""]
            parts.append(f"  {pad(label, width)}  {first}")
            parts += [" " * (width + 4) + line for line in rest]
    if (m := example.mismatch) is not None:
        where = ", ".join(map(str, m.first_index))
        text = (
            _("{n} of {total} elements were never written, the first at [{where}]")
            if m.unwritten
            else _(
                "{differing} of {total} elements differ, the first at [{where}]: got {got}, expected {expected}"
            )
        ).format(
            n=m.unwritten, differing=m.differing, total=m.total, where=where, got=m.got, expected=m.expected
        )
        parts.append("  " + text)
        if m.tile:
            parts.append("  " + _("it lies in tile {tile}").format(tile=m.tile))
        if m.largest_error is not None:
            parts.append("  " + _("largest error {error:g}").format(error=m.largest_error))
        if m.heat is not None:
            parts += ["", indent("\n".join(heat.lines(m.heat, m.shape)), 2)]
    return parts


def what_next(exercise: Exercise, verdict: Verdict, argument: str) -> str:
    """What to do after a verdict."""
    again = f"mlsys-path check {argument}"
    match verdict.verdict:
        case Outcome.PASSED:
            return _(
                "Next: `mlsys-path next` says where to go; "
                "`mlsys-path solution {id}` shows how an expert wrote it."
            ).format(id=exercise.id)
        case Outcome.FAILED:
            return _("Next: mend {file}, then `{again}`; `mlsys-path hint {id}` gives a hint.").format(
                file=exercise.files[0], again=again, id=exercise.id
            )
        case Outcome.ERROR:
            return _(
                "Nothing can be said of your code. Try `{again}` once more; "
                "`mlsys-path doctor` looks at this machine."
            ).format(again=again)
        case _:
            return _(
                "Nothing of it can be checked on this machine: `mlsys-path doctor` says what is missing."
            )


def brief(exercise: Exercise, verdict: Verdict) -> str:
    """One exercise among many: the summary, and the leading failure in two lines."""
    lines = [summary(verdict)]
    if (first := verdict.first_failure) is not None:
        check = exercise.checks.get(first.name)
        title = check.title[language.current()] if check else first.name
        lines.append(cut(f"    {title}: {first.message.partition(chr(10))[0]}", max(40, columns() - 1)))
    elif verdict.verdict is Outcome.ERROR:
        lines.append(f"    {verdict.message}")
    return "\n".join(lines)
