"""`export --for MENTOR`: what a learner did, with the submitted files, in one file that is signed."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.mentoring import identity, seals
from mlsys_path.mentoring.bundle_format import FORMAT, VERSION, Kind, encode, name_of, safe_name
from mlsys_path.mentoring.texts import cleaned
from mlsys_path.progress import submitted
from mlsys_path.progress.opening import reading
from mlsys_path.progress.records import now, to_text
from mlsys_path.progress.rows import ATTEMPT_COLUMNS, CLAIM_COLUMNS, EVENT_COLUMNS

MAX_ATTEMPTS = 50_000
MAX_EVENTS = 20_000
MAX_CLAIMS = 10_000
MAX_FILE_BYTES = 96 << 20  # of all submitted files: those of the latest attempts
_JSON = ("levels", "measurements", "detail")


@dataclass(frozen=True, slots=True)
class Written:
    """What a bundle holds, and what there was no room for or is not kept."""

    attempts: int
    submissions: int
    without_files: int  # attempts whose files are not in it
    left_out: int  # attempts, the oldest


def export(path: Path, learner: str, mentor: str, *, database: Path | None = None) -> Written:
    """Write the bundle, whole or not at all. Raises UserError."""
    database = database or locations.database_path()
    if path.exists() and (not path.is_file() or (database.exists() and path.samefile(database))):
        raise UserError(_("cannot export to {path}: it is not a file of its own").format(path=path))
    key = identity.own_key()
    with reading(database) as connection:
        records = list(_records(connection)) if connection is not None else []
    attempts = [value for kind, value in records if kind == "attempt"]
    kept = {value["files_hash"] for kind, value in records if kind == "submission"}
    total = attempts[0].pop("total") if attempts else 0
    without = sum(attempt["files_hash"] not in kept for attempt in attempts)
    left_out = total - len(attempts)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "learner": learner,
        "mentor": mentor,
        "exported_at": to_text(now()),
        "left_out": {"attempts": left_out, "files": without},
    }
    everything: list[tuple[Kind, dict[str, Any]]] = [("header", header), *records]
    lines = [(kind, name_of(kind, value)[:120], encode(kind, value)) for kind, value in everything]
    sealed = [(kind, name, seals.digest(line)) for kind, name, line in lines]
    seal = {
        "key": identity.public_text(key),
        "lines": [list(line) for line in sealed],
        "signature": identity.sign(key, seals.message(sealed)),
    }
    _write(path, [line for _kind, _name, line in lines] + [encode("seal", seal)])
    return Written(len(attempts), len(kept), without, left_out)


def _write(path: Path, lines: list[bytes]) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw) as file:
            file.writelines(lines)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        why = (error.strerror or str(error)).lower()
        raise UserError(_("cannot export to {path}: {reason}").format(path=path, reason=why)) from None


def _records(connection: sqlite3.Connection) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Everything in one moment of the database, attempts in the order in which they were stored."""
    connection.execute("BEGIN")
    (total,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    columns = ", ".join(f"a.{column}" for column in ATTEMPT_COLUMNS)
    query = (
        f"SELECT {columns}, coalesce(stored.at, '') FROM attempts a "  # noqa: S608  (names of our own columns)
        "LEFT JOIN stored ON stored.attempt = a.id ORDER BY a.rowid DESC LIMIT ?"
    )
    rows = connection.execute(query, [MAX_ATTEMPTS]).fetchall()[::-1]
    attempts = [_plain(dict(zip((*ATTEMPT_COLUMNS, "stored_at"), row, strict=True))) for row in rows]
    yield from _submissions(connection, [attempt["files_hash"] for attempt in reversed(attempts)])
    for number, attempt in enumerate(attempts):
        yield "attempt", {**attempt, "total": total} if number == 0 else attempt
    tables: tuple[tuple[Kind, str, tuple[str, ...], int], ...] = (
        ("event", "events", EVENT_COLUMNS, MAX_EVENTS),
        ("claim", "claims", CLAIM_COLUMNS, MAX_CLAIMS),
    )
    for kind, table, names, most in tables:
        query = f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid DESC LIMIT ?"  # noqa: S608
        for row in connection.execute(query, [most]).fetchall()[::-1]:
            yield kind, _plain(dict(zip(names, row, strict=True)))
    for id_, digest, at in connection.execute(
        "SELECT id, digest, imported_at FROM assignments ORDER BY rowid"
    ):
        yield "assignment", {"id": id_, "digest": digest, "imported_at": at}


def _submissions(connection: sqlite3.Connection, wanted: list[str]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The files of attempts, each content once, the latest first while there is room."""
    import hashlib

    room, known = MAX_FILE_BYTES, set()
    for files_hash in dict.fromkeys(wanted):
        files = submitted.read(connection, files_hash)
        if files is None or not all(map(safe_name, files)):
            continue
        named = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        new = {digest: files[name] for name, digest in named.items() if digest not in known}
        room -= sum(map(len, new.values()))
        if room < 0:
            return
        for digest, data in new.items():
            known.add(digest)
            yield "blob", {"hash": digest, "data": base64.b64encode(data).decode()}
        yield "submission", {"files_hash": files_hash, "files": named}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its JSON as JSON, and nothing in its texts that a mentor's program would refuse."""
    return {
        key: _cleaned(json.loads(value))
        if key in _JSON and (key != "detail" or value[:1] == "{")
        else _cleaned(value)
        for key, value in row.items()
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return cleaned(value) if isinstance(value, str) else value
