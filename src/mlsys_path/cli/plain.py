"""The loop of the screens as lines: for screen readers, dumb terminals and scripts. Each line is a command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mlsys_path import language, preferences
from mlsys_path.cli.layout import say
from mlsys_path.cli.terminal import stderr_line
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

OF_EXERCISE = ("show", "start", "check", "hint", "solution", "diff", "reset")
# what is typed -> the command, and what it does; the letters are the keys of the screens
WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "next": (("next",), N_("what to do now, and why; its first exercise is taken up")),
    "roadmap": (("roadmap",), N_("all stages and topics")),
    "open": (("show",), N_("`open ID`: take up an exercise, and read its lesson")),
    "check": (("check",), N_("run the checks against your files")),
    "edit": ((), N_("open your files in your editor")),
    "hint": (("hint",), N_("one more hint each time")),
    "solution": (("solution",), N_("how an expert wrote it")),
    "diff": (("diff",), N_("what you changed since the starter")),
    "reset": (("reset",), N_("put the starter back; your files are kept")),
    "stats": (("progress", "--activity"), N_("your year, your passes, your best times, in words")),
    "machine": (("doctor",), N_("what this machine can check, and what is missing")),
    "settings": (("config", "list"), N_("language, theme, editor, calm")),
    "help": ((), N_("these words")),
    "quit": ((), N_("leave; everything is remembered")),
}
LETTERS = {
    "n": "next", "c": "check", "e": "edit", "h": "hint", "s": "solution", "r": "reset", "q": "quit",
    "?": "help", "exit": "quit", "today": "next",
}  # fmt: skip


class PlainLoop:
    """Reads lines until the end of them, and knows which exercise was taken up."""

    def __init__(self, roadmap: Roadmap) -> None:
        self.roadmap = roadmap
        self.exercise = ""
        # what is printed is lines, without colour and without lines that are taken back
        self.terminal = {name: os.environ.get(name) for name in ("TERM", "NO_COLOR")}
        os.environ.update(TERM="dumb", NO_COLOR="1")

    def run(self) -> int:
        """Greet, say what is next, and do what is typed; returns the exit code."""
        try:
            click.echo(_("mlsys-path, line by line: `help` lists what you can type, `quit` leaves."))
            click.echo()
            self.do("next")
            while (line := self._ask()) is not None:
                if not self.do(line):
                    break
        finally:
            for name, value in self.terminal.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        return 0

    def _ask(self) -> str | None:
        while True:
            # a line end before it: a screen reader reads lines
            click.echo(f"\n{self.exercise or 'mlsys-path'}> ", nl=False)
            sys.stdout.flush()
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                click.echo()
                continue
            if not line:
                click.echo()
                return None
            if line.strip():
                return line.strip()

    def do(self, line: str) -> bool:
        """One line; False where it ends the loop."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            stderr_line(_("{line!r} cannot be read: {why}").format(line=line, why=error))
            return True
        word, *rest = words or [""]
        word = LETTERS.get(word, word)
        match word:
            case "quit":
                return False
            case "help":
                self._help()
            case "edit":
                self._edit()
            case _:
                self._command(word, rest)
        return True

    def _command(self, word: str, rest: list[str]) -> None:
        from mlsys_path.cli.program import build

        args = [*(WORDS[word][0] if word in WORDS else [word]), *rest]
        if args[0] in OF_EXERCISE:
            named = arguments_of(args)
            if named and named[0] in self.roadmap.exercises:
                self.exercise = named[0]
            elif self.exercise and not named:
                args.append(self.exercise)
        before = language.current()
        build().main(args, standalone_mode=False)
        language.use(before)
        if args[0] == "next":
            self.exercise = self._first() or self.exercise
        elif args[:3] == ["config", "set", "language"]:
            language.use(preferences.lenient()[0].language or language.detect())

    def _first(self) -> str:
        """What `next` has named first."""
        from mlsys_path.cli import planning
        from mlsys_path.cli.standing import said, standings
        from mlsys_path.progress import queries
        from mlsys_path.progress.outlook import outlook

        roadmap = self.roadmap
        try:
            word = said(roadmap)
            statuses = {name: each.status for name, each in standings(roadmap, word).items()}
            track = queries.followed_track(roadmap.renames)
            pace = planning.remembered_pace(roadmap, track)
            found = outlook(roadmap, statuses, word, track, pace, planning.today(), planning.trouble(roadmap))
        except UserError:
            return ""  # which the command has said
        return found.suggestions[0].exercise if found.suggestions else ""

    def _edit(self) -> None:
        from mlsys_path.exercises import editing, workspace

        if not self.exercise:
            stderr_line(_("no exercise is taken up: `open ID`"))
            return
        exercise = self.roadmap.exercise(self.exercise)
        try:
            command = editing.command()
            folder, _new = workspace.start(exercise, self.roadmap.folder(exercise.id))
            environment: Mapping[str, str] = {
                **{name: value for name, value in os.environ.items() if name not in self.terminal},
                **{name: value for name, value in self.terminal.items() if value is not None},
            }
            subprocess.run([*command, *exercise.files], cwd=folder, env=environment, check=False)
        except (UserError, OSError) as error:
            stderr_line(str(error))

    def _help(self) -> None:
        for word, (_args, text) in WORDS.items():
            letter = next((letter for letter, of in LETTERS.items() if of == word and len(letter) == 1), "")
            click.echo(f"  {word:<9} {letter:<2} {_(text)}")
        say(
            _(
                "Any other command of mlsys-path works too, as `track list`; without an ID it is of the exercise taken up."
            )
        )


def arguments_of(words: list[str]) -> list[str]:
    """What a command is given that is neither an option nor an option's value."""
    from mlsys_path.cli.program import build

    program = build()
    command = program.get_command(click.Context(program), words[0])
    found, takes = [], set()
    for parameter in command.params if command else ():
        if isinstance(parameter, click.Option) and not parameter.is_flag:
            takes |= {*parameter.opts}
    values = iter(words[1:])
    for word in values:
        if word in takes:
            next(values, "")
        elif not word.startswith("-"):
            found.append(word)
    return found


def run_plain() -> int:
    """The loop, over this process's input; returns the exit code."""
    from mlsys_path.roadmap.load import load

    return PlainLoop(load()).run()
