"""Addresses, dates, sentences and places, each for itself."""

from __future__ import annotations

import asyncio
import math
import threading

import pytest

from mlsys_path import language
from mlsys_path.links import addresses
from mlsys_path.links.judging import outcome_of
from mlsys_path.links.lookups import abandon_lookups_at_end
from mlsys_path.links.places import places
from mlsys_path.links.records import NEEDS_WITNESS, Cause, LinkOutcome, LinkResult
from mlsys_path.links.retry_after import seconds_to_wait
from mlsys_path.links.words import sentence


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.org/x", "https://a.org/x", True),
        ("http://a.org", "https://www.a.org/", True),
        ("http://a.org/x", "http://A.org:80/x/", True),
        ("http://a.org/x/", "http://a.org/x/index.html", True),
        ("http://a.org/x#here", "http://a.org/x", True),
        ("http://a.org/caf%C3%A9", "http://a.org/café", True),
        ("http://a.org/x", "http://a.org/y", False),
        ("http://a.org/x", "http://a.org/x?page=2", False),
        ("http://a.org/x", "http://b.org/x", False),
        ("http://a.org/x", "http://a.org:8080/x", False),
        ("http://docs.a.org/x", "http://a.org/x", False),
        ("http://a.org/index", "http://a.org/", False),
    ],
)
def test_the_same_page(one, other, same):
    assert addresses.same_page(one, other) is same
    assert addresses.same_page(other, one) is same


def test_an_address_is_asked_for_without_what_the_server_need_not_know():
    assert addresses.request_key(" HTTP://me:secret@A.org:80#part ") == "http://a.org/"
    assert addresses.request_key("https://bücher.test/ä?ö#ü") == "https://xn--bcher-kva.test/%C3%A4?%C3%B6"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-1", None), ("1.5", None), ("٣", None), ("0", 0), ("30", 30),
        (" 30 ", 30), ("9" * 5000, math.inf), ("Thu, 01 Jan 1970 00:16:50 GMT", 10),
        ("Thu, 01 Jan 1970 00:16:50 -0000", 10), ("Thursday, 01-Jan-70 00:16:50 GMT", 10),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 +2400", None),
        ("Fri, 99 Dec 9999 23:59:59 GMT", None), ("1 2 3 4 5", None), (",,,", None),
    ],
)  # fmt: skip
def test_retry_after(value, seconds):
    assert seconds_to_wait(value, 1000.0) == seconds


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_and_an_outcome(cause):
    language.use("en")
    text = sentence(cause, status=404, final="final", moved="moved", detail="detail")
    assert text
    assert "{" not in text
    assert cause not in NEEDS_WITNESS or outcome_of(cause) == LinkOutcome.DEAD


def test_a_failure_behind_a_redirect_says_where():
    result = LinkResult(
        outcome=LinkOutcome.DEAD,
        cause=Cause.GONE,
        status=404,
        final_url="http://b.org/",
        redirects=1,
        url="http://a.org/",
    )
    assert result.reason == "answers 404: there is no such page (redirected to http://b.org/)"


def test_places_of_addresses(tmp_path):
    folder = tmp_path / "resources"
    folder.mkdir()
    (folder / "a.yaml").write_text('urls:\n- http://a.org/x\n- http://a.org\nurls: ["http://b.org/", "c"]\n')
    (folder / "b.yaml").write_bytes(b"\xff\xfe")
    urls = ["http://a.org", "http://a.org/x", "http://b.org/", "http://c.org/"]
    assert places(urls, tmp_path) == {
        "http://a.org/x": "resources/a.yaml:2",
        "http://a.org": "resources/a.yaml:3",
        "http://b.org/": "resources/a.yaml:4",
    }
    assert places([], tmp_path) == {}


def test_a_lookup_that_hangs_keeps_no_loop_from_ending():
    release, began = threading.Event(), threading.Event()

    def lookup():
        began.set()
        release.wait()

    async def main():
        abandon_lookups_at_end()
        loop = asyncio.get_running_loop()
        hanging = loop.run_in_executor(None, lookup)
        assert await loop.run_in_executor(None, began.wait)
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 / 0)
        hanging.cancel()

    asyncio.run(main())
    release.set()
