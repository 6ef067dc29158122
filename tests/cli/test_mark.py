"""`mark`: the learner's word is kept, followed, and never shown as a pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

from .conftest import write

TAKING = """\
  - id: taking
    title: {en: Taking, zh: 减法}
    summary: {en: Differences., zh: 两数之差。}
    reads: [{resource: a-book, parts: {en: Chapter 2, zh: 第 2 章}, hours: 3}]
"""
STEPS = """
- read: {resource: a-book, parts: {en: Preface, zh: 序}, hours: 1}
- read: {resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}
- {topic: taking}
- {exercise: add-two}"""
TWO = """\
id: two
title: {en: Two, zh: 二}
summary: {en: Two parts., zh: 两部分。}
steps:
- read: {resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}
- read: {resource: a-book, parts: {en: Chapter 2, zh: 第 2 章}, hours: 3}
"""
RENAMES = "exercises: {plus-one: add-one}\ntopics: {sums: adding}\n"


def shown(invoke, *args: str) -> dict:
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def record(exercise: str, verdict: Outcome) -> None:
    with Store.open() as store:
        store.record(
            Attempt.new(
                exercise=exercise,
                started_at=datetime(2026, 1, 1, tzinfo=UTC),
                seconds=1.0,
                verdict=verdict,
                levels={Level.CORRECT: verdict},
                files_hash="f",
                exercise_hash="e",
            )
        )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["foundations", "known"], ["“Foundations” (stage foundations): known, by your word.", "3 exercises"]),
        (["adding", "known"], ["“Adding” (topic adding): known, by your word.", "do not count as passed"]),
        (["adding", "read"], ["“Adding” (topic adding): read, by your word.", "leave out its reading."]),
        (["a-book", "read"], ["“A book of sums” (resource a-book): read, by your word."]),
        (["a-book", "known"], ["“A book of sums” (resource a-book): known, by your word."]),
        (["add-one", "known"], ["“Add 1” (exercise add-one): known, by your word.", "not count as passed"]),
        (["add-one", "none"], ["nothing of it that could be taken back"]),
    ],
)  # fmt: skip
def test_what_can_be_said(invoke, args, words):
    result = invoke("mark", *args)
    assert result.exit_code == 0, result.stderr
    assert all(word in result.stdout for word in words), result.stdout


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["add-one", "read"], "nobody knows by reading"),
        (["arithmetic", "known"], "is a track: mark"),
        (["ading", "known"], "did you mean 'adding'?"),
        (["adding", "known", "--kind", "stage"], "there is no stage 'adding'"),
        (["adding", "passed"], "passed"),
        (["adding", "known", "--kind", "track"], "track"),
    ],
)
def test_what_cannot(invoke, home: Path, args, word):
    result = invoke("mark", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert word in result.stderr
    assert not (home / "progress.db").exists()


def test_an_id_of_several_things_means_what_can_be_said_of(invoke, content: Path):
    file = content / "roadmap" / "resources" / "books.yaml"
    file.write_text(file.read_text().replace("a-book", "add-one"))
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace("a-book", "add-one"))
    for spec in (content / "exercises").rglob("exercise.yaml"):
        spec.write_text(spec.read_text().replace("a-book", "add-one"))
    assert "(resource add-one)" in invoke("mark", "add-one", "read").stdout
    assert "(exercise add-one)" in invoke("mark", "add-one", "known").stdout
    assert "(resource add-one)" in invoke("mark", "add-one", "known", "--kind", "resource").stdout


class TestKnown:
    @pytest.fixture(autouse=True)
    def _say(self, invoke):
        assert invoke("mark", "add-one", "known").exit_code == 0

    def test_next_leaves_it_out_and_goes_on_with_what_builds_on_it(self, invoke):
        found = shown(invoke, "next")["suggestions"]
        assert [s["id"] for s in found] == ["add-two", "add-nowhere"]
        assert "by your word" in found[0]["reason"]

    def test_it_is_listed_as_a_word_and_not_as_passed(self, invoke):
        entries = {e["id"]: e for e in shown(invoke, "list")["exercises"]}
        assert (entries["add-one"]["status"], entries["add-one"]["state"]) == ("open", "new")
        assert {name: e["word"] for name, e in entries.items()} == {
            "add-one": "known", "add-two": None, "add-nowhere": None,
        }  # fmt: skip
        assert (entries["add-two"]["status"], entries["add-two"]["missing"]) == ("open", [])
        lines = invoke("list").stdout.splitlines()
        assert "~ by your word" in lines[1]
        assert lines[-1] == "3 exercises, 0 passed, 1 known by your word"
        assert shown(invoke, "list", "--status", "passed")["exercises"] == []

    def test_show_says_whose_word_it_is(self, invoke):
        assert "known, by your word" in invoke("show", "add-one").stdout
        assert "known, by your word" not in invoke("show", "add-two").stdout
        assert "`add-one`: Add 1 (known, by your word)" in invoke("show", "adding").stdout

    def test_progress_has_a_section_of_its_own_for_it(self, invoke):
        document = shown(invoke, "progress")
        assert (document["passes"], document["exercises"]) == (0, [])
        [word] = document["words"]
        assert (word["kind"], word["id"], word["title"], word["word"]) == (
            "exercise", "add-one", "Add 1", "known",
        )  # fmt: skip
        text = invoke("progress").stdout
        proved, _heading, words = text.partition("What you say, which is no proof and counts as no pass:\n")
        assert "0/3" in proved
        assert "known, by your word  add-one  Add 1" in words

    def test_tracks_count_it_apart(self, invoke, content: Path):
        write(
            content / "roadmap" / "tracks" / "arithmetic.yaml",
            (content / "roadmap" / "tracks" / "arithmetic.yaml")
            .read_text()
            .replace("[{exercise: add-two}]", "[{exercise: add-one}, {exercise: add-two}]"),
        )
        track = shown(invoke, "track", "show", "arithmetic")["track"]
        assert (track["passed"], track["known"]) == (0, 1)
        assert "~ by your word  add-one" in invoke("track", "show", "arithmetic").stdout
        assert "0/2" in invoke("track", "list").stdout
        assert "(+1 by your word)" in invoke("track", "list").stdout

    def test_it_can_be_taken_back(self, invoke):
        assert "taken back" in invoke("mark", "add-one", "none").stdout
        assert [s["id"] for s in shown(invoke, "next")["suggestions"]] == ["add-one", "add-nowhere"]
        assert shown(invoke, "progress")["words"] == []

    def test_what_was_proved_is_shown_as_proved(self, invoke):
        record("add-one", Outcome.PASSED)
        [one] = shown(invoke, "list", "--status", "passed")["exercises"]
        assert (one["state"], one["word"]) == ("passed", None)
        assert "✓ passed" in invoke("list").stdout

    def test_what_was_tried_and_failed_is_shown_as_failed_beside_the_word(self, invoke):
        record("add-one", Outcome.FAILED)
        line = invoke("list").stdout.splitlines()[1]
        assert "✗ failed" in line
        assert "(known, by your word)" in line
        assert "`add-one`: Add 1 (✗ failed; known, by your word)" in invoke("show", "adding").stdout


def test_a_topic_and_a_stage(invoke):
    invoke("mark", "foundations", "known")
    assert "Nothing is left that you have neither passed nor said to know." in invoke("next").stdout
    assert invoke("show", "foundations").stdout.startswith("# Foundations (known, by your word)\n")
    assert invoke("show", "adding").stdout.startswith("# Adding (known, by your word)\n")
    invoke("mark", "adding", "none")
    assert shown(invoke, "next")["suggestions"][0]["id"] == "add-one"
    assert invoke("show", "adding").stdout.startswith("# Adding\n")


def test_what_is_read_is_no_longer_to_be_read_first(invoke):
    assert "Read first: “A book of sums”, Chapter 1 (2 h)" in " ".join(invoke("next").stdout.split())
    assert shown(invoke, "next")["suggestions"][0]["read_first"]
    invoke("mark", "a-book", "read")
    assert "Read first" not in invoke("next").stdout
    assert shown(invoke, "next")["suggestions"][0]["read_first"] is None
    assert invoke("show", "a-book").stdout.startswith("# A book of sums (read, by your word)\n")


class TestAPart:
    """A resource has several parts, and each topic wants one of them read."""

    @pytest.fixture(autouse=True)
    def _another_topic(self, content: Path):
        stage = content / "roadmap" / "stages" / "01-foundations.yaml"
        write(stage, stage.read_text() + TAKING)
        track = content / "roadmap" / "tracks" / "arithmetic.yaml"
        write(track, track.read_text().replace("[{exercise: add-two}]", STEPS))

    def left(self, invoke) -> list[str]:
        [week] = shown(invoke, "plan", "--track", "arithmetic", "--hours", "100")["weeks"]
        return [item["reading"] for item in week["items"] if item["kind"] == "read"]

    def test_is_marked_apart_from_the_rest(self, invoke):
        assert self.left(invoke) == ["arithmetic/a-book", "adding/a-book", "taking/a-book"]
        result = invoke("mark", "taking/a-book", "read")
        assert result.stdout == (
            "“A book of sums: Chapter 2” (reading taking/a-book): read, by your word.\n"
            "`mlsys-path plan` and `next` leave it out.\n"
        )
        assert self.left(invoke) == ["arithmetic/a-book", "adding/a-book"]
        assert "Chapter 2 (3 h; read, by your word)" in invoke("show", "taking").stdout
        assert "read, by your word" not in invoke("show", "adding").stdout
        assert "Chapter 2 (3 h; read, by your word)" in invoke("show", "a-book").stdout

    def test_is_known_to_the_track_that_wants_it_too(self, invoke):
        assert shown(invoke, "mark", "arithmetic/a-book", "read")["id"] == "arithmetic/a-book"
        assert "(reading adding/a-book)" in invoke("mark", "adding/a-book", "known").stdout
        assert self.left(invoke) == ["taking/a-book"]
        assert "- `arithmetic/a-book`: A book of sums. Preface (1 h; read, by your word)." in " ".join(
            invoke("show", "arithmetic").stdout.split()
        )

    def test_is_part_of_the_whole(self, invoke):
        invoke("mark", "a-book", "read")
        assert self.left(invoke) == []
        document = shown(invoke, "mark", "adding/a-book", "none")
        assert (document["kind"], document["word"], document["stored"]) == ("reading", None, True)
        assert self.left(invoke) == ["adding/a-book"]
        assert not shown(invoke, "mark", "adding/a-book", "none")["stored"]

    def test_has_a_page(self, invoke):
        page = invoke("show", "taking/a-book").stdout
        assert page.startswith("# A book of sums\n\nChapter 2\n")
        assert "For: Taking (`taking`)" in page
        assert "`mlsys-path mark taking/a-book read`" in page

    def test_is_said_in_progress(self, invoke):
        invoke("mark", "taking/a-book", "read")
        [word] = shown(invoke, "progress")["words"]
        assert (word["kind"], word["id"], word["title"]) == (
            "reading", "taking/a-book", "A book of sums: Chapter 2",
        )  # fmt: skip

    def test_that_there_is_not_is_told_the_nearest(self, invoke):
        assert "did you mean 'taking/a-book'?" in invoke("mark", "taking/a-bok", "read").stderr

    def test_of_several_of_a_track_none_is_guessed(self, invoke, content: Path):
        write(content / "roadmap" / "tracks" / "two.yaml", TWO)
        said = invoke("mark", "two/a-book", "read").stderr
        assert "two/a-book has several parts: adding/a-book, taking/a-book" in said


def test_words_travel_in_an_export(invoke, home: Path, tmp_path: Path):
    invoke("mark", "adding", "known")
    assert invoke("export", str(tmp_path / "mine.gz")).exit_code == 0
    (home / "progress.db").unlink()
    assert "1 word of yours" in invoke("import", str(tmp_path / "mine.gz")).stdout
    assert [word["id"] for word in shown(invoke, "progress")["words"]] == ["adding"]


def test_a_word_that_cannot_be_stored_is_an_error(invoke, home: Path):
    home.mkdir()
    (home / "progress.db").write_bytes(b"this is no database" * 100)
    result = invoke("mark", "adding", "known")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert invoke("show", "add-one").exit_code == 0, "a lesson can be read all the same"


class TestRenamed:
    """What was done under an earlier id counts, in every command."""

    @pytest.fixture(autouse=True)
    def _rename(self, content: Path):
        write(content / "roadmap" / "renames.yaml", RENAMES)

    def test_an_earlier_id_means_the_present_one(self, invoke):
        assert "(exercise add-one)" in invoke("mark", "plus-one", "known").stdout
        assert "(topic adding)" in invoke("mark", "sums", "known").stdout
        assert {(w["kind"], w["id"]) for w in shown(invoke, "progress")["words"]} == {
            ("exercise", "add-one"),
            ("topic", "adding"),
        }

    def test_a_pass_and_a_word_of_before(self, invoke):
        record("plus-one", Outcome.PASSED)
        with Store.open() as store:
            store.claim("topic", "sums", "read")
            store.record_event("plus-one", "hint", "1")
        [one] = shown(invoke, "list", "--status", "passed")["exercises"]
        assert (one["id"], one["attempts"], one["hints"]) == ("add-one", 1, 2)
        document = shown(invoke, "progress")
        assert (document["passes"], document["recent"][0]["exercise"]) == (1, "add-one")
        assert document["stages"][0]["passed"] == 1
        assert shown(invoke, "next")["suggestions"][0]["id"] == "add-two"
        assert invoke("hint", "add-one").stdout.startswith("Hint 3 of 3")
        assert "return number + 1" in invoke("solution", "plus-one").stdout
        assert invoke("show", "adding").stdout.startswith("# Adding (read, by your word)\n")

    def test_the_folder_of_before_is_used(self, invoke, solve, home: Path):
        (solve("add-one")).rename(home / "workspace" / "plus-one")
        assert str(home / "workspace" / "plus-one") in invoke("show", "add-one").stdout
        assert "+    return number + 1\n" in invoke("diff", "add-one").stdout
        assert (home / "workspace" / "add-one" / "add_one.py").is_file()
        assert not (home / "workspace" / "plus-one").exists()

    @pytest.mark.parametrize("argument", ["plus-one", "add-one", "--all"])
    def test_it_is_checked_under_its_present_id(self, invoke, solve, home: Path, argument):
        (solve("add-one")).rename(home / "workspace" / "plus-one")
        result = invoke("check", argument, "--json")
        [found] = json.loads(result.stdout)["results"]
        assert (found["exercise"], found["verdict"]) == ("add-one", "passed"), result.stdout
        assert queries.statuses()["add-one"].passed

    def test_in_a_folder_of_the_earlier_name(self, invoke, solve, home: Path, monkeypatch):
        folder = home / "workspace" / "plus-one"
        (solve("add-one")).rename(folder)
        monkeypatch.chdir(folder)
        assert json.loads(invoke("check", "--json").stdout)["results"][0]["exercise"] == "add-one"
        assert folder.is_dir(), "the ground is not taken away from under who stands there"

    def test_the_followed_track(self, invoke, content: Path):
        invoke("track", "follow", "arithmetic")
        old = content / "roadmap" / "tracks" / "arithmetic.yaml"
        write(old, old.read_text().replace("id: arithmetic", "id: sums-track"))
        write(content / "roadmap" / "renames.yaml", RENAMES + "tracks: {arithmetic: sums-track}\n")
        assert shown(invoke, "progress")["track"] == "sums-track"
        assert shown(invoke, "track", "show", "arithmetic")["track"]["followed"]
        assert shown(invoke, "next")["suggestions"][0]["reason_kind"] == "track"
        assert shown(invoke, "plan", "--track", "arithmetic")["track"] == "sums-track"
