"""Whatever a server does, an address ends with the right outcome and within its bounds."""

from __future__ import annotations

import gzip
import socket
import sys
from email.utils import formatdate

import pytest

from mlsys_path.links.records import Cause, LinkOutcome

wild = sys.modules["misbehaving"]
answer, raw, by_method, sequence = wild.answer, wild.raw, wild.by_method, wild.sequence

OK, DEAD, MOVED = LinkOutcome.OK, LinkOutcome.DEAD, LinkOutcome.MOVED
REDIRECTED, UNSURE = LinkOutcome.REDIRECTED, LinkOutcome.UNSURE

MB = 1 << 20
HEAD_OF_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
BOMB = gzip.compress(b"\0" * MB)


def at_get(behaviour):
    """What is no answer to HEAD has no body."""
    return by_method(head=answer(405), get=behaviour)


AT_ONCE = {
    "200": (answer(200, body=b"hello"), OK, Cause.FINE),
    "204": (answer(204), OK, Cause.FINE),
    "206": (answer(206), OK, Cause.FINE),
    "no reason": (raw(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), OK, Cause.FINE),
    "not even a space": (raw(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), OK, Cause.FINE),
    "HTTP/1.0": (raw(b"HTTP/1.0 200 OK\r\n\r\nhello"), OK, Cause.FINE),
    "404": (answer(404), DEAD, Cause.GONE),
    "410": (answer(410), DEAD, Cause.GONE),
    "401": (answer(401), UNSURE, Cause.DENIED),
    "403": (answer(403), UNSURE, Cause.DENIED),
    "451": (answer(451), UNSURE, Cause.DENIED),
    "400": (answer(400), UNSURE, Cause.ODD_STATUS),
    "999": (answer(999), UNSURE, Cause.ODD_STATUS),
    "304": (answer(304), UNSURE, Cause.ODD_STATUS),
    "101": (raw(b"HTTP/1.1 101 Switching\r\nUpgrade: chat\r\n\r\n"), DEAD, Cause.NOT_HTTP),
    "500": (answer(500), UNSURE, Cause.SERVER_ERROR),
    "429": (answer(429), UNSURE, Cause.BUSY),
    "408": (answer(408), UNSURE, Cause.BUSY),
    "403 at HEAD": (by_method(head=answer(403), get=answer(200)), OK, Cause.FINE),
    "404 at HEAD": (by_method(head=answer(404), get=answer(200)), OK, Cause.FINE),
    "405 at HEAD": (by_method(head=answer(405), get=answer(200)), OK, Cause.FINE),
    "501 at HEAD": (by_method(head=answer(501), get=answer(200)), OK, Cause.FINE),
    "slams at HEAD": (by_method(head=wild.slam, get=answer(200)), OK, Cause.FINE),
    "garbage at HEAD": (by_method(head=raw(b"what?\r\n\r\n"), get=answer(200)), OK, Cause.FINE),
    "a body at HEAD": (raw(HEAD_OF_PAGE + b"Content-Length: 5\r\n\r\nhello"), OK, Cause.FINE),
    "503 once": (sequence(answer(503), answer(200)), OK, Cause.FINE),
    "closes at once": (wild.slam, UNSURE, Cause.CLOSED),
    "resets": (wild.reset, UNSURE, Cause.CLOSED),
    "half a header": (raw(b"HTTP/1.1 200 OK\r\nContent-Ty"), UNSURE, Cause.CLOSED),
    "garbage": (raw(b"\x00\xff\x13 SSH-2.0-OpenSSH_9.6\r\n\r\n"), DEAD, Cause.NOT_HTTP),
    "no status": (raw(b"HTTP/1.1 OK\r\n\r\n"), DEAD, Cause.NOT_HTTP),
    "no colon": (raw(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), DEAD, Cause.NOT_HTTP),
    "a header of 1 MB": (
        raw(HEAD_OF_PAGE + b"X-Long: " + b"a" * MB + b"\r\n\r\n"),
        DEAD,
        Cause.NOT_HTTP,
    ),
    "headers without end": (wild.endless(HEAD_OF_PAGE, b"X-More: and more\r\n" * 1000), DEAD, Cause.NOT_HTTP),
    "a body without end": (at_get(wild.endless(HEAD_OF_PAGE + b"\r\n", b"a" * 65536)), OK, Cause.FINE),
    "a bomb": (
        at_get(wild.endless(HEAD_OF_PAGE + b"Content-Encoding: gzip\r\n\r\n", BOMB)),
        OK,
        Cause.FINE,
    ),
    "less than announced": (at_get(raw(HEAD_OF_PAGE + b"Content-Length: 1000\r\n\r\nhi")), OK, Cause.FINE),
    "more than announced": (at_get(raw(HEAD_OF_PAGE + b"Content-Length: 2\r\n\r\nhello")), OK, Cause.FINE),
    "a length below zero": (raw(HEAD_OF_PAGE + b"Content-Length: -2\r\n\r\n"), DEAD, Cause.NOT_HTTP),
    "two lengths": (
        raw(HEAD_OF_PAGE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhe"),
        DEAD,
        Cause.NOT_HTTP,
    ),
    "1xx first": (
        raw(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + HEAD_OF_PAGE + b"\r\n"
        ),
        OK,
        Cause.FINE,
    ),
    "wild cookies": (
        answer(200, "Set-Cookie: a=b; Expires=never; Max-Age=x; Domain=..; Path", "Set-Cookie: ;=;=\x7f"),
        OK,
        Cause.FINE,
    ),
    "bytes of no charset": (raw(HEAD_OF_PAGE + b"X-Odd: \xff\xfe\xe9\r\n\r\n"), OK, Cause.FINE),
}


@pytest.mark.parametrize("name", AT_ONCE)
async def test_an_answer_of_any_kind(server, find_one, name):
    behaviour, outcome, cause = AT_ONCE[name]
    result = await find_one(server.on("/page", behaviour))
    assert (result.outcome, result.cause) == (outcome, cause)
    # HEAD, GET, and one retry, that of a HEAD that broke apart
    assert 1 <= len(server.asked("/page")) <= 3
    assert result.attempts == len(server.asked("/page"))
    assert result.reason


REDIRECTS = {
    "301": (301, "/new", MOVED, Cause.MOVED),
    "308": (308, "/new", MOVED, Cause.MOVED),
    "302": (302, "/new", REDIRECTED, Cause.FOR_NOW),
    "303": (303, "/new", REDIRECTED, Cause.FOR_NOW),
    "307": (307, "/new", REDIRECTED, Cause.FOR_NOW),
    "a slash": (301, "/old/", REDIRECTED, Cause.SAME_PAGE),
    "an index": (301, "/old/index.html", REDIRECTED, Cause.SAME_PAGE),
    "relative": (301, "new", MOVED, Cause.MOVED),
    "only a query": (301, "?page=1", MOVED, Cause.MOVED),
    "the front page": (301, "/", MOVED, Cause.FRONT_PAGE),
    "not ASCII": (301, "/caf\u00e9", MOVED, Cause.MOVED),
    "spaces around": (301, "  /new  ", MOVED, Cause.MOVED),
    "itself": (301, "/old", DEAD, Cause.LOOP),
    "itself, another part": (301, "/old#part", DEAD, Cause.LOOP),
    "ftp": (302, "ftp://127.0.0.1/file", DEAD, Cause.BAD_REDIRECT),
    "file": (302, "file:///etc/passwd", DEAD, Cause.BAD_REDIRECT),
    "javascript": (302, "javascript:alert(1)", DEAD, Cause.BAD_REDIRECT),
    "data": (302, "data:text/html,hello", DEAD, Cause.BAD_REDIRECT),
    "nothing": (302, "", DEAD, Cause.BAD_REDIRECT),
    "no host": (302, "http://", DEAD, Cause.LOOP),
    "no port": (302, "http://127.0.0.1:99999/", DEAD, Cause.BAD_REDIRECT),
    "half an address": (302, "http://[::1/", DEAD, Cause.BAD_REDIRECT),
    "a bad name": (302, "http://xn--a\u00fc.test/", DEAD, Cause.BAD_REDIRECT),
    "70 KB": (302, "/" + "a" * 70_000, DEAD, Cause.BAD_REDIRECT),
}


@pytest.mark.parametrize("name", REDIRECTS)
async def test_a_redirect_of_any_kind(server, find_one, name):
    status, location, outcome, cause = REDIRECTS[name]
    for path in ("/new", "/old/", "/old/index.html", "/old?page=1", "/", "/caf%C3%A9"):
        server.on(path, answer(200))
    result = await find_one(server.on("/old", answer(status, f"Location: {location}")))
    assert (result.outcome, result.cause) == (outcome, cause)
    assert result.reason.isascii()


async def test_a_redirect_without_location_leads_nowhere(server, find_one):
    result = await find_one(server.on("/old", answer(301)))
    assert (result.outcome, result.cause) == (DEAD, Cause.BAD_REDIRECT)


async def test_a_move_to_another_host_names_it(server, find_one):
    new = server.on("/new", answer(200), host=2)
    result = await find_one(server.on("/old", answer(301, f"Location: {new}#part"), host=1))
    assert (result.outcome, result.moved_to, result.final_url) == (MOVED, f"{new}#part", f"{new}#part")
    assert new in result.reason


async def test_a_move_leads_as_far_as_it_is_permanent(server, find_one):
    server.on("/final", answer(200))
    moved = server.on("/moved", answer(302, "Location: /final"))
    result = await find_one(server.on("/old", answer(301, "Location: /moved")))
    assert (result.outcome, result.moved_to) == (MOVED, moved)
    assert result.final_url == server.url("/final")


async def test_a_move_behind_a_temporary_redirect_is_temporary(server, find_one):
    server.on("/final", answer(200))
    server.on("/middle", answer(301, "Location: /final"))
    result = await find_one(server.on("/old", answer(302, "Location: /middle")))
    assert (result.outcome, result.moved_to) == (REDIRECTED, "")


async def test_a_move_to_a_dead_page_is_dead(server, find_one):
    result = await find_one(server.on("/old", answer(301, "Location: /gone")))
    assert (result.outcome, result.cause, result.status) == (DEAD, Cause.GONE, 404)
    assert server.url("/gone") in result.reason


async def test_a_circle_over_two_hosts_is_noticed_at_once(server, find_one):
    one, two = server.url("/one", 1), server.url("/two", 2)
    server.on("/one", answer(302, f"Location: {two}"))
    server.on("/two", answer(302, f"Location: {one}"))
    result = await find_one(one)
    assert (result.outcome, result.cause) == (DEAD, Cause.LOOP)
    assert len(server.log) == 4  # HEAD and GET


async def test_a_circle_that_sets_a_cookie_may_be_none_in_a_browser(server, find_one):
    result = await find_one(server.on("/wall", answer(302, "Location: /wall", "Set-Cookie: seen=1")))
    assert (result.outcome, result.cause) == (UNSURE, Cause.WANTS_COOKIES)


async def test_a_chain_of_30_is_given_up(server, find_one):
    for number in range(30):
        server.on(f"/{number}", answer(302, f"Location: /{number + 1}"))
    server.on("/30", answer(200))
    result = await find_one(server.url("/0"))
    assert (result.outcome, result.cause) == (DEAD, Cause.TOO_MANY_REDIRECTS)
    assert server.asked("/10") == ["HEAD", "GET"]
    assert not server.asked("/11")


async def test_no_cookie_is_sent_back_and_no_password_either(server, find_one):
    server.on("/new", answer(200))
    with_password = server.url("/new").replace("http://", "http://user:password@")
    old = server.on("/old", answer(301, f"Location: {with_password}", "Set-Cookie: id=1; Path=/"))
    result = await find_one(old.replace("http://", "http://user:password@"))
    assert result.moved_to == server.url("/new")
    assert len(server.headers) == 2
    assert not any("cookie" in headers or "authorization" in headers for headers in server.headers)
    assert all(headers["user-agent"].startswith("mlsys-path/") for headers in server.headers)


HANGING = {
    "never answers": wild.hang,
    "a byte at a time": wild.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 5000),
    "1xx without end": wild.endless(b"", b"HTTP/1.1 103 Hints\r\n\r\n"),
}


@pytest.mark.parametrize("name", HANGING)
async def test_who_does_not_get_to_the_point_is_left(server, find_one, name):
    result = await find_one(server.on("/page", HANGING[name]), timeout=1.5)
    assert (result.outcome, result.cause) == (UNSURE, Cause.TIMEOUT)
    assert len(server.asked("/page")) <= 2


async def test_a_body_at_a_crawl_is_not_waited_for(server, find_one):
    async def crawl(exchange):
        exchange.writer.write(HEAD_OF_PAGE + b"\r\n")
        await wild.drip(b"a")(exchange)

    assert (await find_one(server.on("/page", at_get(crawl)))).outcome == OK


@pytest.mark.parametrize(
    ("header", "waits"),
    [("7", 7), (formatdate(1_800_001_021, usegmt=True), 19), ("soon", 0), ("-5", 0), ("Sun, 99 Foo", 0)],
)
async def test_retry_after_is_honoured(server, find_one, clock, header, waits):
    url = server.on("/page", sequence(answer(429, f"Retry-After: {header}"), answer(200)))
    result = await find_one(url, pause=0.0, backoff=0.5)
    assert (result.outcome, result.attempts) == (OK, 2)
    (_, first), (_, second) = server.times
    assert second - first >= max(waits, 0.5)


async def test_retry_after_holds_for_the_whole_host(server, find_all):
    server.on("/busy", sequence(answer(503, "Retry-After: 50"), answer(200)))
    server.on("/other", answer(200))
    await find_all(server.url("/busy"), server.url("/other"))
    first, *later = [at for _, at in server.times]
    assert all(at - first >= 50 for at in later)


@pytest.mark.parametrize("header", ["3600", "9" * 400, formatdate(4_000_000_000, usegmt=True)])
async def test_a_host_that_asks_for_more_is_left_alone(server, find_all, header):
    server.on("/busy", answer(429, f"Retry-After: {header}"))
    found = await find_all(server.url("/busy"), server.url("/other"))
    assert {result.outcome for result in found.values()} == {UNSURE}
    assert {result.cause for result in found.values()} == {Cause.ASKED_TO_WAIT}
    assert (found[server.url("/busy")].status, found[server.url("/busy")].attempts) == (429, 1)
    assert len(server.log) == 1


async def test_retries_back_off_and_end(server, find_one, clock):
    result = await find_one(server.on("/page", answer(503)), pause=0.0, retries=4, backoff_most=5.0)
    assert (result.outcome, result.cause, result.attempts) == (UNSURE, Cause.SERVER_ERROR, 5)
    assert [round(seconds, 3) for seconds in clock.slept if seconds >= 1] == [1, 2, 4, 5]


async def test_503_twice_then_200(server, find_one):
    result = await find_one(server.on("/page", sequence(answer(503), answer(503), answer(200))), retries=2)
    assert (result.outcome, result.attempts) == (OK, 3)


async def test_a_refusing_port_is_dead(find_one):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = await find_one(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert (result.outcome, result.cause) == (DEAD, Cause.REFUSED)


async def test_tls_that_nobody_signed_is_dead(server, find_one):
    result = await find_one(server.url("/", scheme="https"))
    assert (result.outcome, result.cause, result.attempts) == (DEAD, Cause.CERTIFICATE, 1)
    assert "self-signed" in result.reason


async def test_tls_where_there_is_none_is_dead(server, find_one):
    result = await find_one(server.url("/").replace("http:", "https:"))
    assert (result.outcome, result.cause) == (DEAD, Cause.TLS)


@pytest.mark.parametrize(
    ("url", "outcome", "cause"),
    [
        ("ftp://127.0.0.1/file", UNSURE, Cause.NOT_WEB),
        ("mailto:me@example.org", UNSURE, Cause.NOT_WEB),
        ("http://", DEAD, Cause.INVALID),
        ("http://127.0.0.1:99999/", DEAD, Cause.INVALID),
        ("http://[::1/", DEAD, Cause.INVALID),
        (f"http://{'a' * 64}.test/", DEAD, Cause.NO_SUCH_HOST),
        ("http://gone.test/", DEAD, Cause.NO_SUCH_HOST),
        ("http://shaky.test/", UNSURE, Cause.NAME_TROUBLE),
        ("http://far.test/", UNSURE, Cause.UNREACHABLE),
    ],
)
async def test_an_address_without_a_host(find_one, url, outcome, cause):
    result = await find_one(url)
    assert (result.outcome, result.cause) == (outcome, cause)
