"""Text that others wrote (output, tracebacks, values), made fit to be shown: never markup, always bounded."""

from __future__ import annotations

from textual.content import Content

from mlsys_path.checking.show import clean
from mlsys_path.language import _

MAX_LINES = 60
MAX_LINE = 400  # characters


def foreign(text: str, *, lines: int = MAX_LINES) -> Content:
    """At most `lines` lines, the first and the last of them, with a note of what is left out between."""
    # a cut before the cleaning: a 10 MB line is not looked at character by character
    parts = text.rstrip("\n").split("\n")
    if len(parts) > lines:
        head = lines // 2
        tail = lines - head
        note = _("… {n} lines left out …").format(n=len(parts) - lines)
        shown = [*map(_line, parts[:head]), note, *map(_line, parts[len(parts) - tail :])]
    else:
        shown = list(map(_line, parts))
    return Content("\n".join(shown))


def _line(line: str) -> str:
    cut = line[:MAX_LINE]
    rest = len(line) - len(cut)
    text = clean(cut.rstrip("\r").expandtabs(4))
    return text + _(" … {n} more characters").format(n=rest) if rest else text
