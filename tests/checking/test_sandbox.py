"""What the learner's code can see and reach, in each kind of sandbox that this machine offers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from mlsys_path import locations
from mlsys_path.checking import sandbox
from mlsys_path.checking.session import Checker
from mlsys_path.levels import Outcome
from mlsys_path.machine import containment

KINDS = [
    pytest.param(
        "bubblewrap",
        marks=pytest.mark.skipif(bool(containment.bubblewrap_trouble()[0]), reason="no bubblewrap"),
    ),
    pytest.param("landlock", marks=pytest.mark.skipif(containment.landlock_abi() == 0, reason="no Landlock")),
]


@pytest.fixture(params=KINDS)
def kind(request, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_SANDBOX", request.param)
    sandbox.kind.cache_clear()
    yield request.param
    sandbox.kind.cache_clear()


@pytest.fixture
def contained(kind, judge):
    """`contained(source, checks)` runs in a checker of this kind."""
    with Checker() as checker:
        yield lambda checks, source: judge(checks, source, by=checker)


def test_the_verdict_names_the_sandbox(contained, kind):
    verdict = contained("def test_it(learner):\n    assert_equal(learner.go(), 1)\n", "def go(): return 1")
    assert (verdict.verdict, verdict.sandbox) == (Outcome.PASSED, kind)


def test_secrets_are_out_of_reach(contained, tmp_path):
    database = locations.database_path()
    database.parent.mkdir(parents=True, exist_ok=True)
    database.write_text("secret")
    secrets = [
        database,
        locations.package_dir() / "levels.py",
        locations.exercises_dir(),
        locations.roadmap_dir(),
        tmp_path / "exercise" / "checks" / "test_it.py",
        "/etc/shadow",
        f"/proc/{os.getpid()}/mem",
    ]
    source = f"""
    import os
    def go():
        seen = []
        for path in {[str(s) for s in secrets]!r}:
            try:
                os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)
                seen.append(path)
            except OSError:
                pass
        return seen
    def package():
        try:
            import mlsys_path
            return list(getattr(mlsys_path, "__path__", []))
        except ImportError:
            return None
    """
    checks = """
    def test_files(learner):
        assert_equal(learner.go(), [])
    def test_package(learner):
        assert_equal(learner.package(), None)
    """
    verdict = contained(checks, source)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure


def test_nothing_outside_can_be_written(contained, tmp_path):
    target = tmp_path / "written"
    source = f"""
    import os
    def go():
        written = []
        for path in ({str(target)!r}, '/usr/x', '/etc/x', os.path.dirname(os.__file__) + '/x', '/x', '/dev/x', '/run/x'):
            try:
                open(path, 'w').write('x')
                written.append(path)
            except OSError:
                pass
        open('mine', 'w').write('x')
        return written
    """
    verdict = contained("def test_it(learner):\n    assert_equal(learner.go(), [])\n", source)
    assert verdict.verdict is Outcome.PASSED, verdict.first_failure
    assert not target.exists()


def test_there_is_no_network(contained):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"""
        import socket
        def go():
            try:
                socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), timeout=1)
            except OSError as error:
                return type(error).__name__
            return "connected"
        """
        checks = "def test_it(learner):\n    assert learner.go() in ('ConnectionRefusedError', 'PermissionError')\n"
        assert contained(checks, source).verdict is Outcome.PASSED


def test_processes_outside_cannot_be_signalled(contained):
    other = subprocess.Popen(["sleep", "100"])
    try:
        source = f"""
        import os, signal
        def go():
            try:
                os.kill({other.pid}, signal.SIGKILL)
            except OSError:
                return "refused"
            return "killed"
        """
        verdict = contained("def test_it(learner):\n    assert_equal(learner.go(), 'refused')\n", source)
        assert verdict.verdict is Outcome.PASSED, verdict.first_failure
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from mlsys_path.checking.session import Checker, CheckRequest
from mlsys_path.language import Text
from mlsys_path.roadmap.model import Check, Exercise
text = Text("t", "t")
exercise = Exercise("x", text, text, "python", ("code.py",), 1, 1, {"test_it": Check(text)}, (text,))
async def main():
    with Checker() as checker:
        files = {"code.py": b"import time\\ndef go():\\n    time.sleep(100)\\n"}
        async for event in checker.check(CheckRequest(exercise, Path(sys.argv[1]), files)):
            print(type(event).__name__, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_program_ends_nothing_of_a_check_runs_on(kind, tmp_path, number):
    folder = tmp_path / "exercise"
    (folder / "checks").mkdir(parents=True)
    (folder / "checks" / "test_it.py").write_text("def test_it(learner):\n    learner.go()\n")
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    for line in program.stdout:
        if line.strip() == "CheckStarted":
            break
    children = psutil.Process(program.pid).children(recursive=True)
    assert children
    program.send_signal(number)
    program.wait(timeout=20)
    program.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_a_parent_that_dies_is_started_again(judge, checker):
    checks, source = "def test_it(learner):\n    assert_equal(learner.go(), 1)\n", "def go(): return 1"
    assert judge(checks, source).verdict is Outcome.PASSED
    for parent in checker._parents.values():
        parent.process.kill()
        parent.process.wait()
    assert judge(checks, source).verdict is Outcome.PASSED


def test_idle_parents_are_bounded_and_end_with_the_checker(judge, tmp_path):
    with Checker(max_parents=1) as checker:
        source = "def go(): return 1"
        check = "def test_it(learner):\n    assert_equal(learner.go(), 1)\n"
        judge(check, source, by=checker)
        judge("def test_it(learner):\n    learner.build('code.py')\n", source, by=checker, language="c")
        assert len(checker._parents) == 1
        processes = [p.process.pid for p in checker._parents.values()]
    began = time.monotonic()
    while any(psutil.pid_exists(pid) for pid in processes) and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert not any(psutil.pid_exists(pid) for pid in processes)
