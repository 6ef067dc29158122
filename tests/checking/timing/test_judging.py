"""Which times are believed: from what was seen alone, with a clock that says what the test wants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_path.checking.failures import Disturbed, TimingRefused
from mlsys_path.checking.timing.judging import (
    SLACK,
    Seen,
    company,
    disturbance,
    explain,
    floor_seconds,
    named,
    quantile,
    refusal,
)
from mlsys_path.checking.timing.kernel import undisturbed

US = 1e-6
GPU = SLACK["cuda"]
QUIET = [Seen(seconds=3 * US, wall=900 * US, flush=250 * US, tail=5 * US)] * 7
CALL = Seen(seconds=130 * US, wall=1027 * US, flush=250 * US, tail=5 * US)
FLOOR = 120 * US


def judged(call: Seen, *, honest: int = 0, floor: float = FLOOR) -> str:
    calls = [*[call] * (15 - honest), *[CALL] * honest]
    return refusal(calls, QUIET, floor, GPU) or disturbance(calls, QUIET, GPU)


def test_honest_calls_are_believed():
    assert refusal([CALL] * 15, QUIET, FLOOR, GPU) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 100 * US, "wall": 997 * US}, "faster than the hardware"),
        ({"seconds": 1e-9}, "faster than the hardware"),
        ({"tail": 60 * US}, "a side stream was not joined"),
        ({"flush": 400 * US}, "something else ran on the device before the call"),
        ({"wall": 1127 * US}, "outside of what is timed"),
        ({"patched": ("time.perf_counter",)}, "replaced time.perf_counter"),
        ({"notes": ("thread",)}, "a thread of your code"),
        ({"notes": ("mode",)}, "torch mode"),
    ],
)
def test_each_thing_that_is_seen_is_said(change, words):
    assert words in judged(replace(CALL, **change))


@pytest.mark.parametrize(
    "change",
    [{"tail": 1.0}, {"flush": 1.0}, {"wall": 1.0}, {"seconds": 10 * US}, {"seconds": 1.0, "wall": 2.0}],
)
def test_noise_in_a_few_calls_accuses_nobody(change):
    assert judged(replace(CALL, **change), honest=11) == ""


@pytest.mark.parametrize("change", [{"tail": 1.0}, {"flush": 1.0}, {"wall": 1.0}, {"seconds": 10 * US}])
def test_what_moves_the_median_is_seen(change):
    assert judged(replace(CALL, **change), honest=5)


def test_one_replaced_function_is_enough():
    assert judged(replace(CALL, patched=("torch.Tensor.copy_",)), honest=14)


def test_noise_in_quiet_calls_widens_what_is_usual_and_does_not_break():
    quiet = [*QUIET[:5], replace(QUIET[0], wall=1.0, flush=1.0), replace(QUIET[0], wall=2.0, flush=2.0)]
    assert disturbance([CALL] * 15, quiet, GPU) == ""
    assert "outside of what is timed" in disturbance([replace(CALL, wall=5000 * US)] * 15, quiet[:6], GPU)


def test_an_unknown_rate_sets_no_floor():
    assert floor_seconds(1e9, 1e12, 0.0, 0.0) == 0.0
    assert floor_seconds(1e9, 0.0, 1e12, 0.0) == pytest.approx(1e-3 / 1.05)
    assert floor_seconds(1e9, 1e12, 1e12, 1e14) == pytest.approx(1e-2 / 1.12)
    assert judged(replace(CALL, seconds=1e-9, wall=898 * US), floor=0.0) == ""


def test_a_cpu_is_given_what_its_caches_hold():
    cpu = SLACK["cpu"]
    quick = Seen(seconds=FLOOR / 3, wall=1e-3)
    assert refusal([quick] * 15, [Seen(1e-6, 1e-3)] * 7, FLOOR, cpu) == ""
    assert refusal([replace(quick, seconds=FLOOR / 5)] * 15, [Seen(1e-6, 1e-3)] * 7, FLOOR, cpu)


class Budget:
    """The part of a bench that a timing tells how long it took."""

    def __init__(self):
        self.extended = 0

    def extend(self, _seconds):
        self.extended += 1


def test_what_was_disturbed_is_timed_again_and_only_once():
    bench, outcomes = Budget(), [Disturbed("noise"), "timing"]

    def once():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert undisturbed(bench, once) == "timing"
    assert bench.extended == 1
    outcomes = [Disturbed("noise"), Disturbed("again")]
    with pytest.raises(Disturbed, match="again"):
        undisturbed(bench, once)
    outcomes = [TimingRefused("faster than the hardware"), "timing"]
    with pytest.raises(TimingRefused, match="hardware"):
        undisturbed(bench, once)


def test_a_baseline_that_had_company():
    alone = [100 * US] * 7
    assert company([120 * US] * 15, alone, GPU) == ""
    assert "something else ran" in company([200 * US] * 15, alone, GPU)
    assert company([*[100 * US] * 10, *[1.0] * 5], alone, GPU) == ""


def test_names_are_said_once_and_in_order():
    calls = [replace(CALL, patched=("b", "a")), replace(CALL, patched=("a",))]
    assert "replaced a, b:" in named(calls)
    assert named([CALL]) == ""


def test_the_numbers_behind_a_decision():
    text = explain([CALL] * 3, QUIET, FLOOR)
    assert "seconds 130.0/130.0/130.0/130.0/130.0" in text
    assert text.endswith("floor: 120.0")


numbers = st.floats(-1e9, 1e9)


@given(values=st.lists(numbers, min_size=1, max_size=30), share=st.floats(0, 1))
def test_a_quantile_lies_among_the_values(values, share):
    found = quantile(values, share)
    assert min(values) - 1e-6 <= found <= max(values) + 1e-6
    assert quantile(values, 0.0) == min(values)
    assert quantile(values, 1.0) == max(values)


def test_the_median_of_two_lies_between_them():
    assert quantile([1.0, 2.0], 0.5) == 1.5
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
