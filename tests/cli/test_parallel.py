"""Runs side by side stay within cores and memory, and give back what they took."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from mlsys_path.cli.many import run_many
from mlsys_path.cli.parallel import Budget
from mlsys_path.language import Text
from mlsys_path.levels import Level
from mlsys_path.machine.records import Machine
from mlsys_path.roadmap.model import Check, Exercise, Limits

WORD = Text("a word", "词语")


def exercise(memory_mb: int = 100, language: str = "python", level: Level = Level.CORRECT) -> Exercise:
    checks = {"test_it": Check(WORD, level)}
    spec = Exercise("adding", WORD, WORD, "python", ("adding.py",), 1, 5, checks, (WORD,))
    return dataclasses.replace(spec, language=language, limits=Limits(memory_mb=memory_mb))  # type: ignore[arg-type]


class Gauge:
    """How many runs there were at once."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.running: list[Exercise] = []
        self.most = 0

    async def run(self, spec: Exercise) -> None:
        async with self.budget.share(spec):
            self.running.append(spec)
            self.most = max(self.most, len(self.running))
            await asyncio.sleep(0)
            assert (
                sum(min(s.limits.memory_mb, self.budget.memory_mb) for s in self.running)
                <= self.budget.memory_mb
            )
            self.running.remove(spec)


async def most_at_once(budget: Budget, *specs: Exercise) -> int:
    gauge = Gauge(budget)
    await asyncio.gather(*(gauge.run(spec) for spec in specs))
    return gauge.most


async def test_cores_bound_the_number_of_runs():
    assert await most_at_once(Budget(3, 10_000), *[exercise()] * 10) == 3


async def test_memory_bounds_it_too():
    assert await most_at_once(Budget(8, 250), *[exercise(100)] * 10) == 2


async def test_a_run_that_wants_more_than_there_is_runs_alone():
    assert await most_at_once(Budget(4, 250), exercise(9000), exercise(100), exercise(100)) <= 2
    assert await most_at_once(Budget(4, 250), *[exercise(9000)] * 3) == 1


async def test_a_timed_run_has_the_machine_for_itself():
    assert await most_at_once(Budget(4, 10_000), *[exercise(level=Level.FAST)] * 3) == 1


async def test_a_cancelled_run_gives_back_its_share():
    budget = Budget(1, 1000)
    entered = asyncio.Event()

    async def hold() -> None:
        async with budget.share(exercise()):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await entered.wait()
    task.cancel()
    await asyncio.wait([task])
    async with asyncio.timeout(10), budget.share(exercise()):
        pass


async def test_a_run_that_is_cancelled_while_it_waits_takes_nothing():
    budget = Budget(1, 1000)
    async with budget.share(exercise()):
        task = asyncio.create_task(Gauge(budget).run(exercise()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async with asyncio.timeout(10), budget.share(exercise()):
        pass


def test_the_machines_budget_is_at_least_one_run():
    budget = Budget.of_machine()
    assert budget.cores >= 1
    assert budget.memory_mb >= 1
    assert Budget.of_machine(7).cores == 7


class TestMany:
    async def test_results_in_the_order_that_was_asked_for(self, capsys):
        second_ended = asyncio.Event()

        async def first() -> str:
            await second_ended.wait()
            return "first"

        async def second() -> str:
            second_ended.set()
            return "second"

        assert await run_many([first, second], tell=str.upper, label="") == ["first", "second"]
        assert capsys.readouterr().out == "SECOND\nFIRST\n"

    async def test_the_first_to_break_ends_the_others_and_is_raised(self):
        ended = []

        async def endless() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        async def broken() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await run_many([endless, broken], tell=None, label="")
        assert ended == ["cancelled"]

    async def test_nothing_is_printed_when_nothing_is_to_be_told(self, capsys):
        async def job() -> int:
            return 1

        assert await run_many([job], tell=None, label="") == [1]
        assert capsys.readouterr().out == ""

    async def test_on_a_terminal_there_is_a_bar_and_foreign_text_stays_as_it_is(self, capsys, monkeypatch):
        monkeypatch.setattr("mlsys_path.cli.many.on_terminal", lambda: True)

        async def job() -> str:
            return "[bold]x[/y]"

        await run_many([job], tell=str, label="checking")
        assert "[bold]x[/y]" in capsys.readouterr().out


async def test_a_timed_run_that_this_machine_cannot_time_shares_it():
    spec = exercise(level=Level.FAST, language="triton")
    gauge = Gauge(Budget(4, 10_000))

    async def run() -> None:
        async with gauge.budget.share(spec, Machine()):
            gauge.running.append(spec)
            gauge.most = max(gauge.most, len(gauge.running))
            await asyncio.sleep(0)
            gauge.running.remove(spec)

    await asyncio.gather(*(run() for _ in range(4)))
    assert gauge.most == 4
