"""`progress --activity`: a year as lines and as data."""

from __future__ import annotations

import json

from mlsys_path import language


def test_an_empty_year_is_said_in_words_and_as_data(invoke):
    text = invoke("progress", "--activity").stdout
    assert "In a year 0 attempts on 0 days." in text and "Attempts by weekday: Mon 0" in text
    found = json.loads(invoke("progress", "--activity", "--json").stdout)
    assert (found["attempts"], found["busiest"], len(found["weeks"]), len(found["weekdays"])) == (
        0,
        None,
        53,
        7,
    )


def test_what_was_checked_is_in_it(invoke, solve):
    solve("add-one")
    assert invoke("check", "add-one").exit_code == 0
    text = invoke("progress", "--activity").stdout
    assert "1 attempt on 1 day, 1 first pass" in text and "Foundations: 1/3" in text and "░" in text
    found = json.loads(invoke("progress", "--activity", "--json").stdout)
    assert (found["attempts"], found["passes"], found["weeks"][-1]["days"][-1]) == (1, 1, 1)
    assert found["stages"] == [{"id": "foundations", "title": "Foundations", "exercises": 3, "passed": 1}]


def test_where_there_is_no_room_there_is_no_drawing(invoke, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = invoke("progress", "--activity").stdout
    assert all(len(line) <= 40 for line in text.splitlines()) and "····" not in text
    language.use("en")
