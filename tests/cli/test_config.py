"""`config`: the screens' settings as commands."""

from __future__ import annotations

import json

import pytest

from mlsys_path import locations


def test_list_get_and_set(invoke):
    assert "theme" in invoke("config", "list").stdout
    assert invoke("config", "get", "theme").stdout == "dark\n"
    assert invoke("config", "set", "theme", "light").stdout == "theme = light\n"
    assert invoke("config", "get", "theme").stdout == "light\n"
    found = json.loads(invoke("config", "list", "--json").stdout)
    assert found["path"] == str(locations.preferences_path())
    assert {entry["key"]: entry["value"] for entry in found["settings"]} == {
        "language": "auto", "theme": "light", "editor": "", "calm": "off"
    }  # fmt: skip
    assert invoke("config", "set", "theme", "").stdout == "theme = dark\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("get", "thme"), "there is no setting 'thme': did you mean theme?"),
        (("set", "theme", "pink"), "theme cannot be 'pink': it is one of dark, light"),
    ],
)
def test_what_is_wrong_is_one_line(invoke, args, said):
    done = invoke("config", *args)
    assert done.exit_code == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_the_language_that_is_set_is_that_of_every_command(spawn, monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "MLSYS_PATH_LANG"):
        monkeypatch.delenv(name, raising=False)
    assert spawn("config", "set", "language", "zh").wait() == 0
    assert "做过什么" in spawn("--help").communicate()[0] or "命令" in spawn("--help").communicate()[0]
    assert "Commands" in spawn("--lang", "en", "--help").communicate()[0]
    locations.preferences_path().write_text("language = 3\n")
    out, said = spawn("--help").communicate()
    assert "Commands" in out and "config.toml:1: language is a text in quotes" in said
