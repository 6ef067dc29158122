"""How the program starts: its language, its theme, and the terminals that it refuses."""

from __future__ import annotations

import pytest

from mlsys_path import language, locations, preferences
from mlsys_path.errors import UserError
from mlsys_path.tui import app


@pytest.fixture
def started(monkeypatch):
    """What `run` would have shown: the app is made and not run."""
    made = []

    async def instead(opened: app.PathApp) -> None:
        made.append(opened)

    monkeypatch.setattr(app, "_run", instead)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return made


def remember(**settings: str) -> None:
    for key, value in settings.items():
        preferences.store(key, value)


def test_it_starts_in_english_and_dark_when_nothing_else_is_known(started):
    assert app.run() == 0
    assert (language.current(), started[0].theme) == ("en", "mlsys-dark")


def test_it_starts_as_it_was_left(started):
    remember(language="zh", theme="light", calm="on")
    app.run()
    assert (language.current(), started[0].theme) == ("zh", "mlsys-light")
    assert started[0].calm and started[0].animation_level == "none"


def test_what_is_asked_for_wins_over_what_is_remembered(started, monkeypatch):
    remember(language="zh")
    app.run("en")
    assert (language.current(), started[0].theme) == ("en", "mlsys-dark")
    monkeypatch.setenv("MLSYS_PATH_LANG", "en")
    app.run()
    assert language.current() == "en"


def test_a_broken_file_of_settings_is_told_and_stops_nothing(started):
    remember(language="zh")
    locations.preferences_path().write_text('language = "zh"\ntheme = "pink"\n')
    app.run()
    assert (language.current(), started[0].theme) == ("en", "mlsys-dark")
    assert "config.toml:2: theme cannot be 'pink'" in started[0].trouble_at_start


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_without_screens_is_told_of_the_commands(started, monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    with pytest.raises(UserError, match="this terminal cannot show screens"):
        app.run()
    assert not started


def test_a_defect_is_handed_to_the_command_line(started, monkeypatch):
    async def breaks(opened: app.PathApp) -> None:
        opened.defect = ZeroDivisionError("a defect")

    monkeypatch.setattr(app, "_run", breaks)
    with pytest.raises(ZeroDivisionError):
        app.run()
