"""Every way to misuse the machine ends as a clear verdict, within the limit and two seconds, and leaves nothing."""

from __future__ import annotations

import time

import psutil
import pytest

from mlsys_path.levels import Outcome
from mlsys_path.roadmap.model import Limits

CALL = """
def test_call(learner):
    learner.go()
"""
LIMITS = Limits(seconds=3, memory_mb=300, processes=40)
MARK = "mlsys-path-test-leftover"

ABUSES = {
    "deadlock": (
        "import threading\ndef go():\n    l = threading.Lock(); l.acquire(); l.acquire()",
        "limit of 3 s",
    ),
    "endless loop": ("def go():\n    while True: pass", "limit of 3 s"),
    "ignores SIGTERM": (
        "import signal, time\ndef go():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True: time.sleep(1)",
        "limit of 3 s",
    ),
    "endless printing": ("def go():\n    while True: print('x' * 1000)", "limit of 3 s"),
    "100 GB": ("def go():\n    return len(bytearray(100 << 30))", "MemoryError"),
    "memory bit by bit": (
        "def go():\n    kept = []\n    while True: kept.append(bytearray(1 << 20))",
        "emory",
    ),
    "memory over several processes": (
        "import os, time\ndef go():\n    for _ in range(6):\n        if os.fork() == 0:\n            kept = bytearray(os.urandom(1) * (90 << 20)); time.sleep(60)\n    time.sleep(60)",
        "more than 300 MB",
    ),
    "fork bomb": (
        "import os\ndef go():\n    while True: os.fork()",
        ("processes", "Resource temporarily", "limit of 3 s"),
    ),
    "full disk": (
        "def go():\n    with open('/tmp/big', 'wb') as f:\n        while True: f.write(bytes(1 << 20))",
        ("too large", "space", "300 MB"),
    ),
    "many small files": (
        "def go():\n    for i in range(100000):\n        with open(f'/tmp/f{i}', 'wb') as f: f.write(bytes(1 << 16))",
        ("space", "300 MB"),
    ),
    "open files": (
        "import os\ndef go():\n    kept = [open('/dev/null') for _ in range(100000)]",
        "Too many open files",
    ),
    "recursion": ("def go():\n    return go()", "RecursionError"),
    "segmentation fault": ("import ctypes\ndef go():\n    ctypes.string_at(0)", "SIGSEGV"),
}


@pytest.mark.parametrize("name", ABUSES)
def test_abuse_is_a_clear_verdict_in_time(judge, name):
    source, words = ABUSES[name]
    began = time.monotonic()
    verdict = judge(CALL, source, limits=LIMITS)
    assert time.monotonic() - began < LIMITS.seconds + 2 + 15  # 15 s: a cold parent on a busy machine
    assert verdict.seconds < LIMITS.seconds + 2
    assert verdict.verdict is Outcome.FAILED, verdict.message
    message = verdict.first_failure.message
    assert any(w in message for w in ([words] if isinstance(words, str) else words)), message


def test_a_daemonised_child_does_not_run_on(judge):
    source = f"""
    import os, time
    def go():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["{MARK}", "1000"])
            os._exit(0)
        time.sleep(0.2)
        return 7
    """
    verdict = judge("def test_call(learner):\n    assert_equal(learner.go(), 7)\n", source, limits=LIMITS)
    assert verdict.verdict is Outcome.PASSED
    assert not [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]


def test_the_next_check_finds_a_clean_machine(judge):
    write = "def go():\n    open('/tmp/left', 'w').write('x')\n    return 1"
    look = "import os\ndef go():\n    return os.path.exists('/tmp/left')"
    equal = "def test_call(learner):\n    assert_equal(learner.go(), {})\n"
    assert judge(equal.format(1), write).verdict is Outcome.PASSED
    assert judge(equal.format(False), look).verdict is Outcome.PASSED
