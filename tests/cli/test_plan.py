"""`plan`: weeks in order, what is in none of them and why, and an honest word on whether it fits."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from rich.cells import cell_len

from mlsys_path.cli import planning
from mlsys_path.progress import queries

from .conftest import write

TODAY = date(2026, 3, 2)
TO_COME = """\
planned:
- id: add-later
  title: {en: Add later, zh: 以后再加}
  summary: {en: Not built yet., zh: 还没做。}
  language: python
  hardware: cpu
  difficulty: 1
  minutes: 60
"""


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "today", lambda: TODAY)


def shown(invoke, *args: str) -> dict:
    result = invoke("plan", *args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def rows(document: dict) -> list[list[tuple]]:
    return [
        [(i["kind"], i["id"], i["hours"], i["continued"], i["continues"]) for i in week["items"]]
        for week in document["weeks"]
    ]


def test_the_whole_path_week_by_week(invoke):
    document = shown(invoke, "--hours", "1.5")
    assert rows(document) == [
        [("read", "a-book", 1.5, False, True)],
        [
            ("read", "a-book", 0.5, True, False),
            ("exercise", "add-one", 0.08, False, False),
            ("exercise", "add-two", 0.08, False, False),
        ],
    ]
    assert [(w["week"], w["from"], w["to"]) for w in document["weeks"]] == [
        (1, "2026-03-02", "2026-03-08"), (2, "2026-03-09", "2026-03-15"),
    ]  # fmt: skip
    assert (document["track"], document["hours_per_week"], document["fit"]) == (None, 1.5, None)
    assert (document["hours"], document["ends"]) == (2.17, "2026-03-12")


def test_as_text(invoke):
    text = """\
The whole path
2 h 10 min left; at 1 h 30 min a week it is done on 2026-03-12.

Week 1  2026-03-02 – 2026-03-08  1 h 30 min
  1 h 30 min  read   a-book   Chapter 1  (continues)

Week 2  2026-03-09 – 2026-03-15  40 min
  30 min      read   a-book   Chapter 1  (continued)
  5 min       solve  add-one  Add 1
  5 min       solve  add-two  Add 2

In no week, as this machine cannot check them
  add-nowhere  Add 3
      needs no-such-program"""
    assert invoke("plan", "--hours", "1.5").stdout.startswith(text)


def test_what_this_machine_cannot_check_stands_apart_with_the_reason(invoke):
    [apart] = shown(invoke)["uncheckable"]
    assert (apart["id"], apart["hours_in_all"]) == ("add-nowhere", 0.08)
    assert "no-such-program" in apart["reason"]


def test_a_track_with_what_it_needs_beside(invoke):
    document = shown(invoke, "--track", "arithmetic")
    [week] = document["weeks"]
    assert [(i["id"], i["needed_for"]) for i in week["items"]] == [("add-one", "add-two"), ("add-two", None)]
    assert document["hours_per_week"] == 8, "the track's own"
    assert "Add 1  (needed for add-two)" in invoke("plan", "--track", "arithmetic").stdout
    invoke("track", "follow", "arithmetic")
    assert shown(invoke)["track"] == "arithmetic"


def test_what_is_known_or_read_is_left_out(invoke):
    invoke("mark", "a-book", "read")
    invoke("mark", "add-one", "known")
    assert rows(shown(invoke)) == [[("exercise", "add-two", 0.08, False, False)]]
    invoke("mark", "adding", "known")
    assert "Nothing is left to do here." in invoke("plan").stdout


def test_exercises_that_are_not_built_are_counted_and_not_scheduled(invoke, content: Path):
    write(content / "roadmap" / "planned" / "all.yaml", TO_COME)
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace("add-nowhere]", "add-nowhere, add-later]"))
    assert shown(invoke)["planned"] == ["add-later"]
    assert "1 exercise more is planned and not built yet: it is in no week." in invoke("plan").stdout


def test_hours_are_remembered(invoke):
    shown(invoke, "--hours", "2.5")
    assert shown(invoke)["hours_per_week"] == 2.5
    assert shown(invoke, "--track", "arithmetic")["hours_per_week"] == 2.5
    assert queries.setting(queries.HOURS_SETTING) == "2.5"
    invoke("plan", "--hours", "6")
    assert shown(invoke)["hours_per_week"] == 6


def test_hours_that_cannot_be_stored_still_make_a_plan(invoke, home: Path, monkeypatch):
    invoke("mark", "a-book", "read")
    (home / "progress.db").chmod(0o444)
    from mlsys_path.errors import UserError
    from mlsys_path.progress.store import Store

    def refuse(*_args: object) -> Store:
        raise UserError("the progress database is read-only")

    monkeypatch.setattr(Store, "open", refuse)
    result = invoke("plan", "--hours", "3")
    assert result.exit_code == 0
    assert "at 3 h a week" in result.stdout
    assert result.stderr == "mlsys-path: the progress database is read-only\n"


class TestUntil:
    def test_it_fits(self, invoke):
        document = shown(invoke, "--hours", "2", "--until", "2026-03-15")
        assert document["fit"] == {"fits": True, "spare_hours": 1.83}
        text = invoke("plan", "--hours", "2", "--until", "2026-03-15").stdout
        assert "2 h 10 min left; at 2 h a week it fits until 2026-03-15, with 1 h 50 min to spare." in text

    def test_it_does_not(self, invoke):
        document = shown(invoke, "--hours", "1", "--until", "2026-03-15")
        fit = document["fit"]
        assert (fit["fits"], fit["too_many_hours"], fit["hours_per_week_needed"], fit["ends"]) == (
            False, 0.17, 1.25, "2026-03-17",
        )  # fmt: skip
        assert [(i["id"], i["hours"]) for i in fit["left_out"]] == [("add-one", 0.08), ("add-two", 0.08)]
        assert sum(week["hours"] for week in document["weeks"]) == 2
        text = " ".join(invoke("plan", "--hours", "1", "--until", "2026-03-15").stdout.split())
        assert (
            "2 h 10 min left; at 1 h a week it does not fit until 2026-03-15: 10 min too many. "
            "At this pace it is done on 2026-03-17. It fits at 1 h 15 min a week." in text
        )
        assert "Left out at the end 5 min solve add-one Add 1 5 min solve add-two Add 2" in text

    def test_a_part_of_a_thing_is_left_out(self, invoke):
        document = shown(invoke, "--hours", "1", "--until", "2026-03-08")
        assert rows(document) == [[("read", "a-book", 1, False, True)]]
        assert document["fit"]["left_out"][0] | {"title": ""} == {
            "kind": "read", "id": "a-book", "title": "", "parts": "Chapter 1", "reading": "adding/a-book",
            "url": "https://example.org/sums", "topic": "adding",
            "hours_in_all": 2, "needed_for": None, "hours": 1,
        }  # fmt: skip
        assert "Chapter 1  (the rest of it)" in invoke("plan", "--hours", "1", "--until", "2026-03-08").stdout

    def test_no_week_has_enough_hours(self, invoke, content: Path):
        stage = content / "roadmap" / "stages" / "01-foundations.yaml"
        stage.write_text(stage.read_text().replace("hours: 2}", "hours: 200}"))
        document = shown(invoke, "--until", "2026-03-03")
        assert document["fit"]["hours_per_week_needed"] is None
        text = " ".join(invoke("plan", "--until", "2026-03-03").stdout.split())
        assert "It would take more hours than a week has." in text

    def test_it_may_begin_later(self, invoke):
        document = shown(invoke, "--from", "2026-04-01", "--until", "2026-04-30")
        assert (document["from"], document["weeks"][0]["from"]) == ("2026-04-01", "2026-04-01")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--hours", "0"], "0 hours a week cannot be planned with: give 0.5 to 168"),
        (["--hours", "-3"], "-3 hours a week cannot"),
        (["--hours", "200"], "200 hours a week cannot"),
        (["--hours", "nan"], "nan hours a week cannot"),
        (["--hours", "inf"], "inf hours a week cannot"),
        (["--hours", "many"], "many"),
        (["--until", "2026-03-01"], "2026-03-01 is past: it comes before the day on which it begins, 2026-03-02"),
        (["--from", "2026-03-01"], "2026-03-01 is past: it comes before today, 2026-03-02"),
        (["--from", "2026-05-01", "--until", "2026-04-30"], "2026-04-30 is past"),
        (["--until", "31.12.2026"], "'31.12.2026' is no date: write it as 2026-12-31"),
        (["--until", "2026-13-01"], "is no date"),
        (["--from", "9999-12-31"], "9999-12-31 is too far away to plan for"),
        (["--track", "arithmatic"], "did you mean 'arithmetic'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(invoke, home: Path, args, words):
    result = invoke("plan", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert not (home / "progress.db").exists(), "hours of a plan that was not made are not remembered"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_stays_within_80_columns(invoke, content: Path, monkeypatch, lang):
    monkeypatch.setenv("COLUMNS", "80")
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(
        stage.read_text().replace("第 1 章", "第一章到第十二章" * 9).replace("Chapter 1", "Chapters " * 20)
    )
    for spec in (content / "exercises").rglob("exercise.yaml"):
        spec.write_text(spec.read_text().replace("zh: 加上 ", "zh: " + "很长的标题" * 20))
    for args in ([], ["--hours", "0.5", "--until", "2026-03-12"], ["--track", "arithmetic"]):
        lines = invoke("--lang", lang, "plan", *args).stdout.splitlines()
        assert max(map(cell_len, lines)) <= 80, max(lines, key=cell_len)
        assert any(line.rstrip().endswith(("…", ")")) for line in lines)


def test_a_note_that_has_no_room_beside_its_title_stands_below(invoke, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = invoke("plan", "--track", "arithmetic").stdout.splitlines()
    assert lines[-3:] == [
        "  5 min  solve  add-one  Add 1",
        "         (needed for add-two)",
        "  5 min  solve  add-two  Add 2",
    ]
