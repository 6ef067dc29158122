"""Importing a learner's bundle: sealed, validated, and then stored in one transaction or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import hash_files
from mlsys_path.language import _
from mlsys_path.mentoring import identity, ledger, seals
from mlsys_path.mentoring.bundle_format import (
    MAX_BYTES,
    MAX_LINE,
    MAX_RECORDS,
    MAX_SEAL,
    decode,
    peek,
    read_seal,
)
from mlsys_path.mentoring.clocks import Stamp, suspicions
from mlsys_path.mentoring.texts import folded
from mlsys_path.progress import submitted
from mlsys_path.progress.exchange_format import Malformed
from mlsys_path.progress.records import from_text, now, to_text

MAX_COMPRESSED = 64 << 20


@dataclass
class Brought:
    """What an import brought."""

    learner: str = ""  # the name that they are known by
    called: str = ""  # what the bundle calls them
    mentor: str = ""
    added: dict[str, int] = field(default_factory=dict)  # by kind
    known: int = 0
    first: bool = False
    flags: list[tuple[str, str]] = field(default_factory=list)  # of attempts, new ones alone
    left_out: dict[str, int] = field(default_factory=dict)


def import_(path: Path, *, accept_key: bool = False, database: Path | None = None) -> Brought:
    """Import the bundle at `path`; a second time it changes nothing.

    Raises UserError, with nothing changed, when it was changed since it was signed, is malformed or too large, or when
    its key is not that of the learner whose name it says, unless `accept_key`.
    """
    # read once: what is stored is what was verified
    data = _read(path)
    key, digest = _verify(path, data)
    records = _decoded(path, data)
    header = next((content for _number, (_kind, content) in records), None)
    if header is None:
        raise _refused(path, _("it is not a bundle of mlsys-path"))
    at = to_text(now())
    with ledger.writing(database) as connection:
        learner, first = _whose(connection, header["learner"], key, at, accept_key, path)
        (name,) = connection.execute("SELECT name FROM learners WHERE learner = ?", [learner]).fetchone()
        brought = Brought(name, header["learner"], header["mentor"], first=first, left_out=header["left_out"])
        bundle = {
            "digest": digest,
            "learner": learner,
            "key": key,
            "name": header["learner"],
            "mentor": header["mentor"],
            "exported_at": header["exported_at"],
            "imported_at": at,
            "left_out": json.dumps(header["left_out"]),
        }
        if ledger.add(connection, "bundles", bundle):
            _store(connection, path, records, learner, key, brought, from_text(header["exported_at"]), at)
        return brought


def _verify(path: Path, data: bytes) -> tuple[str, str]:
    """The key that signed the bundle and the digest of its seal; raises UserError when anything was changed."""
    found: list[seals.Line] = []
    seal_line = b""
    for _number, line in _lines(path, data):
        if seal_line:
            raise _refused(path, _("there is something behind its seal"))
        if line.startswith(b'{"seal":'):
            seal_line = line
        else:
            found.append((*peek(line), seals.digest(line)))
            if len(found) > MAX_RECORDS:
                raise _refused(path, _("there are more records than can be imported"))
    if not seal_line:
        raise _refused(path, _("it has no seal: it was cut short, or is no bundle"))
    seal = read_seal(seal_line)
    if seal is None:
        raise _refused(path, _("its seal is damaged"))
    changed = seals.differences(seal.lines, found)
    if not identity.genuine(seal.key, seal.signature, seals.message(seal.lines)):
        reason = _("its signature is not that of its key: the seal was changed")
        raise _refused(path, f"{reason} ({changed})" if changed else reason)
    if changed:
        raise _refused(path, _("it was changed after it was signed: {what}").format(what=changed))
    return seal.key, hashlib.sha256(seal_line).hexdigest()


def _decoded(path: Path, data: bytes) -> Iterator[tuple[int, tuple[str, dict[str, Any]]]]:
    for number, line in _lines(path, data):
        if line.startswith(b'{"seal":'):
            return
        try:
            kind, content = decode(line)
        except Malformed as error:
            reason = _("line {number}: {reason}").format(number=number, reason=error)
            raise _refused(path, reason) from None
        if (kind == "header") != (number == 1):
            reason = _("it stands where nothing of its kind may stand")
            raise _refused(path, _("line {number}: {reason}").format(number=number, reason=reason))
        yield number, (kind, content)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_COMPRESSED + 1)
    except OSError as error:
        raise _refused(path, (error.strerror or str(error)).lower()) from None
    if len(data) > MAX_COMPRESSED:
        raise _refused(path, _("it is larger than {mb} MB").format(mb=MAX_COMPRESSED >> 20))
    return data


def _lines(path: Path, data: bytes) -> Iterator[tuple[int, bytes]]:
    left, number = MAX_BYTES + MAX_SEAL, 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while line := file.readline(MAX_SEAL + 1):
                left, number = left - len(line), number + 1
                if len(line) > (MAX_SEAL if line.startswith(b'{"seal":') else MAX_LINE) or left < 0:
                    raise _refused(path, _("line {number} is longer than any bundle's").format(number=number))
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _refused(path, _("the compressed data is damaged or cut short")) from None


def _whose(
    connection: sqlite3.Connection, name: str, key: str, at: str, accept_key: bool, path: Path
) -> tuple[str, bool]:
    """The learner that a bundle is of, by its key before its name, and whether they are new."""
    known = connection.execute("SELECT learner FROM keys WHERE key = ?", [key]).fetchone()
    if known:
        return str(known[0]), False
    learner = folded(name)
    others = [row[0] for row in connection.execute("SELECT key FROM keys WHERE learner = ?", [learner])]
    if others and not accept_key:
        text = _(
            "it is signed with another key ({found}) than {name}'s ({known}): ask them, and only if it is theirs "
            "import it with --accept-key"
        )
        prints = {"found": identity.fingerprint(key), "known": identity.fingerprint(others[-1])}
        raise _refused(path, text.format(name=name, **prints))
    ledger.add(connection, "learners", {"learner": learner, "name": name, "at": at})
    ledger.add(connection, "keys", {"key": key, "learner": learner, "at": at})
    return learner, not others


def _store(
    connection: sqlite3.Connection,
    path: Path,
    records: Iterator[tuple[int, tuple[str, dict[str, Any]]]],
    learner: str,
    key: str,
    brought: Brought,
    exported_at: datetime,
    at: str,
) -> None:
    blobs: set[str] = set()
    stamps: list[Stamp] = []
    for number, (kind, content) in records:
        match kind:
            case "blob":
                blobs.add(content["hash"])
                data = content["data"]
                packed = {"hash": content["hash"], "size": len(data), "data": zlib.compress(data, 6)}
                ledger.add(connection, "blobs", packed)
                continue
            case "submission":
                if not _keep(connection, content, blobs):
                    reason = _("the submitted files are not those that it says")
                    raise _refused(path, _("line {number}: {reason}").format(number=number, reason=reason))
                continue
            case "attempt":
                stored = from_text(content["stored_at"]) if content["stored_at"] else None
                stamps.append(Stamp(content["id"], from_text(content["started_at"]), stored))
                row, table = {"learner": learner, **content, "key": key}, "attempts"
            case "assignment":
                row, table = {"learner": learner, **content}, "received"
            case _:
                row, table = {"learner": learner, **content}, f"{kind}s"
        if ledger.add(connection, table, row):
            brought.added[kind] = brought.added.get(kind, 0) + 1
        else:
            brought.known += 1
            if kind == "attempt" and _differs(connection, row):
                text = _("it says something else than when it was imported first")
                _flag(connection, learner, "changed", content["id"], text, at, brought)
    for attempt, detail in suspicions(stamps, exported_at, from_text(at)):
        _flag(connection, learner, "clock", attempt, detail, at, brought)


def _flag(
    connection: sqlite3.Connection,
    learner: str,
    kind: str,
    subject: str,
    detail: str,
    at: str,
    brought: Brought,
) -> None:
    row: dict[str, object] = {
        "learner": learner,
        "kind": kind,
        "subject": subject,
        "detail": detail,
        "at": at,
    }
    if ledger.add(connection, "flags", row):
        brought.flags.append((subject, detail))


def _differs(connection: sqlite3.Connection, row: dict[str, Any]) -> bool:
    names = [name for name in ledger.ATTEMPTS if name not in ("key", "stored_at")]
    query = f"SELECT {', '.join(names)} FROM attempts WHERE learner = ? AND id = ?"  # noqa: S608
    before = connection.execute(query, [row["learner"], row["id"]]).fetchone()
    return tuple(before) != tuple(row[name] for name in names)


def _keep(connection: sqlite3.Connection, content: dict[str, Any], blobs: set[str]) -> bool:
    """Keep a submission whose hash is that of its files; whether it is."""
    files: dict[str, bytes] = {}
    for name, blob in content["files"].items():
        if blob not in blobs:
            return False
        size, data = connection.execute("SELECT size, data FROM blobs WHERE hash = ?", [blob]).fetchone()
        files[name] = submitted.unpacked(data, size)
    if hash_files(files) != content["files_hash"] or not submitted.keepable(files):
        return False
    for name, blob in content["files"].items():
        ledger.add(
            connection, "submissions", {"files_hash": content["files_hash"], "name": name, "blob": blob}
        )
    return True


def _refused(path: Path, reason: str) -> UserError:
    return UserError(
        _("cannot import {path}: {reason}; nothing was changed").format(path=path, reason=reason)
    )
