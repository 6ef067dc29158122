"""Findings of earlier runs: a small SQLite file, written as each comes.

It is a convenience. Whatever is wrong with it costs requests and nothing else: a damaged file is set aside, one that
cannot be used is done without.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from mlsys_path import locations
from mlsys_path.links.records import Cause, Finding, LinkOutcome

_DAY = 86400.0
# what is unsure is asked again
_FRESH_FOR = {
    LinkOutcome.OK: 7 * _DAY,
    LinkOutcome.REDIRECTED: 7 * _DAY,
    LinkOutcome.MOVED: 7 * _DAY,
    LinkOutcome.DEAD: _DAY,
}
# in the name of the file is the version of its schema
_FILE = "findings-1.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS findings (
    address TEXT PRIMARY KEY NOT NULL,
    checked_at REAL NOT NULL,
    finding TEXT NOT NULL
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO findings (address, checked_at, finding) VALUES (?, ?, ?)"
# a run never waits long for another that is writing
_BUSY_SECONDS = 0.5


class Cache:
    """What is known of addresses; close it, or use it in a `with`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or locations.cache_dir() / "links") / _FILE
        self._connection = _opened(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was put lies there already."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, address: str, now: float) -> Finding | None:
        """What was found of an address, while that is fresh."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(
                "SELECT finding FROM findings WHERE address = ?", (address,)
            ).fetchone()
            finding = _finding(row[0]) if row else None
        except (sqlite3.Error, ValueError, TypeError, KeyError):
            return None
        if finding is None or not 0 <= now - finding.checked_at < _FRESH_FOR.get(finding.outcome, 0):
            return None
        return finding

    def put(self, address: str, finding: Finding) -> None:
        """Keep a finding, at once: a run that is killed afterwards has it."""
        if self._connection is None or finding.outcome not in _FRESH_FOR:
            return
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute(_PUT, (address, finding.checked_at, json.dumps(asdict(finding))))


def _finding(text: str) -> Finding:
    values: dict[str, Any] = json.loads(text)
    finding = Finding(**values | {"outcome": LinkOutcome(values["outcome"]), "cause": Cause(values["cause"])})
    numbers = (finding.checked_at, finding.seconds, finding.attempts, finding.redirects, finding.status or 0)
    texts = (finding.detail, finding.final_url, finding.moved_to)
    if not all(isinstance(n, int | float) for n in numbers) or not all(isinstance(t, str) for t in texts):
        raise TypeError(text)
    return finding


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _connect(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if isinstance(error, sqlite3.OperationalError):
                # busy, read-only, no room: not damaged
                return None
            for suffix in ("", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    path.with_name(path.name + suffix).replace(path.with_name(f"{path.name}{suffix}.damaged"))
            return _connect(path)
    except (OSError, sqlite3.Error):
        return None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        # a crash of the machine may damage the file: asking again is cheaper than a sync for each finding
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_SCHEMA)
        _refuse_damage(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_damage(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError
