"""What is known is not asked for again, and no state of the file costs more than that."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from mlsys_path import locations
from mlsys_path.links.cache import Cache
from mlsys_path.links.records import Cause, Finding, LinkOutcome

wild = sys.modules["misbehaving"]
DAY = 86400.0


def finding(**values):
    return Finding(**{"outcome": LinkOutcome.OK, "cause": Cause.FINE, "checked_at": 1000.0, **values})


async def test_a_second_run_asks_for_nothing(server, find_all, tmp_path):
    urls = [
        server.on("/page", wild.answer(200)),
        server.on("/moved", wild.answer(301, "Location: /page")),
        server.url("/gone"),
    ]
    with Cache(tmp_path) as cache:
        first = await find_all(*urls, cache=cache)
        asked = len(server.log)
        second = await find_all(*urls, f"{urls[0]}#part", cache=cache)
    assert len(server.log) == asked
    assert all(result.from_cache for result in second.values())
    for url in urls:
        assert (second[url].outcome, second[url].reason) == (first[url].outcome, first[url].reason)
        assert second[url].checked_at == first[url].checked_at


async def test_what_was_unsure_is_asked_again(server, find_one, tmp_path):
    url = server.on("/page", wild.answer(403))
    with Cache(tmp_path) as cache:
        await find_one(url, cache=cache)
        server.on("/page", wild.answer(200))
        assert (await find_one(url, cache=cache)).outcome == LinkOutcome.OK


async def test_fresh_asks_again_and_keeps_what_it_finds(server, find_one, tmp_path):
    url = server.on("/page", wild.answer(200))
    with Cache(tmp_path) as cache:
        await find_one(url, cache=cache)
        server.on("/page", wild.answer(404))
        assert (await find_one(url, cache=cache, fresh=True)).outcome == LinkOutcome.DEAD
        assert (await find_one(url, cache=cache)).outcome == LinkOutcome.DEAD


@pytest.mark.parametrize(
    ("outcome", "days"),
    [("ok", 7), ("moved", 7), ("redirected", 7), ("dead", 1)],
)
def test_findings_go_stale(tmp_path, outcome, days):
    with Cache(tmp_path) as cache:
        cache.put("a", finding(outcome=LinkOutcome(outcome)))
        assert cache.get("a", 1000.0 + days * DAY - 1)
        assert cache.get("a", 1000.0 + days * DAY) is None
        # of a clock that was wrong
        assert cache.get("a", 999.0) is None


def test_it_lies_in_the_cache_folder():
    with Cache() as cache:
        assert cache.path.parent == locations.cache_dir() / "links"
        assert cache.path.exists()


@pytest.mark.parametrize("damage", ["garbage", "a page", "half"])
def test_a_damaged_file_is_set_aside(tmp_path, damage):
    with Cache(tmp_path) as cache:
        for number in range(200):
            cache.put(f"address {number}", finding(detail="x" * 100))
    content = cache.path.read_bytes()
    match damage:
        case "garbage":
            cache.path.write_bytes(b"this is no database" * 1000)
        case "a page":
            cache.path.write_bytes(content[:4096] + os.urandom(4096) + content[8192:])
        case "half":
            cache.path.write_bytes(content[: len(content) // 2])
    with Cache(tmp_path) as cache:
        assert cache.get("address 1", 1000.0) is None
        cache.put("address 1", finding())
        assert cache.get("address 1", 1000.0) == finding()
    assert cache.path.with_name(cache.path.name + ".damaged").exists()


@pytest.mark.parametrize(
    "row",
    ["", "nonsense", "[]", "{}", '{"outcome": "fine", "cause": "fine"}',
     '{"outcome": "ok", "cause": "fine", "checked_at": "now"}',
     '{"outcome": "ok", "cause": "fine", "checked_at": 1000, "final_url": 3}',
     '{"outcome": "ok", "cause": "fine", "checked_at": 1000, "colour": "red"}'],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_not_there(tmp_path, row):
    with Cache(tmp_path) as cache:
        cache.put("a", finding())
        other = sqlite3.connect(cache.path)
        with other:
            other.execute("UPDATE findings SET finding = ?", (row,))
        other.close()
        assert cache.get("a", 1000.0) is None


def test_without_a_place_for_it_everything_is_asked_for(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with Cache(folder) as cache:
            cache.put("a", finding())
            assert cache.get("a", 1000.0) is None
    (tmp_path / "folder" / cache.path.name).mkdir(parents=True)
    with Cache(tmp_path / "folder") as cache:
        cache.put("a", finding())
        assert cache.get("a", 1000.0) is None


def test_a_file_that_another_run_keeps_busy_costs_a_finding_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("mlsys_path.links.cache._BUSY_SECONDS", 0.0)
    with Cache(tmp_path) as cache:
        other = sqlite3.connect(cache.path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        cache.put("a", finding())
        assert cache.get("a", 1000.0) is None
        with Cache(tmp_path) as third:
            assert third.get("a", 1000.0) is None
        other.execute("ROLLBACK")
        other.close()
        cache.put("a", finding())
        assert cache.get("a", 1000.0)
    assert not cache.path.with_name(cache.path.name + ".damaged").exists()


WRITER = """
import sys
from pathlib import Path
from mlsys_path.links.cache import Cache
from mlsys_path.links.records import Cause, Finding, LinkOutcome
with Cache(Path(sys.argv[1])) as cache:
    for number in range(200):
        found = Finding(outcome=LinkOutcome.OK, cause=Cause.FINE, detail=sys.argv[2], checked_at=1000.0)
        cache.put(f"address {number}", found)
        cache.put(f"{sys.argv[2]} {number}", found)
"""


def test_runs_at_the_same_time_do_not_damage_it(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 3
    with Cache(tmp_path) as cache:
        assert cache.get("address 199", 1000.0).detail in "abc"
        assert all(any(cache.get(f"{name} {n}", 1000.0) for n in range(200)) for name in "abc")
    assert not cache.path.with_name(cache.path.name + ".damaged").exists()
