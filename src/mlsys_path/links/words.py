"""The sentence for each cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlsys_path.language import N_, _
from mlsys_path.links.records import Cause, LinkOutcome

if TYPE_CHECKING:
    from mlsys_path.links.records import LinkResult

_WORDS: dict[Cause, str] = {
    Cause.FINE: N_("answers {status}"),
    Cause.SAME_PAGE: N_("is the same page at {final}"),
    Cause.FOR_NOW: N_("leads for now to {final}"),
    Cause.MOVED: N_("has moved for good to {moved}"),
    Cause.FRONT_PAGE: N_("has moved for good to the front page {moved}: the page itself may be gone"),
    Cause.GONE: N_("answers {status}: there is no such page"),
    Cause.DENIED: N_("answers {status}: it may only dislike robots"),
    Cause.BUSY: N_("answers {status}: too many requests, or too early"),
    Cause.ASKED_TO_WAIT: N_("the host asks to be left alone for {detail} s: try again later"),
    Cause.SERVER_ERROR: N_("answers {status}: the server is in trouble"),
    Cause.ODD_STATUS: N_("answers {status}, which is neither a page nor its absence"),
    Cause.LOOP: N_("redirects in a circle"),
    Cause.WANTS_COOKIES: N_("redirects until a cookie is kept: open it in a browser"),
    Cause.TOO_MANY_REDIRECTS: N_("redirects without end"),
    Cause.BAD_REDIRECT: N_("redirects to something that is no web address"),
    Cause.NOT_WEB: N_("is no http or https address, and cannot be checked"),
    Cause.INVALID: N_("is not a valid address"),
    Cause.NO_SUCH_HOST: N_("there is no host of that name"),
    Cause.NAME_TROUBLE: N_("the host's name could not be looked up just now"),
    Cause.REFUSED: N_("the host refuses the connection"),
    Cause.UNREACHABLE: N_("there is no way to the host from here"),
    Cause.NO_CONNECTION: N_("no connection came about in time"),
    Cause.PROXY: N_("the proxy did not connect"),
    Cause.TLS: N_("no TLS connection came about"),
    Cause.CERTIFICATE: N_("the certificate is not valid: {detail}"),
    Cause.NOT_HTTP: N_("what came back is not HTTP"),
    Cause.CLOSED: N_("the host closed the connection without an answer"),
    Cause.TIMEOUT: N_("no answer came in time"),
    Cause.UNEXPECTED: N_("the request broke off ({detail})"),
    Cause.OFFLINE: N_("the network went away before it was checked"),
}


def explain(result: LinkResult) -> str:
    """One sentence about a result."""
    what = sentence(
        result.cause,
        status=result.status,
        final=result.final_url,
        moved=result.moved_to,
        detail=result.detail,
    )
    failed = result.outcome in (LinkOutcome.DEAD, LinkOutcome.UNSURE)
    if failed and result.redirects:
        return _("{what} (redirected to {url})").format(what=what, url=result.final_url)
    return what


def sentence(cause: Cause, **fields: object) -> str:
    """The sentence for a cause; fields that it does not name are left out."""
    return _(_WORDS[cause]).format(**{"status": "", "final": "", "moved": "", "detail": ""} | fields)
