"""The seal of a bundle: a digest of each line, all of them signed, so that a change shows and shows where. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mlsys_path.language import _, listed

_SHOWN = 3
Line = tuple[str, str, str]  # kind, name and digest


@dataclass(frozen=True, slots=True)
class Seal:
    """What the last line of a bundle says of all lines before it."""

    key: str
    lines: tuple[Line, ...]
    signature: str


def digest(line: bytes) -> str:
    """By which a line is known, without its line break."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()[:40]


def message(lines: Sequence[Line]) -> bytes:
    """The bytes that are signed."""
    return b"mlsys-path-bundle 1\n" + json.dumps([list(line) for line in lines], ensure_ascii=True).encode()


def differences(sealed: Sequence[Line], found: Sequence[Line]) -> str:
    """What was changed since it was signed, in a sentence; "" for nothing."""
    if [line[2] for line in sealed] == [line[2] for line in found]:
        return ""
    # by count, as a line may stand twice
    gone = Counter(line[2] for line in sealed) - Counter(line[2] for line in found)
    come = Counter(line[2] for line in found) - Counter(line[2] for line in sealed)
    missing = [(kind, name) for kind, name, each in sealed if each in gone]
    extra = [(kind, name) for kind, name, each in found if each in come]
    changed = [each for each in missing if each in extra]
    said = [
        _told(_("changed: {names}"), changed),
        _told(_("missing: {names}"), [each for each in missing if each not in changed]),
        _told(_("added: {names}"), [each for each in extra if each not in changed]),
    ]
    return listed(part for part in said if part) or _("its lines stand in another order")


def _told(sentence: str, lines: Sequence[tuple[str, str]]) -> str:
    if not lines:
        return ""
    names = [f"{kind} {name}".strip() for kind, name in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        names.append(_("{n} more").format(n=len(lines) - _SHOWN))
    return sentence.format(names=listed(names))
