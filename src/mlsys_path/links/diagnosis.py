"""What an exception says about a host."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.request import getproxies, proxy_bypass

import httpx

from mlsys_path.links.records import NO_CONTACT, Cause

_NO_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_ERRNO = {
    errno.ECONNREFUSED: Cause.REFUSED,
    errno.ENETUNREACH: Cause.UNREACHABLE,
    errno.EHOSTUNREACH: Cause.UNREACHABLE,
    errno.ENETDOWN: Cause.UNREACHABLE,
    errno.EADDRNOTAVAIL: Cause.UNREACHABLE,
    errno.ETIMEDOUT: Cause.NO_CONNECTION,
    errno.ECONNRESET: Cause.CLOSED,
    errno.EPIPE: Cause.CLOSED,
}


def diagnose(error: Exception, url: str) -> tuple[Cause, str]:
    """The cause that an exception amounts to, and a detail for the sentence."""
    cause, detail = _diagnose(error)
    if cause in NO_CONTACT and _through_proxy(url):
        # it is the proxy that could not be reached: nothing is known of the host
        return Cause.PROXY, ""
    return cause, detail


def _diagnose(error: Exception) -> tuple[Cause, str]:
    if isinstance(error, httpx.ConnectTimeout):
        return Cause.NO_CONNECTION, ""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Cause.TIMEOUT, ""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            return Cause.CERTIFICATE, "".join(filter(str.isprintable, each.verify_message))
        if isinstance(each, socket.gaierror):
            return (Cause.NO_SUCH_HOST if each.errno in _NO_NAME else Cause.NAME_TROUBLE), ""
        if isinstance(each, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Cause.CLOSED, ""
        if isinstance(each, ssl.SSLError):
            return Cause.TLS, ""
    return _of_type(error, chain), ""


def _of_type(error: Exception, chain: list[BaseException]) -> Cause:
    match error:
        case httpx.ProxyError():
            return Cause.PROXY
        case httpx.ConnectError():
            known = [_ERRNO[e.errno] for e in chain if isinstance(e, OSError) and e.errno in _ERRNO]
            # of a host with several addresses a refusal says more than an unreachable one
            return Cause.REFUSED if Cause.REFUSED in known else (known or [Cause.CLOSED])[0]
        case httpx.RemoteProtocolError():
            # httpcore's own is about a connection that ended, h11's about what was read from it
            misread = any(type(e).__module__.startswith("h11") for e in chain)
            return Cause.NOT_HTTP if misread else Cause.CLOSED
        case httpx.NetworkError():
            return Cause.CLOSED
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            # UnicodeError: a name with a label that no name server could be asked for
            return Cause.INVALID
        case _:
            return Cause.UNEXPECTED


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting.append(each.__cause__ or each.__context__)


def _through_proxy(url: str) -> bool:
    address = httpx.URL(url)
    proxies = getproxies()
    return bool(proxies.get(address.scheme) or proxies.get("all")) and not proxy_bypass(
        address.raw_host.decode("ascii")
    )
