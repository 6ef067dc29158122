"""A database that cannot be used: one line that says what to do, and every byte as it was."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from mlsys_path.errors import UserError
from mlsys_path.machine.containment import bubblewrap_trouble
from mlsys_path.progress import migrations, opening, queries, trouble
from mlsys_path.progress.exchange import export, import_
from mlsys_path.progress.store import Store

# what every verb of the program does with the database, reading and writing
USES = {
    "open": lambda: Store.open().close(),
    "statuses": queries.statuses,
    "summary": queries.summary,
    "attempts": queries.attempts,
    "setting": lambda: queries.setting("track"),
    "hints_seen": lambda: queries.hints_seen("lru-cache"),
    "best_ratio": lambda: queries.best_ratio("lru-cache", "speed"),
    "claims": queries.claims,
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)

# argv: database. Records as the program does, and says what a learner would read.
RECORD = """
import pathlib, sys
from datetime import UTC, datetime
import sqlite_utils, ulid
from mlsys_path.errors import UserError
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

path = pathlib.Path(sys.argv[1])
attempt = Attempt.new(
    exercise="malloc", started_at=datetime.now(UTC), seconds=0.1, verdict=Outcome.FAILED,
    levels={Level.CORRECT: Outcome.FAILED}, files_hash="f", exercise_hash="e", message="x" * 300_000,
)
def main():
    print("read", sum(s.attempts for s in queries.statuses(path=path).values()))
    try:
        with Store.open(path) as store:
            store.record(attempt)
        print("stored")
    except UserError as error:
        print("error", error)
"""


@pytest.fixture
def filled(database, make_attempt) -> Path:
    """A database with something in it, closed."""
    with Store.open() as store:
        for _ in range(50):
            store.record(make_attempt(measurements=({"name": "speed", "ratio": 2.0},)))
        store.record_event("lru-cache", "hint", "0")
        store.claim("topic", "caches", "known")
        store.set_setting("track", "gpu-kernels")
    return database


def said(use) -> str:
    """The line that a use that must fail gives."""
    with pytest.raises(UserError) as raised:
        use()
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.fixture
def untouched(filled):
    """Whatever the test makes of the file, its uses leave the same bytes."""
    contents = {}

    def keep() -> None:
        contents["before"] = filled.read_bytes()

    yield keep
    assert filled.read_bytes() == contents["before"]


@every_use
def test_a_missing_database_reads_as_empty_and_is_not_created(database, use):
    if use is USES["open"]:
        use()
        assert database.exists()
        return
    assert not use() or use() in (queries.Summary(0, 0, 0), queries.Claims())
    assert not database.exists()
    assert not database.parent.exists()


@every_use
def test_a_folder_in_its_place(database, use):
    (database / "inside").mkdir(parents=True)
    assert f"{database} is a folder" in said(use)
    assert [entry.name for entry in database.iterdir()] == ["inside"]


@every_use
def test_something_that_is_no_file(database, use):
    database.parent.mkdir(parents=True)
    os.mkfifo(database)
    assert "is not a file" in said(use)


@every_use
@pytest.mark.parametrize(
    "content", [b"# my notes\n" * 1000, b"\x00" * 8192, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_not_sqlite(filled, untouched, use, content):
    filled.write_bytes(content)
    untouched()
    assert f"{filled} is damaged: move it away" in said(use)
    assert sorted(p.name for p in filled.parent.iterdir()) == [filled.name]


@every_use
def test_the_database_of_another_program(filled, untouched, use):
    filled.unlink()
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("CREATE TABLE attempts (mine)")
    untouched()
    assert "of another program" in said(use)


@every_use
def test_a_database_of_a_newer_version(filled, untouched, use):
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.version() + 1}")
        connection.execute("DROP TABLE ratios")
    untouched()
    newer = f"(its schema is {migrations.version() + 1}, here {migrations.version()})"
    assert said(use).endswith(f"{newer}: update mlsys-path")


@every_use
@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_database_that_was_cut_short(filled, untouched, use, kept):
    os.truncate(filled, int(filled.stat().st_size * kept) // 4096 * 4096)
    untouched()
    # a query that needs nothing of the lost pages may still answer; writing is refused at once
    if use is USES["open"]:
        assert "is damaged" in said(use)
    else:
        try:
            use()
        except UserError as error:
            assert "is damaged" in str(error)


def test_random_damage_is_an_answer_or_one_line_and_never_a_write(filled):
    """Bytes of a good database are overwritten at random places: no use crashes, and none writes."""
    good = filled.read_bytes()
    draw = random.Random(20260314)
    refused = 0
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(draw.choice((1, 4, 64))):
            start = draw.randrange(100, len(bad) - 64)
            bad[start : start + 32] = draw.randbytes(32)
        for side in filled.parent.glob(filled.name + "-*"):
            side.unlink()
        filled.write_bytes(bad)
        for use in USES.values():
            try:
                use()
            except UserError as error:
                refused += 1
                assert "\n" not in str(error)
        assert filled.read_bytes() == bytes(bad)
    assert refused > 60


def test_damage_that_shows_only_while_writing_leaves_the_file(filled, untouched, make_attempt, monkeypatch):
    """A large file is not checked as a whole when it is opened."""
    monkeypatch.setattr("mlsys_path.progress.store.SMALL_BYTES", 0)
    with closing(sqlite3.connect(filled)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tallies'").fetchone()
    with filled.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    untouched()
    with Store.open() as store:
        assert "is damaged" in said(lambda: store.record(make_attempt()))


def test_a_value_that_this_program_cannot_have_written_is_damage(filled):
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DROP TRIGGER attempts_update")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE attempts SET verdict = 'splendid', started_at = 'yesterday'")
        connection.commit()
    assert "is damaged" in said(queries.statuses)
    assert "is damaged" in said(queries.attempts)


def test_a_database_locked_by_another_program(filled, untouched, monkeypatch):
    monkeypatch.setattr("mlsys_path.progress.opening.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("mlsys_path.progress.store.BUSY_SECONDS", 0.05)
    untouched()
    with closing(sqlite3.connect(filled, isolation_level=None)) as other, Store.open() as store:
        other.execute("BEGIN IMMEDIATE")
        assert "locked: close it and try again" in said(lambda: store.set_setting("track", "x"))
        assert queries.setting("track") == "gpu-kernels", "readers do not wait for a writer"
        other.execute("ROLLBACK")


def test_a_full_disk_by_the_size_of_the_file(filled, untouched, run_python):
    untouched()
    limit = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n{RECORD}\nmain()"
    )
    done = run_python(limit)
    lines = done.stdout.splitlines()
    assert lines[0] == "read 50", done.stderr
    assert lines[1].startswith(("error the disk is full", "error the disk refused")), (
        done.stdout + done.stderr
    )
    assert queries.statuses()["lru-cache"].attempts == 50


needs_bubblewrap = pytest.mark.skipif(
    bool(bubblewrap_trouble()[0]), reason="makes a small or read-only disk by bubblewrap"
)


@needs_bubblewrap
def test_a_disk_that_is_really_full(filled, untouched, run_python):
    untouched()
    small = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--size", "300000", "--tmpfs", "/mnt", "--"]
    program = f"{RECORD}\nimport shutil\npath = pathlib.Path(shutil.copy(path, '/mnt/progress.db'))\n" + (
        "before = path.read_bytes()\nmain()\nassert path.read_bytes() == before\nmain()"
    )
    done = run_python(program, before=tuple(small))
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in lines] == ["read 50", "error the disk is full"] * 2, done.stdout


@needs_bubblewrap
def test_a_read_only_disk(filled, untouched, run_python):
    untouched()
    done = run_python(f"{RECORD}\nmain()", before=("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--"))
    lines = done.stdout.splitlines()
    assert lines[0] == "read 50", done.stderr
    assert lines[1].startswith(f"error the progress database {filled} is read-only: make"), done.stdout


def without_rights(program: str, path: Path) -> str:
    """What a program prints that may read a file and not write to it or beside it, as a user other than root."""
    become = "import os\nif os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{become}\nmain()", str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("rights", [0o444, 0o000])
def test_a_file_without_the_right_to_write_or_to_read(filled, rights):
    # below /tmp, as another user cannot enter pytest's own folders
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(filled, folder))
        before = path.read_bytes()
        path.chmod(rights)
        Path(folder).chmod(0o555)
        try:
            output = without_rights(RECORD, path)
        finally:
            Path(folder).chmod(0o755)
            path.chmod(0o644)
        if rights:
            assert output.startswith(f"read 50\nerror the progress database {path} is read-only: make"), (
                output
            )
        else:
            assert f"cannot open the progress database {path}: check the permissions" in output
        assert path.read_bytes() == before


def test_export_and_import_say_the_same(filled, untouched, tmp_path):
    copy = tmp_path / "export.jsonl"
    export(copy)
    filled.write_bytes(b"no database" * 1000)
    untouched()
    assert "is damaged" in said(lambda: export(tmp_path / "again.jsonl"))
    assert "is damaged" in said(lambda: import_(copy))
    assert not (tmp_path / "again.jsonl").exists()


def test_other_errors_of_sqlite_keep_their_words(database):
    error = sqlite3.OperationalError("no such table: attempts")
    assert (
        trouble.explain(error, database)
        == f"the progress database {database} cannot be used: no such table: attempts"
    )


def test_a_reader_finishes_what_a_killed_first_writer_left(database):
    """A hot rollback journal makes a read-only open fail; it is rolled back, as SQLite itself would."""
    database.parent.mkdir(parents=True)
    program = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('CREATE TABLE t (x)')\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('BEGIN')\n"
        "[c.execute('INSERT INTO t VALUES (randomblob(4000))') for _ in range(50)]\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(database)], check=True)
    assert database.with_name(database.name + "-journal").stat().st_size
    assert "of another program" in said(queries.statuses)
    connection = opening.read_only(database)
    assert connection is not None
    with closing(connection):
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("INSERT INTO t VALUES (1)")


def test_a_first_writer_that_finishes_while_a_reader_looks_is_no_other_program(database):
    """What the file is is read in several steps, all of them of one moment."""
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as first:
        first.execute("PRAGMA journal_mode = WAL")
        connection = opening.read_only(database)
        assert connection is not None
        finished = []

        def finish(statement: str) -> None:
            if "user_version" in statement and not finished:
                finished.append(statement)
                Store.open(database).close()

        with closing(connection):
            connection.set_trace_callback(finish)
            assert opening.recognise(database, connection) == 0
            assert finished
            connection.set_trace_callback(None)
            assert opening.recognise(database, connection) == migrations.version()
