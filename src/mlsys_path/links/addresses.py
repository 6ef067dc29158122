"""Addresses: what is asked for, where a redirect leads, and when two are one page."""

from __future__ import annotations

import re

import httpx

from mlsys_path.links.records import Cause

_INDEX = re.compile(r"/index\.html?$")


class BadAddress(ValueError):
    """Not an address that can be asked for over HTTP."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


def request_key(url: str) -> str:
    """The address to ask for: no fragment, no user or password; raises BadAddress."""
    return _askable(_parsed(url))


def target(base: str, location: str | None) -> str:
    """Where a redirect leads, its fragment kept; raises BadAddress."""
    if not location or not location.strip():
        raise BadAddress(Cause.BAD_REDIRECT)
    try:
        joined = httpx.URL(base).join(location.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise BadAddress(Cause.BAD_REDIRECT) from error
    try:
        _askable(joined)
    except BadAddress as error:
        raise BadAddress(Cause.BAD_REDIRECT) from error
    return str(joined.copy_with(userinfo=b""))


def host_of(key: str) -> str:
    """The host's name: what one is polite to, whatever the port."""
    return httpx.URL(key).raw_host.decode("ascii")


def same_page(one: str, other: str) -> bool:
    """Whether two addresses differ in nothing that matters: scheme, `www.`, a slash at the end, an index page."""
    return _essence(one) == _essence(other)


def is_front_page(url: str) -> bool:
    """Whether an address is a site's front page."""
    path, query = _essence(url)[2:]
    return not path and not query


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise BadAddress(Cause.INVALID) from error


def _askable(url: httpx.URL) -> str:
    if url.scheme not in ("http", "https"):
        raise BadAddress(Cause.NOT_WEB)
    if not url.raw_host or not 0 < (80 if url.port is None else url.port) < 65536:
        raise BadAddress(Cause.INVALID)
    # raw_path is `/` where there is no path
    return str(url.copy_with(raw_path=url.raw_path, fragment=None, userinfo=b""))


def _essence(address: str) -> tuple[bytes, int | None, str, bytes]:
    url = httpx.URL(address)
    path = _INDEX.sub("/", url.path).rstrip("/")
    return url.raw_host.removeprefix(b"www."), url.port, path, url.query
