"""The learner's own editor, in the terminal that the screens give up while it runs."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from mlsys_path.errors import UserError
from mlsys_path.exercises.editing import command
from mlsys_path.language import _

if TYPE_CHECKING:
    from textual.app import App

PATIENCE = 3.0  # seconds that an editor has to end when the program is ended


def edit(app: App[Any], folder: Path, files: Sequence[str]) -> None:
    """Open files of a folder and wait for the editor's end. Raises UserError when that cannot be done."""
    words = command()
    try:
        with app.suspend(), _interrupts_are_the_editors(), _ends_with_us() as lent:
            editor = subprocess.Popen([*words, *files], cwd=folder)
            lent(editor)
            code = editor.wait()
    except SuspendNotSupported:
        raise UserError(_("this terminal cannot be lent to an editor: open the file yourself")) from None
    except OSError as error:
        raise UserError(
            _("{editor} cannot be started: {why}").format(editor=words[0], why=error.strerror)
        ) from None
    if code:
        raise UserError(_("{editor} ended with exit code {code}").format(editor=words[0], code=code))


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


@contextmanager
def _ends_with_us() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """A signal that ends the program is the editor's too: the loop that hears of it stands still until then.

    Gives the function that is told of the editor once it runs: a signal may come before that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda _editor: None
        return
    running: list[subprocess.Popen[bytes]] = []
    heard: list[int] = []

    def end(number: int, _frame: object) -> None:
        heard.append(number)
        for editor in running:
            _end(editor, number)

    def lent(editor: subprocess.Popen[bytes]) -> None:
        running.append(editor)
        for number in heard:
            _end(editor, number)

    # asyncio's own handlers do nothing but be there: the loop is woken by the signal itself, and ends the screens
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield lent
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(editor: subprocess.Popen[bytes], number: int) -> None:
    editor.send_signal(number)
    # one that does not listen
    killer = threading.Timer(PATIENCE, editor.kill)
    killer.daemon = True
    killer.start()
