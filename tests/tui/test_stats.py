"""The statistics: drawn, in words, at each size, and of nothing."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt, now
from mlsys_path.progress.store import Store


def record(
    exercise: str, days_ago: int, *, passed: bool = True, ratio: float | None = None, name: str = "big"
):
    with Store.open() as store:
        store.record(
            Attempt.new(
                exercise=exercise,
                started_at=now() - timedelta(days=days_ago),
                seconds=1.0,
                verdict=Outcome.PASSED if passed else Outcome.FAILED,
                levels={Level.CORRECT: Outcome.PASSED},
                files_hash="f",
                exercise_hash="e",
                measurements=[] if ratio is None else [{"name": name, "ratio": ratio}],
            )
        )


@contextlib.asynccontextmanager
async def statistics(opened, **options):
    async with opened(**options) as ui:
        await ui.press("S")
        await ui.until(lambda: ui.app.screen.stats)
        await ui.settles()
        yield ui


@pytest.mark.parametrize(
    ("size", "lang"), [((80, 24), "en"), ((80, 24), "zh"), ((120, 36), "zh"), ((200, 60), "en")]
)
async def test_the_year_the_stages_and_the_courses(opened, size, lang):
    language.use(lang)
    for days_ago, ratio in ((3, 0.5), (2, 0.7), (0, 0.9)):
        record("alpha", days_ago, ratio=ratio)
    async with statistics(opened, size=size) as ui:
        year = ui.card("year")
        assert len({cell_len(line) for line in ui.screen.split("\n")}) == 1
        assert "█" in year or "░" in year
        assert ("1/2" in ui.card("stages")) and "▁" in ui.card("courses") and "0.90" in ui.card("courses")
        assert ui.app.screen.query_one("#scroll").max_scroll_x == 0


async def test_of_nothing_there_is_an_empty_year_and_no_plot(opened):
    async with statistics(opened) as ui:
        await ui.sees("In a year 0 attempts on 0 days.", "Passed, by stage", "0/2")
        assert (ui.card("weeks"), ui.card("courses")) == ("", "")


async def test_the_year_in_words_and_back(opened):
    record("alpha", 0, passed=False)
    async with statistics(opened) as ui:
        await ui.press("w")
        await ui.sees("1 attempt on 1 day", "Attempts by weekday", "w as a drawing")
        await ui.press("w")
        await ui.sees("none ·", "w in words")


async def test_a_switch_of_the_language_and_what_was_done_since_show(opened):
    async with statistics(opened) as ui:
        await ui.press("l")
        await ui.until(lambda: language.current() == "zh")
        await ui.settles()
        await ui.press("l")
        record("alpha", 0)
        await ui.press("comma")
        await ui.sees("Settings")
        await ui.press("S")
        await ui.until(lambda: "1 attempt on 1 day" in ui.card("year"))
        await ui.press("q")
        await ui.sees("1 of 3 passed")


async def test_the_names_of_measurements_are_text(opened):
    record("alpha", 0, ratio=1.0, name="[/x] \x1b[31m\u202e" + "好" * 400)
    async with statistics(opened) as ui:
        assert "[/x] \\x1b[31m\\x202e" in ui.card("courses")
        await ui.press("end")
        assert len(ui.screen.split("\n")) == 24


async def test_a_database_that_cannot_be_read_is_told(opened):
    from mlsys_path import locations

    async with opened() as ui:
        locations.database_path().parent.mkdir(parents=True, exist_ok=True)
        locations.database_path().write_bytes(b"no database " * 100)
        await ui.press("S")
        await ui.hears("progress.db")
        await ui.sees("Statistics")
