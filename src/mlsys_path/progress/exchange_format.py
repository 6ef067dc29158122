"""One line of an exported file: written from a row of the database, and read with nothing taken on trust.

Every function that reads raises ValueError with a reason that fits in one line.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NoReturn

from mlsys_path.language import _
from mlsys_path.progress.records import plain
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, EVENT_COLUMNS, attempt_from_row, event_from_row

FORMAT = "mlsys-path-progress"
VERSION = 1
MAX_LINE = 1 << 20  # bytes of one record
SETTING_COLUMNS = ("key", "value")

Kind = Literal["header", "attempt", "event", "setting", "end"]

_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_JSON_COLUMNS: dict[str, type] = {"levels": dict, "measurements": list}
_LONGEST_NAME = 200


def encode(kind: Kind, value: Any) -> bytes:
    """A line: one JSON object with the kind as its only key (a header's keys lie at the top)."""
    if kind in ("attempt", "event"):
        value = {k: json.loads(v) if k in _JSON_COLUMNS else v for k, v in value.items()}
    line = value if kind == "header" else {kind: value}
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> tuple[Kind, Any]:
    """The kind of a line and its value: a row of the database for an attempt, an event or a setting."""
    try:
        value = json.loads(line.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError(_("it is not a JSON object in UTF-8")) from None
    if not isinstance(value, dict):
        raise ValueError(_("it is not a JSON object in UTF-8"))
    if "format" in value:
        return "header", value
    if len(value) != 1:
        raise ValueError(_("it is not one record"))
    ((kind, content),) = value.items()
    match kind:
        case "attempt":
            return kind, _attempt(content)
        case "event":
            return kind, _event(content)
        case "setting":
            return kind, _texts(content, SETTING_COLUMNS)
        case "end":
            if type(content) is not int:
                raise ValueError(_("the count of records is not a number"))
            return kind, content
    raise ValueError(_("unknown kind of record: {kind!r}").format(kind=kind[:40]))


def check_header(value: Any) -> None:
    """Raise ValueError unless the first line is a header of a version that can be read."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(_("it is not an export of mlsys-path"))
    version = value.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(_("it has no version"))
    if version > VERSION:
        raise ValueError(
            _(
                "it was written by a newer mlsys-path (format {found}, this one reads {known}): update mlsys-path"
            ).format(found=version, known=VERSION)
        )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _attempt(content: Any) -> dict[str, Any]:
    texts = [c for c in ATTEMPT_COLUMNS if c not in (*_JSON_COLUMNS, "seconds")]
    row: dict[str, Any] = _texts(content, texts, others=(*_JSON_COLUMNS, "seconds"))
    seconds = content["seconds"]
    if type(seconds) not in (int, float) or not 0 <= seconds < 1e9:
        raise ValueError(_("`seconds` is not a time in seconds"))
    row["seconds"] = float(seconds)
    for column, kind in _JSON_COLUMNS.items():
        if not isinstance(content[column], kind):
            raise ValueError(_("`{key}` has the wrong type").format(key=column))
        row[column] = json.dumps(plain(content[column]), ensure_ascii=False)
        row[column].encode()
    if not all(isinstance(m, dict) for m in content["measurements"]):
        raise ValueError(_("`{key}` has the wrong type").format(key="measurements"))
    _identify(row)
    attempt_from_row(row)
    return row


def _event(content: Any) -> dict[str, Any]:
    row: dict[str, Any] = _texts(content, EVENT_COLUMNS)
    _identify(row)
    event_from_row(row)
    if row["kind"] == "hint" and not re.fullmatch(r"[0-9]{1,4}", row["detail"]):
        raise ValueError(_("`detail` of a hint is not its index"))
    return row


def _identify(row: dict[str, Any]) -> None:
    if not _ID.fullmatch(row["id"]):
        raise ValueError(_("`id` is not a ULID"))
    if not row["exercise"] or len(row["exercise"]) > _LONGEST_NAME or not row["exercise"].isprintable():
        raise ValueError(_("`exercise` is not the id of an exercise"))


def _texts(content: Any, columns: Any, others: tuple[str, ...] = ()) -> dict[str, str]:
    """The values of `columns`, all of them text that UTF-8 can hold; the keys must be these and `others`."""
    if not isinstance(content, dict):
        raise ValueError(_("the record is not an object"))
    wanted = {*columns, *others}
    for key in content:
        if key not in wanted:
            raise ValueError(_("unknown key {key!r}").format(key=key[:40]))
    for key in (*columns, *others):
        if key not in content:
            raise ValueError(_("`{key}` is missing").format(key=key))
    for key in columns:
        if not isinstance(content[key], str) or "\0" in content[key]:
            raise ValueError(_("`{key}` is not text").format(key=key))
        content[key].encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return {key: content[key] for key in columns}
