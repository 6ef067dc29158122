"""How a server is treated, as its own log shows it."""

from __future__ import annotations

import asyncio
import sys
from itertools import pairwise

from mlsys_path.links.engine import check
from mlsys_path.links.records import LinkOutcome, Settings

wild = sys.modules["misbehaving"]


async def test_a_host_gets_one_request_at_a_time_with_a_pause_between(server, find_all):
    urls = [server.on(f"/{n}", wild.answer(200)) for n in range(6)]
    found = await find_all(*urls, pause=5.0)
    assert {result.outcome for result in found.values()} == {LinkOutcome.OK}
    assert server.most_at_one_host == 1
    times = [at for _, at in server.times]
    assert len(times) == 6
    assert all(later - earlier >= 5 for earlier, later in pairwise(times))


async def test_that_a_redirect_leads_to_a_host_is_no_excuse(server, find_all):
    target = server.on("/target", wild.answer(200), host=3)
    urls = [server.on(f"/{n}", wild.answer(302, f"Location: {target}"), host=n) for n in (1, 2)]
    await find_all(*urls, target, pause=5.0)
    assert server.most_at_one_host == 1
    times = [at for host, at in server.times if host == "127.0.0.3"]
    assert len(times) == 3
    assert all(later - earlier >= 5 for earlier, later in pairwise(times))


async def test_as_many_hosts_at_once_as_asked_for_and_no_more(server, find_all):
    waiting: list[asyncio.Event] = []

    async def together(exchange):
        waiting.append(own := asyncio.Event())
        if len(waiting) == 4:
            # one more would come now
            for _ in range(500):
                await asyncio.sleep(0)
            group, waiting[:] = waiting[:], []
            for event in group:
                event.set()
        await own.wait()
        await wild.answer(200)(exchange)

    urls = [server.on("/page", together, host=n) for n in range(1, 13)]
    found = await find_all(*urls, hosts=4)
    assert {result.outcome for result in found.values()} == {LinkOutcome.OK}
    assert server.most_at_once == 4


async def test_waiting_for_a_host_keeps_nobody_from_theirs(server, find_all):
    urls = [server.on(f"/{n}", wild.answer(200), host=1) for n in range(4)]
    other = server.on("/other", wild.answer(200), host=2)
    await find_all(*urls, other, hosts=1, pause=100.0)
    assert server.log.index(("127.0.0.2", "HEAD", "/other")) <= 1


async def test_addresses_that_differ_in_a_fragment_are_asked_for_once(server, clock):
    page = server.on("/page", wild.answer(200))
    front = server.on("/", wild.answer(404))
    urls = {
        page: ["a", "b"],
        f"{page}#one": ["c"],
        f"{page}#two": [],
        front: ["d"],
        front.removesuffix("/"): ["e"],
    }
    results = [result async for result in check(urls, Settings(), clock=clock)]
    assert server.asked("/page") == ["HEAD"]
    assert server.asked("/") == ["HEAD", "GET"]
    assert {result.url: list(result.resources) for result in results} == urls
    assert len(results) == len(urls)


async def test_results_come_as_they_are_found(server, clock):
    slow = server.on("/slow", wild.hang, host=1)
    quick = server.on("/quick", wild.answer(200), host=2)
    found = check({slow: [], quick: []}, Settings(timeout=600), clock=clock)
    first = await anext(found)
    assert first.url == quick
    # and who has seen enough leaves nothing running
    await found.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
