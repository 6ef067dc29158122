"""A pass needs a positive result of every declared check; anything missing, doubled or odd is an error."""

from __future__ import annotations

import pytest

from mlsys_path.checking.events import CheckResult, CheckStarted, Declared, Finished, Measurement, Started
from mlsys_path.checking.verdict import verdict_of
from mlsys_path.levels import Level, Outcome

A, B = Declared("test_a", Level.CORRECT), Declared("test_b", Level.CORRECT)
GPU = Declared("test_gpu", Level.GPU, open_because="needs a GPU")


def start(*checks):
    return Started("x", checks, "bubblewrap", "a machine")


def result(declared, outcome=Outcome.PASSED, message=""):
    return CheckResult(declared.name, declared.level, outcome, message)


END = Finished(1.5)


def test_all_passed():
    verdict = verdict_of("x", [start(A, B), CheckStarted("test_a"), result(A), result(B), END])
    assert verdict.verdict is Outcome.PASSED
    assert verdict.levels == {Level.CORRECT: Outcome.PASSED}
    assert (verdict.seconds, verdict.sandbox, verdict.machine) == (1.5, "bubblewrap", "a machine")


def test_an_open_level_neither_passes_nor_fails():
    verdict = verdict_of("x", [start(A, GPU), result(A), END])
    assert verdict.verdict is Outcome.PASSED
    assert verdict.levels == {Level.CORRECT: Outcome.PASSED, Level.GPU: Outcome.OPEN}
    assert verdict.open_because == {Level.GPU: "needs a GPU"}


def test_nothing_that_could_be_checked_is_open():
    assert verdict_of("x", [start(GPU), END]).verdict is Outcome.OPEN


def test_one_failure_fails_and_leads():
    events = [start(A, B), result(B, Outcome.FAILED, "later"), result(A, Outcome.FAILED, "first"), END]
    verdict = verdict_of("x", events)
    assert verdict.verdict is Outcome.FAILED
    assert verdict.first_failure.message == "first"


@pytest.mark.parametrize(
    "events",
    [
        [],
        [start(A)],
        [start(A), result(A)],
        [start(A), END],
        [start(A, B), result(A), END],
        [start(A), result(A), result(A), END],
        [start(A), result(A), result(B), END],
        [start(A), result(Declared("test_a", Level.GPU)), END],
        [start(A), start(A), result(A), END],
        [start(A), result(A), END, END],
        [start(A), result(A), Finished(1.0, broken="the checker died")],
        [start(A), result(A, Outcome.ERROR, "broken"), END],
        [result(A), END],
        [start(GPU), result(GPU), CheckStarted("test_gpu")],
    ],
)
def test_what_is_incomplete_or_odd_is_an_error_and_reaches_no_level(events):
    verdict = verdict_of("x", events)
    assert verdict.verdict is Outcome.ERROR
    assert verdict.message
    assert Outcome.PASSED not in verdict.levels.values()


def test_measurements_are_kept():
    taken = Measurement("copy", 1.0, "s", 2.0, 2.0, 1.9, 2.1)
    assert verdict_of("x", [start(A), taken, result(A), END]).measurements == (taken,)
