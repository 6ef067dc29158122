"""The file of settings: what holds, what is kept of a file written by hand, and what is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path import locations, preferences
from mlsys_path.errors import UserError


def test_without_a_file_the_defaults_hold_and_no_file_is_made():
    found = preferences.load()
    assert {key: found[key] for key in preferences.KEYS} == {
        "language": "auto", "theme": "dark", "editor": "", "calm": "off"
    }  # fmt: skip
    assert found.language is None and not found.calm
    assert not locations.preferences_path().exists()


def test_what_is_set_holds_and_what_stood_in_the_file_stays():
    path = locations.preferences_path()
    path.parent.mkdir(parents=True)
    path.write_text('# mine\ntheme = "dark"  # at night\ncalm = true\n')
    found = preferences.store("theme", "light")
    assert (found["theme"], found.calm) == ("light", True)
    assert path.read_text() == '# mine\ntheme = "light"\ncalm = true\n'
    preferences.store("editor", r'vi -c "set \"x\""')
    assert preferences.load()["editor"] == r'vi -c "set \"x\""'
    assert preferences.store("theme", "")["theme"] == "dark"
    assert [child.name for child in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('theme = "dark"\ntheem = "light"\n', ":2: there is no setting 'theem': did you mean theme?"),
        ("calm = 3\n", ":1: calm is a text in quotes"),
        ('\nlanguage = "fr"\n', ":2: language cannot be 'fr': it is one of auto, en, zh"),
        ("theme dark\n", "config.toml: Expected '='"),
        ("editor = '''a\nb'''\n", ":1: editor is one line of text"),
        ("x" * (preferences.MAX_BYTES + 1), "too large"),
    ],
)
def test_a_wrong_file_is_one_line_with_its_place_and_is_not_written(text, said):
    path = locations.preferences_path()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        preferences.load()
    assert said in str(caught.value)
    with pytest.raises(UserError):
        preferences.store("theme", "light")
    assert path.read_text() == text
    assert preferences.lenient()[0]["theme"] == "dark" and said in preferences.lenient()[1]


def test_a_file_that_cannot_be_read_or_written_is_told():
    path = locations.preferences_path()
    path.mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be read"):
        preferences.load()


@given(st.text())
def test_any_editor_is_refused_or_comes_back_as_it_was(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("p") / "config.toml"
    try:
        found = preferences.store("editor", text, path)
    except UserError:
        assert not path.exists()
        return
    assert found["editor"] == text.strip() and preferences.load(path) == found
