"""One line of an exported file: written from a row of the database, and read with nothing taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, NoReturn

from mlsys_path.language import _
from mlsys_path.progress.records import from_text, plain, to_text
from mlsys_path.progress.rows import (
    ATTEMPT_COLUMNS,
    CLAIM_COLUMNS,
    EVENT_COLUMNS,
    attempt_from_row,
    claim_from_row,
    event_from_row,
)

FORMAT = "mlsys-path-progress"
VERSION = 3
MAX_LINE = 1 << 20  # bytes of one line

Kind = Literal["header", "attempt", "event", "claim", "setting", "end"]

_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_JSON_COLUMNS = ("levels", "measurements", "detail")
_TEXT_COLUMNS = tuple(column for column in ATTEMPT_COLUMNS if column not in (*_JSON_COLUMNS, "seconds"))
_CLAIM_TEXTS = tuple(column for column in CLAIM_COLUMNS if column not in _JSON_COLUMNS)
_LONGEST_NAME = 200
_YEARS = range(2000, 2200)
_LONGEST_RUN = 1e7  # seconds


class Malformed(Exception):
    """Not what this program writes; the message is the reason, as a part of one line."""


def encode(kind: Kind, value: Any) -> bytes:
    """A line: one JSON object with the kind as its only key, except that a header's keys lie at the top."""
    if kind in ("attempt", "claim"):
        value = {name: json.loads(text) if name in _JSON_COLUMNS else text for name, text in value.items()}
    line = value if kind == "header" else {kind: value}
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> tuple[Kind, Any]:
    """The kind of a line and its value: a row of the database, unless it is the first line or the last.

    Raises Malformed.
    """
    try:
        value = json.loads(line.decode(), parse_constant=_refuse_constant)
        if isinstance(value, dict):
            return _decoded(value)
    except (ValueError, RecursionError):
        # also from a lone surrogate, an unknown outcome or level, a moment that is none
        pass
    raise Malformed(_("it is damaged, or was not written by mlsys-path"))


def since(kind: Kind, value: Any) -> int:
    """The version of the format that brought a record."""
    if kind == "claim":
        return 3 if value["kind"] == "reading" else 2
    return 1


def check_header(kind: Kind, value: Any) -> int:
    """The version of a file by its first line; raises Malformed unless that is a header of one that can be read."""
    if kind != "header" or value["format"] != FORMAT or type(value.get("version")) is not int:
        raise Malformed(_("it is not an export of mlsys-path"))
    version: int = value["version"]
    if version > VERSION:
        text = _(
            "it was written by a newer mlsys-path (its format is {found}, here {known}): update mlsys-path"
        )
        raise Malformed(text.format(found=version, known=VERSION))
    return version


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _decoded(value: dict[str, Any]) -> tuple[Kind, Any]:
    if "format" in value:
        return "header", value
    if len(value) != 1:
        raise Malformed(_("it is not one record"))
    ((kind, content),) = value.items()
    match kind:
        case "attempt":
            return kind, _attempt(content)
        case "event":
            return kind, _event(content)
        case "claim":
            return kind, _claim(content)
        case "setting":
            return kind, _texts(content, ("key", "value"))
        case "end" if type(content) is int:
            return kind, content
    raise Malformed(_("unknown kind of record {kind!r}").format(kind=kind[:40]))


def _attempt(content: Any) -> dict[str, Any]:
    row: dict[str, Any] = _texts(content, _TEXT_COLUMNS, others=("levels", "measurements", "seconds"))
    seconds = content["seconds"]
    if type(seconds) not in (int, float) or not 0 <= seconds < _LONGEST_RUN:
        raise Malformed(_("`seconds` is not a time in seconds"))
    levels, measurements = content["levels"], content["measurements"]
    if not isinstance(levels, dict):
        raise Malformed(_("`levels` is not an object"))
    if not isinstance(measurements, list) or not all(isinstance(m, dict) for m in measurements):
        raise Malformed(_("`measurements` is not a list of objects"))
    row |= {"seconds": float(seconds), "levels": _json(levels), "measurements": _json(measurements)}
    _check(row, "exercise", row["started_at"])
    attempt_from_row(row)
    return {column: row[column] for column in ATTEMPT_COLUMNS}


def _event(content: Any) -> dict[str, Any]:
    row = _texts(content, EVENT_COLUMNS)
    _check(row, "exercise", row["at"])
    event_from_row(row)
    if row["kind"] == "hint" and not re.fullmatch(r"[0-9]{1,4}", row["detail"]):
        raise Malformed(_("`detail` of a hint is not its index"))
    return row


def _claim(content: Any) -> dict[str, Any]:
    row: dict[str, Any] = _texts(content, _CLAIM_TEXTS, others=("detail",))
    if not isinstance(content["detail"], dict):
        raise Malformed(_("`detail` is not an object"))
    row["detail"] = _json(content["detail"])
    _check(row, "subject", row["at"])
    claim_from_row(row)
    return row


def _json(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    text.encode()
    return text


def _check(row: dict[str, Any], key: str, moment: str) -> None:
    if not _ID.fullmatch(row["id"]):
        raise Malformed(_("`id` is not a ULID"))
    if not row[key] or len(row[key]) > _LONGEST_NAME or not row[key].isprintable():
        if key == "exercise":
            raise Malformed(_("`exercise` is not the id of an exercise"))
        raise Malformed(_("`subject` is not an id"))
    at = from_text(moment)
    if at.year not in _YEARS or to_text(at) != moment:
        raise ValueError(moment)


def _texts(content: Any, columns: Sequence[str], others: Sequence[str] = ()) -> dict[str, str]:
    """The values of `columns`, all of them text for a database; the keys must be these and `others`."""
    if not isinstance(content, dict):
        raise Malformed(_("the record is not an object"))
    for key in (*columns, *others):
        if key not in content:
            raise Malformed(_("`{key}` is missing").format(key=key))
    for key in content:
        if key not in columns and key not in others:
            raise Malformed(_("unknown key {key!r}").format(key=key[:40]))
    for key in columns:
        if not isinstance(content[key], str) or "\0" in content[key]:
            raise Malformed(_("`{key}` is not text").format(key=key))
        content[key].encode()
    return {key: content[key] for key in columns}
