"""Which program opens the learner's files."""

from __future__ import annotations

import os
import shlex
import shutil

from mlsys_path import preferences
from mlsys_path.errors import UserError
from mlsys_path.language import _


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
