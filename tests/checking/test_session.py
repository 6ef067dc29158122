"""The same exercise again and again, as in watch mode, where a checker runs ahead of the next save."""

from __future__ import annotations

import psutil

from mlsys_path.checking.session import Checker
from mlsys_path.levels import Outcome

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
CHECKS = "def test_value(learner):\n    assert_equal(learner.value(), 1)\n"
RIGHT, WRONG, BROKEN = "def value(): return 1\n", "def value(): return 2\n", "def value(:\n"


def test_every_save_gets_the_verdict_of_its_own_files(judge):
    verdicts = [judge(CHECKS, files).verdict for files in (RIGHT, WRONG, RIGHT, WRONG, BROKEN, RIGHT)]
    assert verdicts == [PASSED, FAILED, PASSED, FAILED, FAILED, PASSED]


def test_draws_differ_from_run_to_run(judge):
    checks = (
        "def test_value(learner, rng):\n    fail(str(rng.integers(1 << 60)) + ' ' + str(np.random.rand()))\n"
    )
    seen = {judge(checks, RIGHT).checks[0].message for _ in range(5)}
    assert len(seen) == 5


def test_checks_that_change_meanwhile_are_read_again(judge):
    for _ in range(3):
        assert judge(CHECKS, RIGHT).verdict is PASSED
    assert judge(CHECKS.replace("1)", "3)"), RIGHT).verdict is FAILED
    assert judge(CHECKS.replace("1)", "1"), RIGHT).verdict is ERROR
    assert judge(CHECKS, RIGHT).verdict is PASSED


def test_other_exercises_come_between(judge):
    for _ in range(3):
        assert judge(CHECKS, RIGHT).verdict is PASSED
        assert judge(CHECKS, RIGHT).verdict is PASSED
        assert judge(CHECKS + "\n", {"other.py": RIGHT}).verdict is PASSED


def test_nothing_of_it_outlives_the_app(judge):
    before = set(psutil.Process().children(recursive=True))
    with Checker() as checker:
        for _ in range(3):
            judge(CHECKS, RIGHT, by=checker)
        mine = set(psutil.Process().children(recursive=True)) - before
        assert mine
    _gone, alive = psutil.wait_procs(mine, timeout=10)
    assert not alive
