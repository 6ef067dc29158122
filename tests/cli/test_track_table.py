"""A track as it is listed: reading, exercises and what is planned, in order, and whose word is whose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import write

STEPS = """
- read: {resource: a-book, parts: {en: The preface, zh: 序}, hours: 1}
- {topic: adding}
"""
PLANNED = """\
planned:
- id: add-later
  title: {en: Add later, zh: 以后再加}
  summary: {en: Not yet., zh: 尚未。}
  language: c
  hardware: cpu
  difficulty: 2
  minutes: 90
"""


@pytest.fixture(autouse=True)
def _a_track_of_all_kinds(content: Path):
    track = content / "roadmap" / "tracks" / "arithmetic.yaml"
    write(track, track.read_text().replace("[{exercise: add-two}]", STEPS))
    write(content / "roadmap" / "planned" / "all.yaml", PLANNED)
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    write(stage, stage.read_text().replace("add-two, add-nowhere", "add-two, add-later, add-nowhere"))


ROWS = [
    "  · to read  a-book       1 h     The preface",
    "  · to read  a-book       2 h     Chapter 1",
    "  · new      add-one      0.08 h  Add 1",
    "  - blocked  add-two      0.08 h  Add 2  (after add-one)",
    "  … planned  add-later    1.5 h   Add later",
    "  · new      add-nowhere  0.08 h  Add 100",
]


def test_everything_has_its_line(invoke):
    lines = invoke("track", "show", "arithmetic").stdout.splitlines()
    assert lines[-6:-1] == ROWS[:-1]
    lines = invoke("list", "--track", "arithmetic").stdout.splitlines()
    assert lines[:5] == ROWS[:-1]
    assert lines[-1] == "3 exercises, 0 passed, 1 planned, 2 readings"


@pytest.mark.parametrize("args", [["list", "--track", "arithmetic"], ["track", "show", "arithmetic"]])
def test_as_data(invoke, args):
    document = json.loads(invoke(*args, "--json").stdout)
    items = document["items"] if args[0] == "list" else document["track"]["items"]
    assert [(i["kind"], i["id"], i["topic"], i["hours"]) for i in items] == [
        ("read", "a-book", None, 1),
        ("read", "a-book", "adding", 2),
        ("exercise", "add-one", "adding", 0.08),
        ("exercise", "add-two", "adding", 0.08),
        ("planned", "add-later", "adding", 1.5),
        ("exercise", "add-nowhere", "adding", 0.08),
    ]
    assert (items[1]["reading"], items[1]["parts"], items[1]["url"], items[1]["word"]) == (
        "adding/a-book", "Chapter 1", "https://example.org/sums", None,
    )  # fmt: skip
    assert [i["state"] for i in items[2:5]] == ["new", "blocked", "planned"]


def test_what_is_said_to_be_read_is_shown_as_a_word(invoke):
    invoke("mark", "adding/a-book", "read")
    lines = invoke("track", "show", "arithmetic").stdout.splitlines()[-6:]
    assert lines[0].startswith("  · to read       a-book")
    assert lines[1].startswith("  ~ by your word  a-book")
    items = json.loads(invoke("list", "--track", "arithmetic", "--json").stdout)["items"]
    assert [i["word"] for i in items[:2]] == [None, "read"]


def test_a_status_is_that_of_exercises(invoke):
    lines = invoke("list", "--track", "arithmetic", "--status", "open").stdout.splitlines()
    assert [line.split()[2] for line in lines[:2]] == ["add-one", "add-nowhere"]
    assert lines[-1] == "2 exercises, 0 passed"


def test_a_stage_is_that_of_topics(invoke):
    items = json.loads(invoke("list", "--track", "arithmetic", "--stage", "foundations", "--json").stdout)[
        "items"
    ]
    assert [i["id"] for i in items[:2]] == ["a-book", "add-one"], "the preface is of no topic"


def test_no_line_is_longer_than_the_terminal(invoke, monkeypatch):
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "40")
    for lang in ("en", "zh"):
        text = invoke("--lang", lang, "list", "--track", "arithmetic").stdout
        assert max(map(cell_len, text.splitlines())) <= 50, "an id is never cut, and ten columns are left"
