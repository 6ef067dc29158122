"""Text laid out for people: how long things take, and sentences in lines of so many columns."""

from __future__ import annotations

import re

import click

from mlsys_path.cli.terminal import cells, columns
from mlsys_path.language import N_

KINDS = {"read": N_("read"), "exercise": N_("solve")}  # what one does with a thing
# a word with the spaces after it, or one CJK character; with either the punctuation that may not begin or end a line
_CJK, _OPENING, _CLOSING = r"\u2e80-\u9fff\uac00-\ud7af", "（“《「", "，。：；、！？）”》」"
_PIECE = re.compile(rf"[{_OPENING}]*(?:[{_CJK}]|[^\s{_CJK}{_OPENING}{_CLOSING}]+)?[{_CLOSING}]*\s*")


def hours(minutes: int) -> float:
    """Minutes as the hours of a JSON object."""
    return round(minutes / 60, 2)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` columns, where its words allow it; its own lines stay apart."""
    return [line for own in text.splitlines() for line in _wrapped(own, width)]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and cells((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines if line.strip()]


def say(text: str) -> None:
    """Print a sentence, wrapped to the terminal."""
    for line in wrapped(text, columns()):
        click.echo(line)
