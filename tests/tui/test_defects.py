"""A defect in a widget is told with a report that can be copied, and the program goes on; progress is kept."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from mlsys_path import locations
from mlsys_path.progress import queries
from mlsys_path.tui.screens.crashed import CrashedScreen
from mlsys_path.tui.screens.settings import SettingsScreen


def breaks(*_args, **_options):
    raise ZeroDivisionError("[/x] a defect \x1b[31m\u202e")


def reports() -> list[str]:
    return [path.read_text() for path in sorted(locations.log_dir().glob("crash-*.txt"))]


async def test_a_handler_that_breaks_is_told_and_everything_goes_on(opened):
    async with opened(defects=True, size=(100, 30)) as ui:
        await ui.open()
        ui.app.screen.action_hint = breaks
        await ui.press("h")
        await ui.sees(
            "Something in mlsys-path itself broke: ZeroDivisionError", "[/x] a defect \\x1b[31m\\x202e"
        )
        await ui.press("y")
        (report,) = reports()
        assert ui.app.clipboard == report and "HomeScreen" in report and "size: 100x30" in report
        await ui.press("enter")
        await ui.sees("English text")
        await ui.press("c")
        await ui.sees("✓ passed  level")
        await ui.settles()
    assert ui.app.return_code in (0, None) and ui.app.defect is None
    assert len(queries.attempts("alpha")) == 1


async def test_a_running_check_goes_on_and_is_stored(opened, checker):
    checker.step_by_step = True
    async with opened(defects=True) as ui:
        await ui.open()
        await ui.press("c")
        await ui.sees("▸ running")
        ui.app.screen.call_later(breaks)
        await ui.sees("ZeroDivisionError")
        checker.go(2)
        await ui.until(lambda: queries.attempts("alpha"))
        await ui.press("enter")
        await ui.sees("✓ passed  level")


@pytest.mark.parametrize("where", ["render", "compose", "timer", "worker", "after refresh"])
async def test_wherever_it_comes_from_it_is_told_and_one_goes_on(opened, monkeypatch, where):
    async with opened(defects=True) as ui:
        match where:
            case "render":
                monkeypatch.setattr(SettingsScreen, "_explain", lambda _self: None)
                await ui.press("comma")
                await ui.sees("Language")
                note = ui.app.screen.query_one("#note", Static)
                note.render = breaks
                note.refresh(layout=True)
            case "compose":
                monkeypatch.setattr(SettingsScreen, "compose", breaks)
                await ui.press("comma")
            case "timer":
                ui.app.screen.set_timer(0.01, breaks)
            case "worker":
                ui.app.run_worker(breaks, thread=True)
            case "after refresh":
                ui.app.call_after_refresh(breaks)
        # not by reading the screen, which would draw it
        await ui.until(lambda: isinstance(ui.app.screen, CrashedScreen))
        await ui.sees("Something in mlsys-path itself broke")
        for _again in range(6):
            if isinstance(ui.app.screen, CrashedScreen):
                await ui.press("enter")
                await ui.pilot.pause(0.1)
        assert not isinstance(ui.app.screen, CrashedScreen), "at last one is where nothing is broken"
        if not isinstance(ui.app.screen, SettingsScreen):
            await ui.sees("Welcome")
    assert ui.app.defect is None and reports()


async def test_what_breaks_again_and_again_is_told_once_and_left_behind(opened):
    async with opened(defects=True) as ui:
        await ui.press("comma")
        await ui.sees("Settings")
        ui.app.screen.set_interval(0.01, breaks)
        await ui.sees("Something in mlsys-path itself broke")
        await ui.until(lambda: ui.app.defects.since > 3)
        assert len(ui.app.screen_stack) == 4 and len(reports()) == 1
        await ui.press("enter")
        # the timer may have come once more while its screen was on the way out
        await ui.until(lambda: "Welcome" in ui.screen or ui.app.defects.telling is not None)
        if ui.app.defects.telling is not None:
            await ui.press("enter")
        await ui.sees("Welcome")
        await ui.settles()
        await ui.sees("Welcome")


async def test_one_can_leave_from_there(opened):
    async with opened(defects=True) as ui:
        ui.app.screen.call_later(breaks)
        await ui.sees("Something in mlsys-path itself broke")
        await ui.press("q")
    assert ui.app.return_code == 0


async def test_a_report_that_cannot_be_written_is_shown_all_the_same(opened, monkeypatch):
    from mlsys_path import crash_report

    monkeypatch.setattr(crash_report, "write", lambda _text: None)
    async with opened(defects=True) as ui:
        ui.app.screen.call_later(breaks)
        await ui.sees("(it could not be written)", "ZeroDivisionError")


async def test_when_not_even_that_can_be_shown_the_program_ends_without_a_traceback(
    opened, monkeypatch, capsys
):
    monkeypatch.setattr(CrashedScreen, "compose", breaks)
    with pytest.raises(ZeroDivisionError):
        async with opened(defects=True) as ui:
            ui.app.screen.call_later(breaks)
            await ui.until(lambda: ui.app.defect is not None)
    assert isinstance(ui.app.defect, ZeroDivisionError)
    assert "Traceback" not in capsys.readouterr().err


async def test_its_language_switches_live_and_every_action_has_its_key(opened):
    async with opened(defects=True) as ui:
        ui.app.screen.call_later(breaks)
        await ui.sees("y copy the report", "⏎ go on", "q quit")
        ui.app.switch_language()
        await ui.settles()
        await ui.press("enter")
        await ui.sees("甲：第一个")
