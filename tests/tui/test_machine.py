"""The doctor's table as a screen: what is missing, and its commands, copied and looked for again."""

from __future__ import annotations

import contextlib

from mlsys_path.machine import inspect
from mlsys_path.machine.inspect import Machine

LACKING = Machine(modules=frozenset(), python="3.12.1", sandbox="rlimits", package_manager="apt")


@contextlib.asynccontextmanager
async def machine(opened, found=LACKING, **options):
    async with opened(**options) as ui:
        ui.app.services._machine = found
        await ui.press("M")
        await ui.sees("This machine", "sandbox")
        await ui.settles()
        yield ui


async def test_it_says_what_is_ready_what_is_open_and_what_would_add_it(opened):
    async with machine(opened, size=(120, 36)) as ui:
        await ui.sees(
            "✓ ready   python  correct      3/3", "○ open    python  gpu          0/3", "Not found:"
        )
        await ui.sees(
            "◐ partly  sandbox: rlimits", "1 command adds what is missing:", "apt install bubblewrap"
        )


async def test_one_command_and_all_are_copied(opened):
    async with machine(opened) as ui:
        first, *_ = commands = ui.app.screen.report.commands
        await ui.press("y")
        assert ui.app.clipboard == first
        await ui.hears("copied")
        await ui.press("a")
        assert ui.app.clipboard == "\n".join(commands)
        ui.app.copy_to_clipboard("")
        await ui.pilot.click("#commands", offset=(2, 0))
        await ui.until(lambda: ui.app.clipboard == first)


async def test_it_is_looked_at_again_on_asking(opened, monkeypatch):
    async with machine(opened) as ui:
        monkeypatch.setattr(inspect, "inspect", lambda: Machine(modules=frozenset(), python="9.9.9"))
        await ui.press("r")
        await ui.sees("Python 9.9.9")


async def test_where_nothing_is_missing_there_is_nothing_to_copy(opened, monkeypatch):
    from dataclasses import replace

    from mlsys_path.machine import doctor

    real = doctor.report
    monkeypatch.setattr(doctor, "report", lambda *args: replace(real(*args), commands=()))
    async with machine(opened) as ui:
        assert "copy" not in ui.screen.split("\n")[-1]
        assert not ui.app.screen.query_one("#adding").display


async def test_what_the_machine_says_of_itself_is_text(opened, monkeypatch):
    hostile = "[/x] [b]\x1b[31m\u202e" + "好" * 500
    found = Machine(modules=frozenset(), sandbox="landlock", sandbox_lacks=hostile, python=hostile)
    monkeypatch.setattr(inspect, "inspect", lambda: found)
    async with machine(opened) as ui:
        await ui.press("r")
        await ui.sees("[/x] [b]\\x1b[31m\\x202e")


async def test_it_switches_its_language_live(opened):
    async with machine(opened) as ui:
        await ui.press("l")
        await ui.sees("Python")
        await ui.settles()
        assert "Not found" not in ui.screen
