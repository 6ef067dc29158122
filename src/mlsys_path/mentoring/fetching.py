"""A file of the web into a local one: bounded in size and time, and every trouble is one line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx

from mlsys_path.errors import UserError
from mlsys_path.language import _

MAX_BYTES = 64 << 20
SECONDS = 120.0
_REDIRECTS = 5


def fetch(url: str, into: Path, *, most: int = MAX_BYTES, seconds: float = SECONDS) -> Path:
    """Download `url` into the folder `into`; raises UserError when that cannot be done within the bounds."""
    target = into / "download"
    try:
        limits = httpx.Timeout(seconds, connect=20.0, read=30.0)
        with (
            httpx.Client(follow_redirects=True, max_redirects=_REDIRECTS, timeout=limits) as client,
            # of what is compressed for the way the size would be another
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
            target.open("wb") as file,
        ):
            if answer.status_code != httpx.codes.OK:
                raise _refused(url, _("it answered {status}").format(status=answer.status_code))
            _copy(url, answer.iter_raw(1 << 16), file, most, time.monotonic() + seconds)
    except httpx.TooManyRedirects:
        raise _refused(url, _("too many redirects")) from None
    except httpx.TimeoutException:
        raise _refused(url, _("no answer in time")) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _refused(url, str(error) or type(error).__name__) from None
    return target


def _copy(url: str, chunks: Iterator[bytes], file: IO[bytes], most: int, until: float) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise _refused(url, _("it is larger than {mb} MB").format(mb=most >> 20))
        if time.monotonic() > until:
            raise _refused(url, _("no answer in time"))
        file.write(chunk)


def _refused(url: str, reason: str) -> UserError:
    return UserError(_("cannot import {path}: {reason}; nothing was changed").format(path=url, reason=reason))
