"""One line of a bundle: written from a row, and read with nothing taken on trust.

A bundle is JSON Lines, compressed with gzip: a header, then blobs, submissions, attempts, events, claims and assignments,
one a line, and the seal. docs/mentoring.md has the whole of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Any, Literal, cast, get_args

from mlsys_path.language import _
from mlsys_path.mentoring.seals import Seal
from mlsys_path.mentoring.texts import harmless, name_flaw, text_flaws
from mlsys_path.progress import exchange_format, submitted
from mlsys_path.progress.exchange_format import Malformed
from mlsys_path.progress.records import from_text

FORMAT = "mlsys-path-bundle"
VERSION = 1
MAX_LINE = 1 << 20  # bytes of a line that is not the seal
MAX_SEAL = 16 << 20
MAX_RECORDS = 100_000
MAX_BYTES = 256 << 20  # of all lines, decompressed
MAX_NAME = 200

Kind = Literal["header", "blob", "submission", "attempt", "event", "claim", "assignment", "seal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_HASH = re.compile(r"[0-9a-f]{64}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def encode(kind: Kind, value: dict[str, Any]) -> bytes:
    """A line; a header's keys lie at the top."""
    line = value if kind == "header" else {kind: value}
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def peek(line: bytes) -> tuple[Kind, str]:
    """The kind and name of a line without validating it, to tell what was changed; ("header", "") for anything else."""
    try:
        value = json.loads(line)
        ((kind, content),) = value.items()
        if kind in KINDS:
            return cast(Kind, kind), name_of(kind, content)[:120]
    except (ValueError, RecursionError, TypeError, AttributeError):
        pass
    return "header", ""


def name_of(kind: str, content: dict[str, Any]) -> str:
    """By which a seal names a line to people."""
    keys: dict[str, tuple[str, ...]] = {
        "attempt": ("exercise", "id"),
        "event": ("exercise", "id"),
        "claim": ("subject", "id"),
    }
    keys |= {"blob": ("hash",), "submission": ("files_hash",), "assignment": ("id",)}
    text = " ".join(str(content.get(key, "")) for key in keys.get(kind, ()))
    return text if harmless(text) else ""


def decode(line: bytes) -> tuple[Kind, dict[str, Any]]:
    """The kind of a line and its validated content. Raises Malformed."""
    try:
        value = json.loads(line.decode())
        if isinstance(value, dict) and "format" in value:
            return "header", _header(value)
        if isinstance(value, dict) and len(value) == 1:
            ((kind, content),) = value.items()
            if isinstance(content, dict):
                return _decoded(kind, content)
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    raise Malformed(_("it is damaged, or was not written by mlsys-path"))


def _decoded(kind: str, content: dict[str, Any]) -> tuple[Kind, dict[str, Any]]:
    match kind:
        case "blob":
            return kind, _blob(content)
        case "submission":
            return kind, _submission(content)
        case "attempt":
            stored_at = content.pop("stored_at")
            if stored_at != "":
                from_text(stored_at)
            return kind, {**_as_exported(kind, content), "stored_at": stored_at}
        case "event" | "claim":
            return kind, _as_exported(kind, content)
        case "assignment":
            _only(content, "id", "digest", "imported_at")
            if not _ULID.fullmatch(content["id"]) or not _HASH.fullmatch(content["digest"]):
                raise ValueError(kind)
            from_text(content["imported_at"])
            return kind, content
    raise Malformed(_("unknown kind of record {kind!r}").format(kind=kind[:40]))


def _header(value: dict[str, Any]) -> dict[str, Any]:
    if value["format"] != FORMAT or type(value["version"]) is not int:
        raise Malformed(_("it is not a bundle of mlsys-path"))
    if value["version"] > VERSION:
        text = _(
            "it was written by a newer mlsys-path (its format is {found}, here {known}): update mlsys-path"
        )
        raise Malformed(text.format(found=value["version"], known=VERSION))
    _only(value, "format", "version", "learner", "mentor", "exported_at", "left_out")
    for key in ("learner", "mentor"):
        if flaw := name_flaw(value[key]):
            raise Malformed(f"`{key}`: {flaw}")
    from_text(value["exported_at"])
    left_out = value["left_out"]
    if not isinstance(left_out, dict) or not all(
        type(n) is int and 0 <= n < 2**53 for n in left_out.values()
    ):
        raise ValueError("left_out")
    return value


def _as_exported(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """An attempt, event or claim, held to what an export of progress may say, and harmless in every text."""
    _kind, row = exchange_format.decode(json.dumps({kind: content}, ensure_ascii=False).encode())
    for loc, flaw in text_flaws(content):
        raise Malformed(f"`{'.'.join(map(str, loc))[:80]}`: {flaw}")
    checked: dict[str, Any] = row
    return checked


def _blob(content: dict[str, Any]) -> dict[str, Any]:
    _only(content, "hash", "data")
    data = base64.b64decode(content["data"], validate=True)
    if len(data) > submitted.MAX_FILE:
        raise Malformed(_("a submitted file is larger than {kb} KB").format(kb=submitted.MAX_FILE >> 10))
    if hashlib.sha256(data).hexdigest() != content["hash"]:
        raise Malformed(_("a submitted file is not the one that it is said to be"))
    return {"hash": content["hash"], "data": data}


def _submission(content: dict[str, Any]) -> dict[str, Any]:
    _only(content, "files_hash", "files")
    files = content["files"]
    if not _HASH.fullmatch(content["files_hash"]) or not 0 < len(files) <= submitted.MAX_FILES:
        raise ValueError("submission")
    for name, blob in files.items():
        if not safe_name(name):
            raise Malformed(_("{name!r} is not the name of a submitted file").format(name=name[:60]))
        if not _HASH.fullmatch(blob):
            raise ValueError(name)
    return content


def safe_name(name: str) -> bool:
    """Whether a file's name stays inside of the folder that it is written to, on every system, and is harmless."""
    parts = name.split("/")
    return (
        0 < len(name) <= MAX_NAME
        and name.isprintable()
        and harmless(name)
        and not any(sign in name for sign in '\\:*?"<>|')
        and not any(part in ("", ".", "..") or part[0] == "." or part != part.strip() for part in parts)
        and str(PurePosixPath(name)) == name
        and not name.startswith("/")
    )


def read_seal(line: bytes) -> Seal | None:
    """The seal, when a line is one."""
    try:
        content = json.loads(line)["seal"]
        _only(content, "key", "lines", "signature")
        lines = tuple((str(kind), str(name), str(digest)) for kind, name, digest in content["lines"])
        if not all(isinstance(content[key], str) and len(content[key]) < 200 for key in ("key", "signature")):
            return None
        return Seal(content["key"], lines, content["signature"])
    except (ValueError, RecursionError, TypeError, KeyError, Malformed):
        return None


def _only(content: dict[str, Any], *keys: str) -> None:
    if set(content) != set(keys):
        raise Malformed(_("its keys are not {keys}").format(keys=", ".join(keys)))
