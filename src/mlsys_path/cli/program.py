"""The click program: its table of commands, the global options, and what becomes of every error."""

from __future__ import annotations

import errno
import importlib
import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from mlsys_path import language
from mlsys_path.cli.terminal import cells, stderr_line
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _

PROGRAM = "mlsys-path"
BAD_INPUT = 2
CRASHED = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE, as of any other tool

# name -> (module of cli.commands, attribute, help): a module is imported only when its command runs
COMMANDS: dict[str, tuple[str, str, str]] = {
    "next": ("next_step", "next_command", N_("What to do now, and why")),
    "list": ("listing", "list_command", N_("List the exercises and how you stand with them")),
    "roadmap": (
        "roadmap",
        "roadmap_group",
        N_("Print the roadmap as an outline or a graph; check its links"),
    ),
    "plan": ("plan", "plan_command", N_("What is left, week by week, and whether it fits before a date")),
    "show": ("show", "show_command", N_("Read a lesson, or see a stage, topic, track or resource")),
    "search": ("search", "search_command", N_("Find words in all there is to read")),
    "start": ("workspace", "start_command", N_("Copy an exercise's starter into your workspace")),
    "check": ("check", "check_command", N_("Check your solution by running it")),
    "ir": ("ir", "ir_command", N_("What the compiler makes of your Triton kernels, stage by stage")),
    "hint": ("answers", "hint_command", N_("One more hint each time")),
    "solution": ("answers", "solution_command", N_("The reference solution, after you have passed")),
    "diff": ("workspace", "diff_command", N_("What you changed since the starter")),
    "reset": ("workspace", "reset_command", N_("Put the starter back; your files move to a backup")),
    "mark": ("mark", "mark_command", N_("Say that you have read or know something: your word, no pass")),
    "diagnose": ("diagnose", "diagnose_command", N_("Answer a stage's questions, to see whether to skip it")),
    "progress": ("progress", "progress_command", N_("What you have done so far")),
    "track": ("track", "track_group", N_("Ways through the roadmap: list, show, follow, assign")),
    "calc": ("calc", "calc_group", N_("Calculators: memory, FLOPs, communication, pipelines")),
    "doctor": ("doctor", "doctor_command", N_("What this machine can check, and how to add what is missing")),
    "config": ("config", "config_group", N_("How you like the program: language, theme, editor, calm")),
    "build": ("build", "build_group", N_("Build Triton from source, step by step, proved at the end")),
    "export": ("exchange", "export_command", N_("Write your progress to one file, or a bundle for a mentor")),
    "import": (
        "exchange",
        "import_command",
        N_("Take in a file: progress, an assignment, a learner's bundle"),
    ),
    "mentor": ("mentor", "mentor_group", N_("For mentors: who is stuck, who is where, and proof")),
    "pack": ("pack", "pack_group", N_("Content packs of others: add, list, remove")),
    "author": ("author", "author_group", N_("For authors of exercises: new, verify")),
    "completion": (
        "completion",
        "completion_command",
        N_("Print the script that completes commands in your shell"),
    ),
}


class Program(click.Group):
    """A group that imports a command's module when the command is invoked, and never shows a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _help = COMMANDS[cmd_name]
        command: click.Command = getattr(
            importlib.import_module(f"mlsys_path.cli.commands.{module}"), attribute
        )
        _take_language(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one is answered with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = (
                _("did you mean `{name}`?").format(name=near[0])
                if near
                else _("`mlsys-path --help` lists them")
            )
            raise UserError(_("there is no command {name!r}: {hint}").format(name=args[0], hint=hint))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing one of them."""
        width = max(cells(name) for name in COMMANDS)
        with formatter.section(_("Commands")):
            for name, (_module, _attribute, text) in COMMANDS.items():
                formatter.write(f"  {name:<{width}}  {_(text)}\n")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click would end the process with 1 when the reader of its output has gone."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise _ReaderGone from error
            raise

    def main(self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run, and turn every error into one line and an exit code."""
        code = self._run(list(sys.argv[1:] if args is None else args), extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, args: list[str], extra: dict[str, Any]) -> int:
        extra.pop("prog_name", None)
        if asked := asked_language(args):
            # a command's texts are made when its module is imported, which is before its own options are parsed
            language.use(asked)
        try:
            result = super().main(args, prog_name=PROGRAM, standalone_mode=False, **extra)
            sys.stdout.flush()
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except Exception as error:
            return _explain(error, args)
        return result if isinstance(result, int) else 0


class _ReaderGone(Exception):
    """The reader of our output has closed its end."""


def _explain(error: Exception, args: list[str]) -> int:
    """Say in one line what went wrong; the exit code for it."""
    while isinstance(error, ExceptionGroup):
        # of tasks that ran side by side the first to fail is the reason
        error = error.exceptions[0]
    if isinstance(error, _ReaderGone) or (isinstance(error, OSError) and error.errno == errno.EPIPE):
        _silence_stdout()
        return BROKEN_PIPE
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return BAD_INPUT
    if isinstance(error, UserError | click.ClickException):
        stderr_line(str(error) if isinstance(error, UserError) else _usage(error))
        return BAD_INPUT
    from mlsys_path.cli.crash import report

    stderr_line(report(error, args))
    return CRASHED


def _usage(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return _("{message} `{command} --help` explains").format(
            message=message if message.endswith((".", "!", "?")) else message + ":",
            command=error.ctx.command_path,
        )
    return message


def _silence_stdout() -> None:
    """Whatever is still buffered for the reader that has gone must not be complained about at exit."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(devnull)


def asked_language(args: Sequence[str]) -> language.Language | None:
    """The language that `--lang` asks for, wherever it stands; whether it is well said is the parser's to judge."""
    found: language.Language | None = None
    options = list(itertools.takewhile(lambda arg: arg != "--", args))
    for option, after in itertools.zip_longest(options, options[1:], fillvalue=""):
        value = after if option == "--lang" else option.removeprefix("--lang=")
        if value in language.LANGUAGES and option.startswith("--lang"):
            found = "zh" if value == "zh" else "en"
    return found


def language_option() -> click.Option:
    """The one option that the program and every command take."""
    return click.Option(
        ["--lang"],
        type=click.Choice(list(language.LANGUAGES)),
        is_eager=True,
        expose_value=False,
        callback=use_language,
        help=_("Language of texts and lessons (else MLSYS_PATH_LANG, else the locale)."),
    )


def _take_language(command: click.Command) -> None:
    """Let a command, and each that it holds, take `--lang` too."""
    if not any("--lang" in parameter.opts for parameter in command.params):
        command.params.append(language_option())
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _take_language(inner)


def use_language(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Set the language before any text is made."""
    if value:
        language.use("zh" if value == "zh" else "en")
        ctx.obj = language.current()


def show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Print the version and end."""
    if value:
        from importlib.metadata import version

        click.echo(f"mlsys-path {version('mlsys-path')}")
        ctx.exit()


def build() -> Program:
    """The program, with its texts in the language in use."""

    def open_program(ctx: click.Context, /, plain: bool, **_options: Any) -> None:
        if ctx.invoked_subcommand is None:
            from mlsys_path.cli.opening import open_lines, open_screens

            ctx.exit(open_lines() if plain else open_screens(ctx.obj))

    return Program(
        name=PROGRAM,
        callback=click.pass_context(open_program),
        invoke_without_command=True,
        help=_(
            "A path to ML-systems engineering: a roadmap, and exercises that are checked by running them. "
            "Without a command it opens its screens."
        ),
        context_settings={"help_option_names": ["-h", "--help"]},
        params=[
            language_option(),
            click.Option(
                ["--plain"],
                is_flag=True,
                help=_("The screens as lines: for screen readers, dumb terminals and scripts."),
            ),
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=show_version,
                help=_("Print the version and exit."),
            ),
        ],
    )


def _preferred_language() -> language.Language:
    """The language of the variable, else the one that was set, else the locale's."""
    if os.environ.get("MLSYS_PATH_LANG"):
        return language.detect()
    from mlsys_path import preferences

    found, trouble = preferences.lenient()
    if trouble:
        stderr_line(trouble)
    return found.language or language.detect()


def run() -> NoReturn:
    """The entry point: everything that the process does, ending it with an exit code."""
    language.use(asked_language(sys.argv[1:]) or _preferred_language())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a terminal that cannot show a glyph gets a question mark, never a traceback
            stream.reconfigure(errors="replace")
    sys.exit(build().main(standalone_mode=False))
