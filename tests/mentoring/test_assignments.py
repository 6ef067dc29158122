"""A mentor gives a track to a learner by a file; the learner imports it, sees it and is led along it."""

from __future__ import annotations

import http.server
import json
import random
import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import yaml

from mlsys_path.errors import UserError
from mlsys_path.mentoring import assignment_file, fetching, incoming, received, schema, tracks
from mlsys_path.mentoring.assignment import from_json, to_json
from mlsys_path.roadmap.load import load

from ..roadmap.test_fuzz import mutated

MUTATIONS = 1000


@pytest.fixture
def assigned(bob, tmp_path: Path) -> Path:
    """Bob's assignment of the arithmetic track to Alice."""
    done = bob(
        "track", "assign", "arithmetic", "--to", "Alice", "--as", "Bob", "--due", "2099-12-31",
        "--due", "add-two=2099-06-30", "--level", "fast", "--note", "Take your time.", "--waive", "add-one",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return tmp_path / "alice.assignment.yaml"


def shown(call, *args) -> dict:
    done = call(*args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_assignment_is_seen_and_followed(alice, assigned):
    done = alice("import", str(assigned))
    assert done.exit_code == 0 and "Bob has assigned “The arithmetic track” to Alice" in done.output
    (seen,) = shown(alice, "next")["assigned"]
    assert (seen["mentor"], seen["due"]) == ("Bob", "2099-12-31")
    assert (seen["undone"], seen["next_due"], seen["level"]) == (["add-two"], "2099-06-30", "fast")
    assert shown(alice, "track", "show", "arithmetic")["track"]["followed"]
    text = alice("next").output
    assert "Bob has assigned you “The arithmetic track”: 0 of 1 done." in text
    page = " ".join(alice("track", "show", "arithmetic").output.split())
    for said in (
        "Alice",
        "All of it is due on 2099-12-31.",
        "add-two is due on 2099-06-30.",
        "Take your time.",
    ):
        assert said in page


def test_what_is_waived_is_not_asked_for_and_counts_as_met(alice, assigned):
    alice("import", str(assigned))
    assert shown(alice, "next")["suggestions"][0]["id"] == "add-two"
    states = {e["id"]: e for e in shown(alice, "list")["exercises"]}
    assert states["add-two"]["missing"] == []
    assert states["add-one"]["word"] is None, "it is the mentor's word, not the learner's"
    assert "~ waived" in alice("list").output


def test_importing_twice_changes_nothing(alice, assigned, tmp_path):
    alice("import", str(assigned))
    alice("track", "follow", "--none")
    done = alice("import", str(assigned))
    assert done.exit_code == 0 and "known already" in done.output
    assert not shown(alice, "track", "show", "arithmetic")["track"]["followed"]
    with closing(sqlite3.connect(tmp_path / "alice" / "progress.db")) as connection:
        assert connection.execute("SELECT count(*) FROM assignments").fetchone() == (1,)


def test_a_changed_assignment_takes_the_place_of_the_first(alice, bob, assigned):
    alice("import", str(assigned))
    text = assigned.read_text()
    later = bob(
        "track",
        "assign",
        "add-one",
        "add-two",
        "--to",
        "Alice",
        "--change",
        str(assigned),
        "--due",
        "2098-01-31",
    )
    assert later.exit_code == 0, later.output
    data = yaml.safe_load(assigned.read_text())
    assert data["id"] == yaml.safe_load(text)["id"]
    alice("import", str(assigned))
    (seen,) = shown(alice, "next")["assigned"]
    assert (seen["undone"], seen["due"], seen["waived"]) == (["add-one", "add-two"], "2098-01-31", [])


def test_exercises_alone_become_a_track_of_their_own(alice, bob, tmp_path):
    bob(
        "track", "assign", "add-two", "add-one", "--to", "小明", "--as", "Bob", "-o", "给小明.assignment.yaml"
    )
    alice("import", str(tmp_path / "给小明.assignment.yaml"))
    (track,) = (t for t in shown(alice, "track", "list")["tracks"] if t["followed"])
    assert track["exercises"] == ["add-two", "add-one"]
    assert "Exercises from Bob" in alice("track", "show", track["id"]).output
    assert alice("plan", "--track", track["id"]).exit_code == 0
    assert alice("show", track["id"]).exit_code == 0


def test_a_track_of_ones_own_travels_with_the_assignment(alice, bob, tmp_path):
    done = bob("track", "new", "my-sums", "add-one", "foundations", "--title", "My sums", "-o", "sums.yaml")
    assert done.exit_code == 0, done.output
    unwritten = bob("track", "assign", "sums.yaml", "--to", "Alice", "--as", "Bob")
    assert unwritten.exit_code == 2 and "sums.yaml:6:1: summary: is still to be written" in unwritten.stderr
    (tmp_path / "sums.yaml").write_text((tmp_path / "sums.yaml").read_text().replace("[author] ", ""))
    assert bob("track", "assign", "sums.yaml", "--to", "Alice", "--as", "Bob").exit_code == 0
    assert alice("import", str(tmp_path / "alice.assignment.yaml")).exit_code == 0
    assert shown(alice, "track", "show", "my-sums")["track"]["title"] == "My sums"


def test_a_track_in_a_pack_is_used_like_ours(bob, tmp_path):
    assert bob("track", "new", "ours", "add-two", "--pack", "Our Group").exit_code == 0
    assert bob("pack", "add", "Our Group").exit_code == 0
    assert bob("track", "assign", "ours", "--to", "Alice", "--as", "Bob").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("level: fast", "level: fats", "unknown value 'fats'; did you mean 'fast'?"),
        ("mentor: Bob", "mentro: Bob", "unknown key; did you mean 'mentor'?"),
        ("due: '2099-12-31'", "due: 2099-02-30", "due: the value '2099-02-30' is not plain data"),
        ("- add-one", "- ad-one", "waive.0: there is no exercise 'ad-one'; did you mean 'add-one'?"),
        ("exercise: add-two", "exercise: add-too", "track.steps.0.exercise: there is no exercise 'add-too'"),
        ("mentor: Bob", 'mentor: "B\\e[2Job"', "mentor: a name is one line"),
        ("Take your time.", "Take\u202e your time.", "note: "),
        ("version: 1", "version: 2", "version"),
    ],
)
def test_every_mistake_is_told_with_its_place(alice, assigned, old, new, said):
    text = assigned.read_text()
    assert old in text
    assigned.write_text(text.replace(old, new))
    done = alice("import", str(assigned))
    assert done.exit_code == 2
    assert said in done.stderr and done.stderr.count("\n") == 1 and "\x1b" not in done.stderr
    assert f"{assigned}:" in done.stderr
    assert shown(alice, "next")["assigned"] == []


def test_no_mutation_of_an_assignment_is_more_than_a_line(assigned):
    roadmap, data, draw = load(), assigned.read_bytes(), random.Random()
    for _ in range(MUTATIONS):
        changed = mutated(data, draw)
        try:
            assignment = assignment_file.loads(roadmap, changed, assigned)
        except UserError as error:
            assert "\n" not in str(error), changed
        else:
            assert from_json(to_json(assignment)) == assignment
            received.with_assigned(roadmap, [assignment])


def test_what_assign_would_write_wrong_is_not_written(bob, tmp_path):
    for wrong in (
        ["--due", "soon"],
        ["--waive", "ad-one"],
        ["--due", "add-too=2099-01-01"],
        ["--note", "\x1b[2J"],
    ):
        done = bob("track", "assign", "arithmetic", "--to", "Alice", "--as", "Bob", *wrong)
        assert done.exit_code == 2 and done.stderr.count("\n") == 1, done.output
    assert bob("track", "assign", "arithmetic", "--to", " ", "--as", "Bob").exit_code == 2
    assert bob("track", "assign", "arithmetik", "--to", "A", "--as", "Bob").exit_code == 2
    assert not list(tmp_path.glob("*.assignment.yaml"))


def test_nothing_is_written_over(bob, assigned):
    before = assigned.read_text()
    done = bob("track", "assign", "arithmetic", "--to", "Alice")
    assert done.exit_code == 2 and "is there already" in done.stderr
    assert assigned.read_text() == before


def test_a_folder_is_imported_file_by_file(alice, assigned, tmp_path):
    folder = tmp_path / "from-bob"
    folder.mkdir()
    (folder / "good.yaml").write_text(assigned.read_text())
    (folder / "broken.yaml").write_text("format: mlsys-path-assignment\n")
    (folder / "notes.txt").write_text("not to be imported")
    done = alice("import", str(folder))
    assert done.exit_code == 2
    assert "good.yaml: Bob has assigned" in done.stdout and "broken.yaml" in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no file in it can be imported" in alice("import", str(empty)).stderr


@pytest.fixture
def web(tmp_path: Path):
    """A folder that is served on the loopback, and its address."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            if self.path == "/round":
                self.send_response(302)
                self.send_header("Location", "/round")
                self.end_headers()
                return
            super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_address_is_imported(alice, assigned, web, tmp_path):
    folder, address = web
    (folder / "a.yaml").write_text(assigned.read_text())
    done = alice("import", f"{address}/a.yaml")
    assert done.exit_code == 0 and "Bob has assigned" in done.output
    for path, said in (("/nothing.yaml", "it answered 404"), ("/round", "too many redirects")):
        done = alice("import", address + path)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1) and said in done.stderr
    (folder / "large").write_bytes(bytes(3 << 20))
    with pytest.raises(UserError, match="larger than 1 MB"):
        fetching.fetch(f"{address}/large", tmp_path, most=1 << 20)


def test_an_address_that_nobody_answers_is_one_line(alice):
    done = alice("import", "http://127.0.0.1:9/x.yaml")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_what_a_file_is_shows_in_its_beginning(tmp_path):
    path = tmp_path / "x"
    for text, kind in (
        ('{"format": "mlsys-path-progress", "version": 3}\n', "progress"),
        ('{"format": "mlsys-path-bundle"}\n', "bundle"),
        ("# a word\nformat: 'mlsys-path-assignment'\n", "assignment"),
        ('{"format": ["a list"]}', "progress"),
        ("[" * 30000, "progress"),
        ("", "progress"),
    ):
        path.write_text(text)
        assert incoming.kind_of(path) == kind
    assert incoming.kind_of(tmp_path / "nothing") == "progress"


def test_an_assignment_whose_parts_are_gone_breaks_nothing(assigned):
    roadmap = load()
    assignment = assignment_file.load(roadmap, assigned)
    gone = from_json(
        to_json(assignment).replace("add-two", "no-such-exercise").replace("arithmetic", "theirs")
    )
    assert tracks.usable(roadmap, gone.track) is None
    assert received.with_assigned(roadmap, [gone]) is roadmap


def test_the_committed_schema_is_that_of_the_record(assigned):
    import jsonschema

    assert schema.FILE.read_text(encoding="utf-8") == schema.render()
    jsonschema.Draft7Validator(schema.schema()).validate(yaml.safe_load(assigned.read_text()))
