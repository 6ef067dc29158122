"""A learner's bundle: what was done, with the files, signed; what is hostile or changed is one line and changes nothing."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlsys_path.errors import UserError
from mlsys_path.exercises.folder import hash_files
from mlsys_path.levels import Level, Outcome
from mlsys_path.mentoring import bundle_format, bundle_in, identity, seals
from mlsys_path.mentoring.bundle_out import export
from mlsys_path.mentoring.clocks import Stamp, suspicions
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

from ..roadmap.test_fuzz import mutated

MUTATIONS = 1000
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def attempt(number: int = 0, files: dict[str, bytes] | None = None, **changes) -> Attempt:
    values = {
        "exercise": "add-one",
        "started_at": NOON + timedelta(minutes=number),
        "seconds": 0.25,
        "verdict": Outcome.FAILED,
        "levels": {Level.CORRECT: Outcome.FAILED},
        "files_hash": hash_files(files or {"add_one.py": b"%d" % number}),
        "exercise_hash": "e" * 64,
        "failing_check": "test_adds",
        "message": "add_one(1) is 1\nnot 2",
        "measurements": ({"name": "speed", "ratio": 1.5},),
    }
    return Attempt.new(**(values | changes))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Alice's database, after five attempts, a hint and a word of hers."""
    path = tmp_path / "alice" / "progress.db"
    with Store.open(path) as store:
        for number in range(5):
            store.record(attempt(number), {"add_one.py": b"%d" % number})
        store.record_event("add-one", "hint", "0")
        store.record_event("add-one", "solution")
        store.claim("exercise", "add-two", "known")
    return path


@pytest.fixture
def bundle(work, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MLSYS_PATH_HOME", str(work.parent))
    path = tmp_path / "alice.bundle"
    export(path, "Alice", "Bob", database=work)
    return path


@pytest.fixture
def ledger(tmp_path) -> Path:
    return tmp_path / "bob" / "mentor.db"


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def write_lines(path: Path, lines: list[dict], *, seal_with=None) -> None:
    """Write a bundle of these lines; with a key, sealed anew: what a learner can do who changes the program."""
    raw = [json.dumps(line).encode() + b"\n" for line in lines]
    if seal_with is not None:
        sealed = [(*bundle_format.peek(line), seals.digest(line)) for line in raw[:-1]]
        seal = {
            "key": identity.public_text(seal_with),
            "lines": sealed,
            "signature": identity.sign(seal_with, seals.message(sealed)),
        }
        raw[-1] = json.dumps({"seal": seal}, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(gzip.compress(b"".join(raw), 1))


def count(ledger: Path, table: str) -> int:
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(ledger)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
            return 0
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_everything_that_was_done_arrives(bundle, ledger):
    brought = bundle_in.import_(bundle, database=ledger)
    assert (brought.learner, brought.added) == ("Alice", {"attempt": 5, "event": 2, "claim": 1})
    with closing(sqlite3.connect(ledger)) as connection:
        row = connection.execute("SELECT levels, measurements, failing_check, message, seconds FROM attempts")
        assert row.fetchone() == (
            '{"correct": "failed"}', '[{"name": "speed", "ratio": 1.5}]', "test_adds", "add_one(1) is 1\nnot 2", 0.25,
        )  # fmt: skip
        assert connection.execute("SELECT claim FROM claims").fetchall() == [("known",)]
        assert connection.execute("SELECT count(DISTINCT files_hash) FROM submissions").fetchone() == (5,)


def test_importing_twice_changes_nothing_and_a_newer_bundle_extends(bundle, ledger, work):
    bundle_in.import_(bundle, database=ledger)
    again = bundle_in.import_(bundle, database=ledger)
    assert (again.added, again.known) == ({}, 0)
    with Store.open(work) as store:
        store.record(attempt(9))
    export(bundle, "Alice", "Bob", database=work)
    later = bundle_in.import_(bundle, database=ledger)
    assert later.added == {"attempt": 1} and later.known == 8
    assert (count(ledger, "attempts"), count(ledger, "learners"), count(ledger, "bundles")) == (6, 1, 2)


def test_old_attempts_have_no_files_and_say_so(work, tmp_path, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(work.parent))
    with Store.open(work) as store:
        store.record(attempt(7))
    written = export(tmp_path / "b.bundle", "Alice", "Bob", database=work)
    assert (written.attempts, written.submissions, written.without_files) == (6, 5, 1)


def test_the_key_is_made_once_and_readable_by_its_owner_alone(bundle, work):
    path = identity.key_path()
    assert path == work.parent / "learner.key" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert identity.public_text(identity.own_key()) == identity.public_text(identity.own_key())
    path.chmod(0o644)
    with pytest.raises(UserError, match="chmod 600"):
        identity.own_key()
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(UserError, match="damaged"):
        identity.own_key()


def test_two_first_uses_make_one_key(tmp_path):
    program = "import sys, pathlib; from mlsys_path.mentoring import identity as i; print(i.public_text(i.own_key(pathlib.Path(sys.argv[1]))))"
    path = tmp_path / "new" / "learner.key"
    made = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in made}) == 1
    assert [p.name for p in path.parent.iterdir()] == ["learner.key"]


def change(lines):
    next(line for line in lines if "attempt" in line)["attempt"]["verdict"] = "passed"


def drop(lines):
    del lines[next(i for i, line in enumerate(lines) if "event" in line)]


def double(lines):
    lines.insert(3, next(line for line in lines if "attempt" in line))


def rename(lines):
    lines[0]["learner"] = "Carol"


def swap(lines):
    at = next(i for i, line in enumerate(lines) if "attempt" in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]


def another_key(lines):
    lines[-1]["seal"]["key"] = base64.b64encode(bytes(range(32))).decode()


def own_digest(lines):
    change(lines)
    lines[-1]["seal"]["lines"] = [
        [kind, name, seals.digest(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode())]
        for (kind, name, _), line in zip(lines[-1]["seal"]["lines"], lines, strict=False)
    ]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change, "it was changed after it was signed: changed: attempt add-one 0"),
        (drop, "missing: event add-one"),
        (double, "added: attempt add-one"),
        (rename, "changed: header"),
        (swap, "its lines stand in another order"),
        (another_key, "its signature is not that of its key"),
        (own_digest, "its signature is not that of its key"),
    ],
)
def test_tampering_shows_with_what_was_changed(bundle, ledger, tamper, said):
    lines = lines_of(bundle)
    tamper(lines)
    compact = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    bundle.write_bytes(gzip.compress(b"".join(compact)))
    with pytest.raises(UserError) as refused:
        bundle_in.import_(bundle, database=ledger)
    assert said in str(refused.value) and "nothing was changed" in str(refused.value)
    assert not ledger.exists()


def test_another_key_under_the_same_name_is_refused_unless_accepted(bundle, ledger, work, monkeypatch):
    bundle_in.import_(bundle, database=ledger)
    identity.key_path().rename(work.parent / "old.key")
    with Store.open(work) as store:
        store.record(attempt(11))
    export(bundle, "ALICE", "Bob", database=work)
    with pytest.raises(UserError, match=r"another key .* than ALICE's .*--accept-key"):
        bundle_in.import_(bundle, database=ledger)
    assert count(ledger, "attempts") == 5
    bundle_in.import_(bundle, accept_key=True, database=ledger)
    assert (count(ledger, "attempts"), count(ledger, "learners"), count(ledger, "keys")) == (6, 1, 2)


def test_a_known_key_stays_the_learner_it_was_whatever_it_calls_itself(bundle, ledger, work):
    bundle_in.import_(bundle, database=ledger)
    with Store.open(work) as store:
        store.record(attempt(11))
    export(bundle, "Bert", "Bob", database=work)
    brought = bundle_in.import_(bundle, database=ledger)
    assert (brought.learner, brought.called) == ("Alice", "Bert") and count(ledger, "learners") == 1


def test_an_attempt_that_says_something_else_than_before_is_flagged_and_stays_as_it_was(bundle, ledger):
    bundle_in.import_(bundle, database=ledger)
    lines = lines_of(bundle)
    change(lines)
    lines[0]["exported_at"] = "2098-01-01T00:00:00.000000Z"
    write_lines(bundle, lines, seal_with=identity.own_key())
    brought = bundle_in.import_(bundle, database=ledger)
    assert any("something else" in detail for _, detail in brought.flags)
    assert any("ahead of yours" in detail for _, detail in brought.flags)
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM attempts WHERE verdict = 'passed'").fetchone() == (0,)


def test_a_clock_that_ran_backwards_is_flagged():
    def stamp(name, started, stored):
        return Stamp(
            name,
            NOON + timedelta(seconds=started),
            None if stored is None else NOON + timedelta(seconds=stored),
        )

    later = NOON + timedelta(days=1)
    honest = [stamp("a", 0, 1), stamp("old", -9e5, None), stamp("merged", -9e6, 20), stamp("b", 5, 19)]
    assert list(suspicions(honest, later, later)) == []
    ((name, said),) = suspicions([stamp("a", 7200, 7201), stamp("b", 0, 1)], later, later)
    assert name == "b" and said == "the clock ran backwards by 2 h before it"
    ((name, said),) = suspicions([stamp("a", 300, 0)], later, later)
    assert name == "a" and said == "it begins 5 min after it was stored"
    assert [n for n, _ in suspicions([stamp("a", 0, 900)], NOON, NOON)] == [""]


def record(lines, kind):
    return next(line for line in lines if kind in line)[kind]


HOSTILE = {
    "a path that leaves the folder": lambda ls: record(ls, "submission").update(
        files={"../../.bashrc": record(ls, "blob")["hash"]}
    ),
    "an absolute path": lambda ls: record(ls, "submission").update(files={"/etc/passwd": record(ls, "blob")["hash"]}),
    "a hidden file": lambda ls: record(ls, "submission").update(files={".git/config": record(ls, "blob")["hash"]}),
    "a path of Windows": lambda ls: record(ls, "submission").update(files={"a\\b": record(ls, "blob")["hash"]}),
    "files of another hash": lambda ls: record(ls, "submission").update(files_hash="0" * 64),
    "a file that is not in it": lambda ls: record(ls, "submission").update(files={"add_one.py": "0" * 64}),
    "a file of another content": lambda ls: record(ls, "blob").update(data=base64.b64encode(b"other").decode()),
    "a file too large": lambda ls: record(ls, "blob").update(data=base64.b64encode(bytes(600 << 10)).decode()),
    "a huge row": lambda ls: record(ls, "attempt").update(message="x" * (2 << 20)),
    "a long text": lambda ls: record(ls, "attempt").update(message="x" * 5000),
    "a control character": lambda ls: record(ls, "attempt").update(message="\x1b[2J"),
    "a control character in a measurement": lambda ls: record(ls, "attempt").update(measurements=[{"name": "\x1b]0;x"}]),
    "a name that paints": lambda ls: ls[0].update(learner="Al\x1b[31mice"),
    "a name that turns": lambda ls: ls[0].update(learner="\u202eecilA"),
    "no name": lambda ls: ls[0].update(learner=""),
    "a moment that is none": lambda ls: record(ls, "attempt").update(stored_at="yesterday"),
    "a verdict of its own": lambda ls: record(ls, "attempt").update(verdict="excellent"),
    "a time without end": lambda ls: record(ls, "attempt").update(seconds=1e300),
    "an unknown key": lambda ls: record(ls, "attempt").update(admin=True),
    "an unknown record": lambda ls: ls.insert(2, {"setting": {"key": "track", "value": "x"}}),
    "a header twice": lambda ls: ls.insert(2, ls[0]),
    "no header": lambda ls: ls.pop(0),
    "nothing": lambda ls: ls.__delitem__(slice(0, -1)),
    "a newer format": lambda ls: ls[0].update(version=99),
    "deep nesting": lambda ls: record(ls, "claim").update(detail={"a": json.loads("[" * 500 + "]" * 500)}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_one_line_even_when_it_is_signed(name, bundle, ledger):
    lines = lines_of(bundle)
    HOSTILE[name](lines)
    write_lines(bundle, lines, seal_with=identity.own_key())
    with pytest.raises(UserError) as refused:
        bundle_in.import_(bundle, database=ledger)
    text = str(refused.value)
    assert "nothing was changed" in text and "\n" not in text and "\x1b" not in text and len(text) < 600
    assert all(count(ledger, table) == 0 for table in ("learners", "attempts", "blobs", "bundles"))


def test_bombs_are_not_unpacked(tmp_path, ledger):
    path = tmp_path / "bomb.bundle"
    for content in (bytes(300 << 20), (b"x" * 1000 + b"\n") * (300 << 10), b'{"seal":' + b" " * (20 << 20)):
        path.write_bytes(gzip.compress(content, 1))
        began = time.monotonic()
        with pytest.raises(UserError, match=r"longer than any|more records|seal"):
            bundle_in.import_(path, database=ledger)
        assert time.monotonic() - began < 60
    assert not ledger.exists()


def test_no_mutation_is_more_than_a_line(bundle, ledger):
    """Both of the compressed file and of its lines, sealed anew: what anybody can send."""
    draw, key = random.Random(), identity.own_key()
    data, raw = bundle.read_bytes(), gzip.decompress(bundle.read_bytes())
    for number in range(MUTATIONS):
        if number % 2:
            bundle.write_bytes(mutated(data, draw))
        else:
            lines = mutated(raw, draw).splitlines(keepends=True)[:-1] or [b"\n"]
            sealed = [(*bundle_format.peek(line), seals.digest(line)) for line in lines]
            seal = {
                "key": identity.public_text(key),
                "lines": sealed,
                "signature": identity.sign(key, seals.message(sealed)),
            }
            ended = [line if line.endswith(b"\n") else line + b"\n" for line in lines]
            ended.append(b'{"seal":' + json.dumps(seal).encode() + b"}\n")
            bundle.write_bytes(gzip.compress(b"".join(ended), 1))
        try:
            bundle_in.import_(bundle, database=ledger)
        except UserError as error:
            assert "\n" not in str(error) and "\x1b" not in str(error)


# argv: ledger, bundle
IMPORTER = """
import sys, pathlib
from mlsys_path.mentoring import bundle_in
print(flush=True)
while True:
    for path in sys.argv[2:]:
        print(bundle_in.import_(pathlib.Path(path), database=pathlib.Path(sys.argv[1])).added, flush=True)
    if len(sys.argv) == 3: break
"""


def test_kill_9_during_an_import_leaves_nothing_half_written(work, tmp_path, ledger, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_HOME", str(work.parent))
    with Store.open(work) as store, store.transaction() as database:
        from mlsys_path.progress.rows import attempt_to_row

        for number in range(10, 3010):
            database.table("attempts").insert(attempt_to_row(attempt(number)))
    bundle = tmp_path / "a.bundle"
    export(bundle, "Alice", "Bob", database=work)
    draw, seen = random.Random(7), set()
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORTER, str(ledger), str(bundle)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.8))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        found = count(ledger, "attempts") if ledger.exists() and ledger.stat().st_size else 0
        seen.add(found)
        if found:
            assert found == 3005 and count(ledger, "bundles") == 1
            shutil.rmtree(ledger.parent)
    assert seen <= {0, 3005}
    bundle_in.import_(bundle, database=ledger)
    assert count(ledger, "attempts") == 3005


def test_two_imports_at_once_are_as_one_after_the_other(bundle, ledger):
    run = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORTER, str(ledger), str(bundle)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    told = [process.communicate() for process in run]
    assert [process.returncode for process in run] == [0] * 4, told
    assert sum(out.count(b"'attempt': 5") for out, _ in told) == 1
    assert (count(ledger, "attempts"), count(ledger, "bundles")) == (5, 1)


def test_nothing_that_was_imported_can_be_changed(bundle, ledger):
    bundle_in.import_(bundle, database=ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        for table in ("attempts", "blobs", "submissions", "events", "bundles", "learners", "keys"):
            for statement in (
                f"DELETE FROM {table}",
                f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            ):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    connection.execute(statement)


def test_by_command(alice, bob, solve, tmp_path):
    solve("add-one", "wrong/identity")
    assert alice("check", "add-one").exit_code == 1
    solve("add-one")
    assert alice("check", "add-one").exit_code == 0
    done = alice("export", "--for", "Bob", "--as", "Alice")
    assert done.exit_code == 0 and "2 attempts of Alice" in done.output
    done = bob("import", str(tmp_path / "alice-for-bob.bundle"))
    assert done.exit_code == 0 and "Alice: 2 attempts added" in done.output
    assert "known already" in bob("import", str(tmp_path / "alice-for-bob.bundle")).output
    assert alice("export").exit_code == 2
    assert alice("export", "--for", "\x1b[2J").exit_code == 2
