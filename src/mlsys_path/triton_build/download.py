"""Fetches one large file: resumable, with progress, and with an end where nothing comes any more."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

_PIECE = 1 << 18
_SAY_SECONDS = 0.2


class Stalled(Exception):
    """Nothing has come for too long."""


class Unreachable(Exception):
    """The server, or the network, is not there; or it does not have the file."""


class WrongContent(Exception):
    """The file came whole, and is not the one that was asked for."""


async def fetch(
    url: str,
    target: Path,
    *,
    sha256: str = "",
    stall_seconds: float = 60.0,
    told: Callable[[int, int, float | None], None] = lambda done, total, eta: None,
) -> None:
    """Fetch a file, going on where an earlier try stopped; the target appears when it is whole, and right."""
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    timeout = httpx.Timeout(stall_seconds)
    try:
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=True) as client:
            await _stream(client, url, part, told)
    except httpx.TimeoutException as error:
        raise Stalled(url) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    if sha256 and (found := await asyncio.to_thread(digest, part)) != sha256:
        part.unlink()
        raise WrongContent(found)
    _to_disk(part)
    part.replace(target)


async def _stream(
    client: httpx.AsyncClient, url: str, part: Path, told: Callable[[int, int, float | None], None]
) -> None:
    have = await asyncio.to_thread(_size, part)
    # no compression: a range of a compressed stream is of no use
    headers = {"accept-encoding": "identity", **({"range": f"bytes={have}-"} if have else {})}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416 and have:
            return  # all of it was here already
        if response.status_code not in (200, 206):
            raise Unreachable(f"{url}: HTTP {response.status_code}")
        if response.status_code == 200:
            have = 0
        total = have + int(response.headers.get("content-length") or 0)
        began, first, said = time.monotonic(), have, 0.0
        with part.open("ab" if have else "wb") as file:
            async for piece in response.aiter_raw(_PIECE):
                file.write(piece)
                have += len(piece)
                now = time.monotonic()
                if now - said > _SAY_SECONDS:
                    said = now
                    pace = (have - first) / max(now - began, 1e-6)
                    told(have, max(total, have), (total - have) / pace if total and pace else None)
        if total and have < total:
            raise Unreachable(f"{url}: {have} of {total} bytes")
        told(have, have, 0.0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
