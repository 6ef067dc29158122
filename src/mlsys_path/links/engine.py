"""A check of many addresses: what is known already, then what has to be asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict

from mlsys_path.links.addresses import BadAddress, request_key
from mlsys_path.links.asking import Asking, cancelled
from mlsys_path.links.cache import Cache
from mlsys_path.links.judging import outcome_of
from mlsys_path.links.records import Clock, Finding, LinkResult, Settings


async def check(
    urls: Mapping[str, Sequence[str]],
    settings: Settings,
    *,
    cache: Cache | None = None,
    fresh: bool = False,
    witnesses: Sequence[str] = (),
    clock: Clock | None = None,
) -> AsyncGenerator[LinkResult, None]:
    """Results as they come, of every address and the ids that cite it; `fresh` asks for what the cache knows too.

    `witnesses` are other addresses, of which some are asked when it is in doubt whether the network is there.
    Raises OfflineError, after what the cache knew, when it is not.
    """
    clock = clock or Clock()
    results: asyncio.Queue[LinkResult | None] = asyncio.Queue()

    def tell(url: str, finding: Finding, *, from_cache: bool = False) -> None:
        results.put_nowait(
            LinkResult(**asdict(finding), url=url, resources=tuple(urls[url]), from_cache=from_cache)
        )

    asked: dict[
        str, list[str]
    ] = {}  # what is asked for -> the addresses that differ in nothing but a fragment

    def settle(key: str, finding: Finding) -> None:
        if cache is not None:
            cache.put(key, finding)
        for url in asked[key]:
            tell(url, finding)

    for url in urls:
        try:
            key = request_key(url)
        except BadAddress as error:
            tell(
                url,
                Finding(outcome=outcome_of(error.cause), cause=error.cause, checked_at=clock.now()),
            )
            continue
        known = cache.get(key, clock.now()) if cache is not None and not fresh else None
        if known is not None:
            tell(url, known, from_cache=True)
        else:
            asked.setdefault(key, []).append(url)

    async def run() -> None:
        try:
            if asked:
                await Asking(asked, settings, witnesses, clock, settle).run()
        finally:
            results.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (result := await results.get()) is not None:
            yield result
        await task
    finally:
        await cancelled([task])
