"""Pictures of the places beside the roadmap; `pytest --snapshot-update` makes them anew, and then look at each."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from mlsys_path import locations
from mlsys_path.levels import Level, Outcome
from mlsys_path.machine.inspect import Machine
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store
from mlsys_path.tui.defects import Defect
from mlsys_path.tui.screens import stats
from mlsys_path.tui.screens.crashed import CrashedScreen

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
MACHINE = Machine(
    python="3.12.1", architecture="x86_64", kernel="6.8", cores=8, memory_mb=32 << 10, disk_free_mb=100 << 10,
    tools={"gcc": "/usr/bin/gcc", "make": "/usr/bin/make"}, modules=frozenset({"numpy"}),
    sandbox="rlimits", package_manager="apt",
)  # fmt: skip
REPORT = """\
mlsys-path 0.1.0, Python 3.12.1, Linux
arguments: []
screens: ['Screen', 'HomeScreen', 'ExerciseScreen']

Traceback (most recent call last):
  File "overview.py", line 12, in details
    return roadmap.exercises[place.id]
KeyError: 'no-such-exercise'
"""
PLACES = {
    "statistics": ("S",), "in-words": ("S", "w"), "machine": ("M",), "settings": ("comma",), "palette": ("M", "ctrl+p"),
    "defect": (),
}  # fmt: skip
LOOKS = {
    "80x24-dark": ((80, 24), "mlsys-dark", ""),
    "120x36-light": ((120, 36), "mlsys-light", ""),
    "80x24-no-colour": ((80, 24), "mlsys-dark", "1"),
}


class Picture(SingleFileSnapshotExtension):
    """A picture a file."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"
    _file_extension = "svg"


@pytest.fixture
def a_year(monkeypatch):
    """A year in which something was done on some days, and a kernel became faster."""
    monkeypatch.setattr(stats, "now", lambda: NOON)
    with Store.open() as store:
        for back in range(0, 360, 1):
            for number in range((back * 7919 % 11) // 2 if back > 4 else 2):
                ratio = 0.4 + (360 - back) / 720
                store.record(
                    Attempt.new(
                        exercise="alpha" if back % 3 else "gamma",
                        started_at=NOON - timedelta(days=back, minutes=number),
                        seconds=1.0,
                        verdict=Outcome.PASSED if back < 200 else Outcome.FAILED,
                        levels={Level.CORRECT: Outcome.PASSED},
                        files_hash="f",
                        exercise_hash="e",
                        measurements=[{"name": "4096³ fp16", "ratio": ratio}] if back % 9 == 0 else [],
                    )
                )


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("place", PLACES)
async def test_it_looks_as_it_did(opened, a_year, monkeypatch, snapshot, place, look):
    size, theme, no_colour = LOOKS[look]
    if no_colour:
        monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr(locations, "preferences_path", lambda: Path("/home/ada/config.toml"))
    monkeypatch.setattr(
        "mlsys_path.machine.inspect.versions", lambda _machine: {"gcc": "13.2", "numpy": "2.1"}
    )
    async with opened(size=size, theme=theme, calm=True) as ui:
        ui.app.services._machine = MACHINE
        if place == "defect":
            defect = Defect("KeyError", "", REPORT, Path("/home/ada/log/crash-20260314.txt"))
            await ui.app.push_screen(CrashedScreen(defect))
        await ui.press(*PLACES[place][:1])
        await ui.settles()
        await ui.press(*PLACES[place][1:])
        await ui.settles()
        picture = ui.app.export_screenshot()
    # what a line of text hashes to is of no interest
    picture = re.sub(r"terminal-\d+", "terminal", picture)
    assert picture == snapshot(extension_class=Picture)
