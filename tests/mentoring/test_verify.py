"""A mentor runs submitted files again, in the sandbox or not at all; what does not reproduce is shown beside the claim."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing

import pytest

from mlsys_path.machine import containment
from mlsys_path.mentoring import identity

from .test_bundles import lines_of, write_lines

contained = pytest.mark.skipif(
    containment.probe().kind != "bubblewrap", reason="bubblewrap does not work here"
)


@pytest.fixture
def sent(alice, bob, solve, tmp_path, monkeypatch):
    """Alice's bundle: one exercise solved, at another she failed and claims to have passed. Bob has imported it."""
    solve("add-one")
    solve("add-two", "wrong/constant")
    alice("check", "add-one")
    alice("check", "add-two")
    alice("export", "--for", "Bob", "--as", "Alice")
    path = tmp_path / "alice-for-bob.bundle"
    lines = lines_of(path)
    for line in lines:
        if line.get("attempt", {}).get("exercise") == "add-two":
            line["attempt"] |= {
                "verdict": "passed",
                "levels": {"correct": "passed"},
                "failing_check": "",
                "message": "",
            }
    monkeypatch.setenv("MLSYS_PATH_HOME", str(tmp_path / "alice"))
    write_lines(path, lines, seal_with=identity.own_key())
    assert gzip.decompress(path.read_bytes())
    assert bob("import", str(path)).exit_code == 0
    return tmp_path / "bob" / "mentor.db"


@contained
def test_a_pass_is_verified_and_a_claim_that_does_not_reproduce_is_shown_beside_what_happened(sent, bob):
    done = bob("mentor", "verify", "alice", "--all", "--json")
    assert done.exit_code == 1, done.output
    found = {each["exercise"]: each for each in json.loads(done.stdout)["verifications"]}
    assert found["add-one"]["verification"]["finding"] == "verified"
    lie = found["add-two"]
    assert lie["claimed"] == {"correct": "passed"} and lie["verification"]["finding"] == "refuted"
    assert lie["verification"]["levels"]["correct"] == "failed" and lie["verification"]["failing_check"]
    assert lie["verification"]["sandbox"] == "bubblewrap" and lie["verification"]["same_exercise"]
    matrix = bob("mentor", "matrix").output
    assert "✓✓" in matrix and "≠" in matrix
    assert "does not reproduce" in bob("mentor", "timeline", "alice", "add-two").output


@contained
def test_each_run_is_kept_and_none_can_be_changed(sent, bob):
    for _ in range(2):
        text = bob("mentor", "verify", "Alice", "add-one")
        assert text.exit_code == 0 and "verified" in text.output
    with closing(sqlite3.connect(sent)) as connection:
        assert connection.execute("SELECT count(*) FROM verifications").fetchone() == (2,)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("DELETE FROM verifications")


@contained
def test_a_claim_is_told_in_words(sent, bob):
    done = bob("mentor", "verify", "Alice", "add-two", "--level", "correct")
    assert done.exit_code == 1
    assert "claimed: correct passed" in done.output and "here: correct failed" in done.output


def test_without_the_sandbox_nothing_is_run(sent, bob, monkeypatch):
    for kind in ("landlock", "rlimits"):
        monkeypatch.setenv("MLSYS_PATH_SANDBOX", kind)
        done = bob("mentor", "verify", "Alice", "--all")
        assert done.exit_code == 3 and done.stdout == ""
        assert f"MLSYS_PATH_SANDBOX asks for {kind}" in done.stderr and done.stderr.count("\n") == 1
    with closing(sqlite3.connect(sent)) as connection:
        assert connection.execute("SELECT count(*) FROM verifications").fetchone() == (0,)


@contained
def test_files_that_did_not_come_are_said_to_be_missing(alice, bob, solve, tmp_path):
    solve("add-one")
    alice("check", "add-one")
    with closing(sqlite3.connect(tmp_path / "alice" / "progress.db")) as connection:
        connection.execute("DROP TRIGGER submissions_delete")
        connection.execute("DELETE FROM submissions")
        connection.commit()
    assert "not kept" in alice("export", "--for", "Bob", "--as", "Alice").output
    bob("import", str(tmp_path / "alice-for-bob.bundle"))
    done = bob("mentor", "verify", "Alice", "--all")
    assert done.exit_code == 3 and "its files did not come" in done.output
