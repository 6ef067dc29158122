"""The learner's own editor, in the terminal that the screens give up while it runs."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from mlsys_path import preferences
from mlsys_path.errors import UserError
from mlsys_path.language import _

if TYPE_CHECKING:
    from textual.app import App


def command() -> list[str]:
    """The editor that was set, else $VISUAL or $EDITOR, as words; raises UserError when it cannot be started."""
    if chosen := preferences.lenient()[0]["editor"]:
        return _words(_("the setting `editor`"), chosen)
    for variable in ("VISUAL", "EDITOR"):
        if value := os.environ.get(variable, "").strip():
            return _words(f"${variable}", value)
    raise UserError(_("neither $VISUAL nor $EDITOR is set: `export EDITOR=nano`, or open the file yourself"))


def _words(variable: str, value: str) -> list[str]:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise UserError(
            _("{variable} is {value!r}: {why}").format(variable=variable, value=value, why=error)
        ) from None
    if not words or shutil.which(words[0]) is None:
        text = _("{variable} is {value!r}, and there is no such program")
        raise UserError(text.format(variable=variable, value=value))
    return words


def edit(app: App[Any], folder: Path, files: Sequence[str]) -> None:
    """Open files of a folder and wait for the editor's end. Raises UserError when that cannot be done."""
    words = command()
    try:
        with app.suspend(), _interrupts_are_the_editors():
            done = subprocess.run([*words, *files], cwd=folder, check=False)
    except SuspendNotSupported:
        raise UserError(_("this terminal cannot be lent to an editor: open the file yourself")) from None
    except OSError as error:
        raise UserError(
            _("{editor} cannot be started: {why}").format(editor=words[0], why=error.strerror)
        ) from None
    if done.returncode:
        raise UserError(
            _("{editor} ended with exit code {code}").format(editor=words[0], code=done.returncode)
        )


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    # Ctrl-C reaches the whole foreground group; a handler, unlike SIG_IGN, is not inherited by the editor
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
