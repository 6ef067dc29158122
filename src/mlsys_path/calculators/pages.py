"""Calculators in lessons: one line is one calculation, and a fenced block of lines becomes their tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from mlsys_path.calculators.registry import Calculator, find
from mlsys_path.calculators.report import Report
from mlsys_path.errors import UserError
from mlsys_path.language import _

INFO = "calc"
_FENCE = re.compile(r"( {0,3})(`{3,}(?!.*`)|~{3,})[ \t]*(.*?)[ \t]*")


def run_line(line: str) -> Report:
    """The report of a line as it is typed after `mlsys-path calc`: `memory --params 7.5e9 --dp 64 --zero 3`.

    Raises:
        UserError: there is no such calculator or option, or a value is wrong.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UserError(_("{line!r} cannot be read: a quote is not closed").format(line=line)) from error
    if not words:
        raise UserError(_("a calculator's name is missing"))
    calculator = find(words[0])
    return calculator.report(dict(_options(calculator, words[1:])))


def _options(calculator: Calculator, words: list[str]) -> Iterator[tuple[str, str]]:
    kinds = {each.name: each.kind for each in calculator.inputs}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise UserError(_("{word!r} is no option: options begin with --").format(word=word))
        name, given, value = word[2:].partition("=")
        if kinds.get(name.removeprefix("no-")) == "flag" and not given:
            yield (name, "yes") if name in kinds else (name.removeprefix("no-"), "no")
        elif name not in kinds:
            raise calculator.unknown_option(f"--{name}")
        elif given:
            yield name, value
        else:
            following = next(rest, None)
            if following is None:
                raise UserError(_("--{name} needs a value").format(name=name))
            yield name, following


def expand(markdown: str) -> str:
    """The Markdown with each block fenced as `calc` replaced by a block that shows its commands and their tables.

    Each line of such a block is one calculation; empty lines are left out. Blocks of other kinds, also such that show
    a `calc` block, stay as they are.

    Raises:
        UserError: a line is wrong; the message begins with its number.
    """
    out: list[str] = []
    closing: re.Pattern[str] | None = None
    calculating, indent = False, ""
    for number, line in enumerate(markdown.splitlines(keepends=True), start=1):
        bare = line.rstrip("\r\n")
        if closing is None:
            opening = _FENCE.fullmatch(bare)
            if opening is not None:
                indent, fence, info = opening.groups()
                closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*")
                calculating = info == INFO
                line = line.replace(INFO, "text", 1) if calculating else line  # noqa: PLW2901
            out.append(line)
        elif closing.fullmatch(bare):
            closing, calculating = None, False
            out.append(line)
        elif not calculating:
            out.append(line)
        elif bare.strip():
            out += [f"{indent}{text}\n" for text in _shown(bare.strip(), number)]
    return "".join(out)


def _shown(command: str, number: int) -> list[str]:
    try:
        report = run_line(command)
    except UserError as error:
        raise UserError(_("line {number}: {error}").format(number=number, error=error)) from error
    return [f"$ mlsys-path calc {command}", *report.table()]
