"""Without a network nothing is dead."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from mlsys_path.errors import UserError
from mlsys_path.links.asking import OfflineError
from mlsys_path.links.cache import Cache
from mlsys_path.links.engine import check
from mlsys_path.links.records import Cause, LinkOutcome, Settings

wild = sys.modules["misbehaving"]
NO_NETWORK = socket.gaierror(socket.EAI_AGAIN, "no name server")
DEAD, OK, UNSURE = LinkOutcome.DEAD, LinkOutcome.OK, LinkOutcome.UNSURE


def hosts(names, count, error=NO_NETWORK):
    for n in range(count):
        names[f"h{n}.test"] = error
    return [f"http://h{n}.test/{page}" for n in range(count) for page in "ab"]


@pytest.mark.parametrize(
    "error", [NO_NETWORK, socket.gaierror(socket.EAI_NONAME, "none"), OSError(101, "unreachable")]
)
async def test_a_network_that_is_not_there_ends_the_run_at_once(find_all, names, error):
    urls = hosts(names, 40, error)[::2]
    with pytest.raises(OfflineError):
        await find_all(*urls, witnesses=["http://h0.test/", "http://w1.test/", "http://w2.test/"])
    # those under way, and a few that might have known better
    assert len(names.asked) <= 8 + 5


@pytest.mark.parametrize("count", [1, 2])
async def test_one_host_or_two_are_enough_to_see_it(find_all, names, count):
    with pytest.raises(OfflineError) as raised:
        await find_all(*hosts(names, count), witnesses=["http://w.test/", "not an address", "ftp://w.test/"])
    assert raised.value.cause == Cause.NAME_TROUBLE


async def test_what_the_cache_knows_is_told_all_the_same(server, find_all, names, clock, tmp_path):
    known = server.on("/known", wild.answer(200))
    results = []
    with Cache(tmp_path) as cache:
        await find_all(known, cache=cache)
        urls = {url: [] for url in [*hosts(names, 5), known]}
        with pytest.raises(OfflineError):
            async for result in check(urls, Settings(), cache=cache, clock=clock):
                results.append(result)
    assert [(result.url, result.from_cache) for result in results] == [(known, True)]


async def test_nothing_is_kept_of_a_run_without_network(find_all, names, clock, tmp_path):
    urls = hosts(names, 5, socket.gaierror(socket.EAI_NONAME, "none"))
    with Cache(tmp_path) as cache:
        with pytest.raises(OfflineError):
            await find_all(*urls, cache=cache, witnesses=[])
        assert not any(cache.get(url, clock.now()) for url in urls)


async def test_a_firewall_that_refuses_everything_is_no_network(find_all):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(OfflineError):
            await find_all(*(f"http://127.0.0.{n}:{port}/" for n in range(1, 7)), witnesses=[])


async def test_a_portal_that_breaks_tls_everywhere_kills_nothing(server, find_all):
    urls = [server.url("/", host, scheme="https") for host in range(1, 7)]
    with pytest.raises(OfflineError):
        await find_all(*urls, witnesses=[])


async def test_hosts_that_are_gone_are_dead_when_a_witness_answers(server, find_all, names):
    urls = hosts(names, 6, socket.gaierror(socket.EAI_NONAME, "none"))
    found = await find_all(*urls, hosts=1)
    assert {(result.outcome, result.cause) for result in found.values()} == {(DEAD, Cause.NO_SUCH_HOST)}
    # not once for each of them
    assert len(server.asked("/witness")) <= 4


@pytest.mark.parametrize("witnesses", [0, 5])
async def test_hosts_that_are_gone_do_not_outrun_one_that_is_slow(server, find_all, names, witnesses):
    async def slowly(exchange):
        while len(names.asked) < 4 + witnesses:
            await asyncio.sleep(0.001)
        # what was asked last is answered by now
        for _ in range(20000):
            await asyncio.sleep(0)
        await wild.answer(200)(exchange)

    none = socket.gaierror(socket.EAI_NONAME, "none")
    gone = hosts(names, 4, none)
    slow = server.on("/slow", slowly)
    found = await find_all(*gone, slow, witnesses=[f"http://w{n}.test/" for n in range(witnesses)])
    assert found[slow].outcome == OK
    assert {found[url].outcome for url in gone} == {DEAD}


async def test_the_last_address_is_not_dead_before_another_host_vouches_for_it(server, find_all, names):
    server.on("/page", wild.answer(200))
    found = await find_all(server.url("/page"), "http://gone.test/", hosts=1, witnesses=[])
    assert found["http://gone.test/"].outcome == DEAD
    # asked a second time, as it had answered before
    assert server.asked("/page") == ["HEAD", "HEAD"]


async def test_a_network_that_goes_away_kills_nothing(server, find_all, names, tmp_path, clock):
    names["first.test"] = "127.0.0.1"
    rest = hosts(names, 10, "127.0.0.2")

    async def last_words(exchange):
        for name in names:
            names[name] = socket.gaierror(socket.EAI_NONAME, "none")
        await wild.answer(200)(exchange)

    server.on("/page", last_words)
    first = server.url("/page", name="first.test")
    with Cache(tmp_path) as cache:
        found = await find_all(first, *rest, hosts=1, witnesses=[], cache=cache)
        assert found[first].outcome == OK
        assert {(found[url].outcome, found[url].cause) for url in rest} == {(UNSURE, Cause.OFFLINE)}
        assert not any(cache.get(url, clock.now()) for url in rest)


async def test_the_last_host_of_a_network_that_went_away_is_not_dead(server, find_all, names):
    names["first.test"] = "127.0.0.1"

    async def last_words(exchange):
        del names["first.test"]
        await wild.answer(200)(exchange)

    server.on("/page", last_words)
    first = server.url("/page", name="first.test")
    found = await find_all(first, "http://gone.test/", hosts=1, witnesses=[])
    assert (found["http://gone.test/"].outcome, found["http://gone.test/"].cause) == (UNSURE, Cause.OFFLINE)


async def test_a_proxy_is_used_and_its_own_silence_kills_nothing(server, find_all, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url(""))
    server.on("http://behind.test/page", wild.answer(200))
    found = await find_all("http://behind.test/page", witnesses=[])
    assert found["http://behind.test/page"].outcome == OK
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(OfflineError) as raised:
            await find_all("http://behind.test/page", witnesses=[])
    assert raised.value.cause == Cause.PROXY


async def test_a_proxy_that_does_not_connect_leaves_it_open(server, find_all, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url(""))
    server.on("behind.test:443", wild.answer(403))
    server.on("/witness", wild.answer(200))
    found = await find_all("https://behind.test/page")
    assert {(result.outcome, result.cause) for result in found.values()} == {(UNSURE, Cause.PROXY)}


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "http://[::1"])
async def test_a_proxy_that_cannot_be_used_is_the_users_to_mend(find_all, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UserError, match="proxy"):
        await find_all("http://behind.test/page")
