"""Processes that die, and processes that write at the same time. Both run in a helper that forks: a fork is warm at once."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlsys_path.progress import queries
from mlsys_path.progress.opening import reading
from mlsys_path.progress.store import Store

# argv: database, seed. Forks writers and kills them at random moments; prints what they said was stored.
KILLED_WRITERS = """
import json, os, pathlib, random, select, signal, sys, time
from datetime import UTC, datetime
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

folder, draw = pathlib.Path(sys.argv[1]).parent, random.Random(int(sys.argv[2]))
KILLS, PER_DATABASE = 200, 20

def write(path, pipe):
    with Store.open(path) as store:
        while True:
            store.record(attempt := new())
            os.write(pipe, attempt.id.encode() + b"\\n")
            os.write(pipe, store.claim("topic", "caches", "read").id.encode() + b"\\n")

def new():
    return Attempt.new(
        exercise="malloc", started_at=datetime.now(UTC), seconds=0.1, verdict=Outcome.FAILED,
        levels={Level.CORRECT: Outcome.FAILED}, files_hash="f", exercise_hash="e", message="x" * 3000,
    )

with Store.open(folder / "warm.db") as store:
    store.record(new())
said = {}
for number in range(KILLS):
    path = folder / f"killed{number // PER_DATABASE}.db"
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write(path, theirs)
        finally:
            os._exit(9)
    os.close(theirs)
    # some die while they open or create the database, most after some attempts
    for _ in range(draw.choice((0, 0, 1, 2, 5))):
        select.select([ours], [], [], 30)
        said.setdefault(path.name, []).append(os.read(ours, 27).decode().strip())
    time.sleep(draw.uniform(0, 0.004))
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, status
    with os.fdopen(ours) as rest:
        said.setdefault(path.name, []).extend(line.strip() for line in rest if line.endswith("\\n"))
print(json.dumps(said))
"""

# argv: database. Four first writers at once, and a reader that never sees less than before.
WRITERS_AT_ONCE = """
import os, pathlib, sys
from datetime import UTC, datetime
from mlsys_path.levels import Level, Outcome
from mlsys_path.progress import queries
from mlsys_path.progress.records import Attempt
from mlsys_path.progress.store import Store

path = pathlib.Path(sys.argv[1])
import sqlite_utils, ulid  # warm before the fork
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        with Store.open(path) as store:
            for _ in range(25):
                store.record(Attempt.new(
                    exercise=f"e{number}", started_at=datetime.now(UTC), seconds=0.1, verdict=Outcome.PASSED,
                    levels={Level.CORRECT: Outcome.PASSED}, files_hash="f", exercise_hash="e",
                ))
        os._exit(0)
    children.append(child)
before = 0
while children:
    seen = queries.summary(path=path).attempts
    assert seen >= before, (seen, before)
    before = seen
    pid, status = os.waitpid(children[-1], os.WNOHANG)
    if pid:
        assert status == 0, status
        children.pop()
print({e: s.attempts for e, s in sorted(queries.statuses(path=path).items())})
"""


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home in memory where there is one: what is written survives a kill without waiting for a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        monkeypatch.setenv("MLSYS_PATH_HOME", folder)
        yield


def test_kill_9_at_any_moment_loses_no_finished_attempt_and_corrupts_nothing(in_memory, run_python, database):
    done = run_python(KILLED_WRITERS, "7")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said) == 10
    for name, ids in said.items():
        path = database.with_name(name)
        stored = {attempt.id for attempt in queries.attempts(limit=10**6, path=path)}
        with reading(path) as connection:
            claimed = {row[0] for row in connection.execute("SELECT id FROM claims")}
            # one thing may have been stored whose writer died before it could say so
            assert set(ids) <= stored | claimed
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT sum(attempts) FROM tallies").fetchone() == (len(stored),)
        with Store.open(path) as store:
            store.record_event("malloc", "started")
    assert sum(map(len, said.values())) > 200, "the writers were killed before they wrote"


def test_writers_and_a_reader_at_once(in_memory, run_python):
    done = run_python(WRITERS_AT_ONCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str({f"e{n}": 25 for n in range(4)})
