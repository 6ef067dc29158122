"""What an exercise must prove before learners see it: decided from its files and from how its runs ended.

Runs are made by the caller (`Runner`): this package cannot check, and tests decide without a sandbox.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import lesson, missing_files, read_files
from mlsys_path.language import Text, _
from mlsys_path.levels import Level, Outcome
from mlsys_path.roadmap.model import Exercise, Limits

MIN_HINTS = 3
MIN_WRONG = 2
MIN_LESSON_LINES = 30  # that are not blank
MIN_MESSAGE = 12  # characters: shorter ones name a thing and say nothing about it
UNFINISHED = "[author]"  # what the scaffold leaves for its author

_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Run:
    """How one run of an exercise's checks ended, as far as an author's promises go."""

    verdict: Outcome
    failing_check: str = ""  # the first in teaching order
    message: str = ""  # of that check, or why the verdict is an error
    open_because: Mapping[Level, str] = field(default_factory=dict)
    seconds: float = 0.0


# makes one run, up to a level or up to the highest
Runner = Callable[[Exercise, Mapping[str, bytes], Level | None], Awaitable[Run]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken promise: of which exercise, where in its folder, and what to do."""

    exercise: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One run that was made: the solution, the starter or a wrong solution."""

    name: str
    run: Run


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of one exercise after verification."""

    exercise: str
    problems: tuple[Problem, ...]
    variants: tuple[Variant, ...] = ()
    left_out: tuple[str, ...] = ()  # wrong solutions that another level than the one asked for catches

    @property
    def open_because(self) -> dict[Level, str]:
        """The levels that could not be proven here, with why."""
        return {
            level: why
            for v in self.variants
            if v.name == "solution"
            for level, why in v.run.open_because.items()
        }


async def verify(
    exercise: Exercise, folder: Path, run: Runner, *, repeat: int = 1, level: Level | None = None
) -> Report:
    """Everything about one exercise; each run is made `repeat` times, as checks draw fresh inputs.

    With a level nothing beyond it is run, and wrong solutions that a check of another one catches are left out.
    """
    problems = folder_problems(exercise, folder)
    try:
        solution, starter = read_files(folder / "solution"), read_files(folder / "starter")
        wrongs = {
            name: {**solution, **read_files(folder / "wrong" / name)}
            for name in exercise.wrong
            if (folder / "wrong" / name).is_dir()
        }
        left_out = tuple(name for name in wrongs if not _caught_at(exercise, name, level))
        wrongs = {name: files for name, files in wrongs.items() if name not in left_out}
    except UserError as error:
        return Report(exercise.id, (*problems, Problem(exercise.id, "", str(error))))

    async def several(
        name: str, once: Callable[[], Awaitable[tuple[Run, str]]]
    ) -> tuple[Variant, list[Problem]]:
        for _n in range(repeat):
            made, message = await once()
            if message:
                return Variant(name, made), [Problem(exercise.id, name, message)]
        return Variant(name, made), []

    async def of_solution() -> tuple[Run, str]:
        made = await run(dataclasses.replace(exercise, limits=half(exercise.limits)), solution, level)
        if made.verdict is Outcome.FAILED:
            # wrong, or right and too dear: its full limits tell
            full = await run(exercise, solution, level)
            if full.verdict is Outcome.PASSED:
                return full, _(
                    "passes only with more than half of its limits ({message}): raise them"
                ).format(message=_first_line(made.message))
            made = full
        return made, solution_problem(made)

    async def of_starter() -> tuple[Run, str]:
        made = await run(exercise, starter, level)
        return made, starter_problem(made)

    def of_wrong(name: str) -> Callable[[], Awaitable[tuple[Run, str]]]:
        # what comes after the check that is to fail proves nothing
        check = exercise.checks.get(exercise.wrong[name].fails)
        last = level if check is None else check.level

        async def once() -> tuple[Run, str]:
            made = await run(exercise, wrongs[name], last)
            return made, wrong_problem(exercise, name, made)

        return once

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(several("solution", of_solution)),
            group.create_task(several("starter", of_starter)),
            *(group.create_task(several(f"wrong/{name}", of_wrong(name))) for name in wrongs),
        ]
    ended = [task.result() for task in tasks]
    return Report(
        exercise.id,
        (*problems, *(p for _v, found in ended for p in found)),
        tuple(variant for variant, _p in ended),
        left_out,
    )


def _caught_at(exercise: Exercise, wrong: str, level: Level | None) -> bool:
    """Whether a wrong solution is to fail at a level; a check that does not exist is told of at any."""
    check = exercise.checks.get(exercise.wrong[wrong].fails)
    return level is None or check is None or check.level is level


def half(limits: Limits) -> Limits:
    """The margin that a solution must hold: half of the time and half of the memory."""
    return dataclasses.replace(
        limits, seconds=max(1, limits.seconds / 2), memory_mb=max(64, limits.memory_mb // 2)
    )


def solution_problem(run: Run) -> str:
    """What is wrong with how the solution ended; "" when it passed, or when nothing can be checked here."""
    if run.verdict in (Outcome.PASSED, Outcome.OPEN):
        return ""
    return _("the solution must pass and ended as {verdict} at {check}: {message}").format(
        verdict=run.verdict, check=run.failing_check or _("the start"), message=_first_line(run.message)
    )


def starter_problem(run: Run) -> str:
    """What is wrong with how the starter ended: it must fail, with a word that helps."""
    if run.verdict is Outcome.OPEN:
        return ""
    if run.verdict is not Outcome.FAILED:
        return _("the starter must fail and ended as {verdict}: {message}").format(
            verdict=run.verdict, message=_first_line(run.message)
        )
    words = _first_line(run.message)
    if not (_CJK.search(words) or (len(words) >= MIN_MESSAGE and " " in words)):
        return _("the starter fails at {check} with {message!r}, which does not say what to do").format(
            check=run.failing_check, message=words
        )
    return ""


def wrong_problem(exercise: Exercise, name: str, run: Run) -> str:
    """What is wrong with how a wrong solution ended: the check that its entry names must be the first."""
    wanted = exercise.wrong[name].fails
    check = exercise.checks.get(wanted)
    if check is None:
        return _("`fails: {check}` names no check of exercise.yaml").format(check=wanted)
    if run.verdict is Outcome.ERROR:
        return _("must fail at {check} and ended as error: {message}").format(
            check=wanted, message=_first_line(run.message)
        )
    if check.level in run.open_because and not run.failing_check:
        return ""  # the level that catches it cannot be checked here
    if not run.failing_check:
        return _("passes, and must fail at {check}").format(check=wanted)
    if run.failing_check != wanted:
        return _("fails first at {got}, not at {check}: {message}").format(
            got=run.failing_check, check=wanted, message=_first_line(run.message)
        )
    return ""


def folder_problems(exercise: Exercise, folder: Path) -> list[Problem]:
    """What the files alone show: texts in both languages, hints, wrong solutions, declared files."""
    found: list[tuple[str, str]] = []
    if len(exercise.hints) < MIN_HINTS:
        found.append(
            ("exercise.yaml", _("{n} hints: write at least {m}").format(n=len(exercise.hints), m=MIN_HINTS))
        )
    if len(exercise.wrong) < MIN_WRONG:
        found.append(
            (
                "exercise.yaml",
                _("{n} wrong solutions: write at least {m}").format(n=len(exercise.wrong), m=MIN_WRONG),
            )
        )
    found += [("exercise.yaml", message) for message in _text_problems(exercise)]
    for name, language in (("README.md", "en"), ("README.zh.md", "zh")):
        found += [(name, message) for message in _lesson_problems(folder, name, zh=language == "zh")]
    for part in ("starter", "solution"):
        present = read_files(folder / part) if (folder / part).is_dir() else {}
        found += [
            (f"{part}/{name}", _("is in `files` and missing here"))
            for name in missing_files(exercise, present)
        ]
    if not any((folder / "checks").glob("**/test_*.py")):
        found.append(("checks", _("there is no test_*.py")))
    found += _wrong_folder_problems(exercise, folder)
    found += _unfinished(folder)
    return [Problem(exercise.id, where, message) for where, message in found]


def _text_problems(exercise: Exercise) -> list[str]:
    texts: dict[str, Text | None] = {"title": exercise.title, "summary": exercise.summary}
    texts |= {f"hints[{n}]": hint for n, hint in enumerate(exercise.hints, start=1)}
    for name, check in exercise.checks.items():
        texts |= {f"checks.{name}.title": check.title, f"checks.{name}.cause": check.cause}
    problems = []
    for key, text in texts.items():
        if text is None:
            continue
        if not text.en.strip():
            problems.append(_("{key}: the English text is empty").format(key=key))
        if not _CJK.search(text.zh):
            problems.append(_("{key}: the Chinese text holds no Chinese").format(key=key))
    return problems


def _lesson_problems(folder: Path, name: str, *, zh: bool) -> list[str]:
    try:
        text = lesson(folder, "zh" if zh else "en")
    except UserError:
        return [_("the lesson is missing")]
    except UnicodeDecodeError:
        return [_("the lesson is not UTF-8")]
    problems = []
    lines = sum(bool(line.strip()) for line in text.splitlines())
    if lines < MIN_LESSON_LINES:
        problems.append(_("{n} lines: a lesson needs at least {m}").format(n=lines, m=MIN_LESSON_LINES))
    if not text.lstrip().startswith("# "):
        problems.append(_("begin with a title: `# …`"))
    if zh and not _CJK.search(text):
        problems.append(_("holds no Chinese"))
    return problems


def _wrong_folder_problems(exercise: Exercise, folder: Path) -> list[tuple[str, str]]:
    root = folder / "wrong"
    present = (
        {p.name for p in root.iterdir() if p.is_dir() and p.name != "__pycache__"} if root.is_dir() else set()
    )
    problems = [
        (f"wrong/{name}", _("is in exercise.yaml and has no folder"))
        for name in sorted(set(exercise.wrong) - present)
    ]
    for name in sorted(present):
        if name not in exercise.wrong:
            problems.append((f"wrong/{name}", _("has no entry under `wrong` in exercise.yaml")))
        elif not read_files(root / name):
            problems.append((f"wrong/{name}", _("is empty: put the changed file there")))
    return problems


def _unfinished(folder: Path) -> list[tuple[str, str]]:
    return [
        (name, _("{marker} is still in it").format(marker=UNFINISHED))
        for name, data in read_files(folder).items()
        if UNFINISHED.encode() in data
    ]


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
