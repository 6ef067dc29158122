"""The files that were submitted with attempts: by content, compressed, only ever added. Standard library only.

An attempt names its files by their hash, so trying the same files again keeps nothing twice. What is kept is bounded;
an attempt whose files were too many or too large, or that is older than this, has none.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Mapping

MAX_FILES = 200
MAX_FILE = 512 << 10  # bytes of one file
MAX_SUBMISSION = 2 << 20
MAX_DATABASE = 4 << 30  # a database of this size keeps no more files


def keepable(files: Mapping[str, bytes]) -> bool:
    """Whether files are few and small enough to be kept."""
    sizes = [len(data) for data in files.values()]
    return 0 < len(sizes) <= MAX_FILES and max(sizes) <= MAX_FILE and sum(sizes) <= MAX_SUBMISSION


def keep(connection: sqlite3.Connection, files_hash: str, files: Mapping[str, bytes]) -> bool:
    """Keep the files of a submission, inside of the caller's transaction; whether they are kept now."""
    if not keepable(files):
        return False
    if connection.execute("SELECT 1 FROM submissions WHERE files_hash = ? LIMIT 1", [files_hash]).fetchone():
        return True
    (pages,), (size,) = (connection.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size"))
    if pages * size > MAX_DATABASE:
        return False
    for name, data in files.items():
        digest = hashlib.sha256(data).hexdigest()
        connection.execute(
            "INSERT INTO blobs (hash, size, data) SELECT :hash, :size, :data "
            "WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE hash = :hash)",
            {"hash": digest, "size": len(data), "data": zlib.compress(data, 6)},
        )
        connection.execute("INSERT INTO submissions VALUES (?, ?, ?)", [files_hash, name, digest])
    return True


def read(connection: sqlite3.Connection, files_hash: str) -> dict[str, bytes] | None:
    """The files of a submission by name; None when none were kept. Raises ValueError when they are damaged."""
    query = (
        "SELECT name, hash, size, data FROM submissions JOIN blobs ON blobs.hash = submissions.blob "
        "WHERE files_hash = ? ORDER BY name"
    )
    found = {}
    for name, digest, size, data in connection.execute(query, [files_hash]):
        found[str(name)] = unpacked(data, size)
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise ValueError(f"the kept file {name!r} is damaged")
    return found or None


def unpacked(data: bytes, size: int) -> bytes:
    """What `zlib.compress` made small, never more than it is said to be; raises ValueError for anything else."""
    if not 0 <= size <= MAX_FILE:
        raise ValueError(f"not the size of a file: {size}")
    machine = zlib.decompressobj()
    try:
        content = machine.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(content) != size or not (machine.eof or (size == 0 and not content)):
        raise ValueError("not of the size that it is said to have")
    return content
