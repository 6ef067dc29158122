"""What a build's events look like in a terminal, and in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from mlsys_path.cli.terminal import cells, columns, cut, indent, on_terminal, pad, style
from mlsys_path.language import _
from mlsys_path.triton_build.events import (
    BuildFinished,
    BuildStarted,
    Estimate,
    Event,
    Facts,
    Note,
    Progress,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from mlsys_path.triton_build.plan import Plan
from mlsys_path.triton_build.tutorial import Row, draw

_BAR = 24
_QUIET_SECONDS = 30.0  # between two lines of progress where no line can be taken back


class Printer:
    """Prints events as they come; a bar is redrawn where there is a terminal."""

    def __init__(self) -> None:
        self._steps: Sequence[str] = ()
        self._live = on_terminal()
        self._drawn = False
        self._said = 0.0

    def show(self, event: Event) -> None:
        """Print one event."""
        match event:
            case BuildStarted():
                self._steps = event.steps
                click.echo(
                    _("{project}, in {folder}").format(
                        project=style(event.project, bold=True), folder=event.folder
                    )
                )
            case StepStarted():
                self._begin(event)
            case StepSkipped():
                self._line(
                    f"{self._number(event.step)} {style('✓', fg='green')} {event.title}: {_('done before')}"
                )
                self._line(indent(event.proof, 4))
            case Progress():
                self._progress(event)
            case Note():
                self._line(f"    {style('!', fg='yellow')} {event.text}")
            case StepFinished():
                self._line(f"    {style('✓', fg='green')} {event.proof} ({clock(event.seconds)})")
                for line in table(event.facts):
                    self._line(f"    {line}")
            case StepFailed():
                self._failed(event)
            case BuildFinished():
                self._finished(event)
            case _:
                pass

    def end(self) -> None:
        """Leave the terminal with nothing half drawn."""
        self._wipe()

    def _number(self, step: str) -> str:
        return f"{self._steps.index(step) + 1}/{len(self._steps)}"

    def _begin(self, event: StepStarted) -> None:
        self._line("")
        self._line(f"{self._number(event.step)} {style(event.title, bold=True)}{estimate(event.estimate)}")
        self._line(indent(event.what, 4))
        self._line(indent(event.why, 4))
        self._said = time.monotonic()

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if not self._live and event.done != event.total and now - self._said < _QUIET_SECONDS:
            return
        self._said = now
        line = f"    {bar(event.done, event.total) if event.total else ''} {amount(event)}"
        if event.eta is not None and event.done != event.total:
            line += "  " + _("{time} left").format(time=clock(event.eta))
        line = cut(f"{line}  {event.what}", columns() - 1)
        if self._live:
            self._wipe()
            click.echo(line, nl=False)
            self._drawn = True
        else:
            click.echo(line.rstrip())

    def _failed(self, event: StepFailed) -> None:
        self._line("")
        for each in event.tail:
            self._line(cut(f"    | {each}", max(columns() - 1, 40)))
        self._line(f"    {style('✗', fg='red')} {event.cause} [{event.failure}]")
        for each in event.cure:
            self._line(f"      → {each}")
        self._line("      " + _("log: {log}").format(log=event.log))

    def _finished(self, event: BuildFinished) -> None:
        self._line("")
        if event.done:
            self._line(
                style(
                    _("built and proved in {time}: {folder}").format(
                        time=clock(event.seconds), folder=event.folder
                    ),
                    fg="green",
                )
            )
        else:
            self._line(
                _("{done} of {all} steps are done; `--resume` goes on").format(
                    done=len(event.steps_done), all=len(self._steps)
                )
            )

    def _line(self, text: str) -> None:
        self._wipe()
        click.echo(text)

    def _wipe(self) -> None:
        if self._drawn:
            click.echo("\r\x1b[K", nl=False)
            self._drawn = False
            sys.stdout.flush()


def table(facts: Facts) -> list[str]:
    """What the tutorial reached on a GPU, drawn; nothing where it was not run."""
    kept = facts.get("table") or {}
    return draw(kept.get("library", ""), [Row(**row) for row in kept.get("rows", ())])


def bar(done: int, total: int) -> str:
    """A bar of so many columns."""
    full = min(_BAR, _BAR * done // max(total, 1))
    return "█" * full + "░" * (_BAR - full)


def amount(event: Progress) -> str:
    """How far, in the unit of the progress."""
    if event.unit == "bytes":
        return f"{event.done >> 20}/{event.total >> 20} MB"
    return f"[{event.done}/{event.total}]" if event.total else f"[{event.done}]"


def clock(seconds: float) -> str:
    """ "12 s", "3 min 5 s", "2 h 4 min"."""
    if seconds < 10:
        return _("{seconds} s").format(seconds=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return _("{seconds} s").format(seconds=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)
    return _("{hours} h {minutes} min").format(hours=whole // 3600, minutes=whole % 3600 // 60)


def estimate(expected: Estimate) -> str:
    """What a step should take, and where that is from; "" where nobody knows."""
    parts = []
    if expected.seconds is not None:
        parts.append(clock(expected.seconds))
    if expected.disk_mb:
        parts.append(_("{mb} MB of disk").format(mb=expected.disk_mb))
    if expected.memory_mb:
        parts.append(_("{mb} MB of memory a process").format(mb=expected.memory_mb))
    if not parts:
        return ""
    basis = _("as before") if expected.basis == "learned" else _("as measured on a small machine")
    return "  " + _("about {parts}, {basis}").format(parts=", ".join(parts), basis=basis)


def print_plan(plan: Plan) -> None:
    """What would be done, step by step."""
    click.echo(_("{project}, in {folder}").format(project=style(plan.project, bold=True), folder=plan.folder))
    width = max(cells(step.title) for step in plan.steps)
    for index, step in enumerate(plan.steps, 1):
        mark = style("✓ " + _("done before"), fg="green") if step.done else _("would run")
        click.echo(
            f"\n{index}/{len(plan.steps)} {style(pad(step.title, width), bold=True)}  {mark}{estimate(step.estimate)}"
        )
        click.echo(indent(step.what, 4))
        click.echo(indent(step.why, 4))
        if not step.done:
            for command in step.commands:
                click.echo(f"    $ {command}")
