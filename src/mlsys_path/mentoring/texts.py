"""What a text that comes from somebody else may be before it is stored or printed. Pure."""

from __future__ import annotations

import unicodedata
from typing import Any

from mlsys_path.language import _

Loc = tuple[str | int, ...]
LONGEST_NAME = 80
LONGEST_TEXT = 4000
# they turn the direction of what stands around them
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> bool:
    """Whether nothing in a text can repaint a terminal: no control character but newline and tab."""
    return not any(
        character in _TURNING or (character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"))
        for character in text
    )


def cleaned(text: str) -> str:
    """A text for a terminal: what is not harmless becomes a visible sign."""
    return "".join(c if harmless(c) else "\ufffd" for c in text)


def name_flaw(name: str) -> str:
    """What is wrong with a person's name; "" for nothing."""
    if not name.strip() or name != name.strip():
        return _("a name is not empty and has no space around it")
    if len(name) > LONGEST_NAME or not harmless(name) or "\n" in name or "\t" in name:
        return _("a name is one line of at most {n} printable characters").format(n=LONGEST_NAME)
    return ""


def folded(name: str) -> str:
    """By which two spellings of a name are one: capitals and forms of letters make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def text_flaws(data: Any, loc: Loc = ()) -> list[tuple[Loc, str]]:
    """Every text inside plain data that is not harmless or far too long, with its place."""
    if isinstance(data, dict):
        flaws = [] if all(map(harmless, data)) else [(loc, _("a key has control characters"))]
        return [*flaws, *(flaw for key, value in data.items() for flaw in text_flaws(value, (*loc, key)))]
    if isinstance(data, list | tuple):
        return [flaw for number, value in enumerate(data) for flaw in text_flaws(value, (*loc, number))]
    if isinstance(data, str) and not harmless(data):
        return [(loc, _("the text has control characters"))]
    if isinstance(data, str) and len(data) > LONGEST_TEXT:
        return [(loc, _("the text is longer than {n} characters").format(n=LONGEST_TEXT))]
    return []
