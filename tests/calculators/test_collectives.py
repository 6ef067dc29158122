"""Collective operations: the formulas of their papers, NCCL's factors, and what follows from them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import run_line
from mlsys_path.calculators.collectives import OPERATIONS, break_even, bus_factor, cost
from mlsys_path.errors import UserError

sizes = st.floats(1, 1e15)
ranks = st.integers(2, 10**5)
powers = st.integers(1, 16).map(lambda k: 2**k)
alphas = st.floats(1e-7, 1e-3)
bandwidths = st.floats(1e6, 1e13)


@pytest.mark.parametrize(
    ("operation", "factor"),
    [
        # NVIDIA nccl-tests, doc/PERFORMANCE.md, Summary, with 8 ranks
        ("all-reduce", 2 * 7 / 8),
        ("all-gather", 7 / 8),
        ("reduce-scatter", 7 / 8),
        ("all-to-all", 7 / 8),
        ("broadcast", 1),
    ],
)
def test_nccl_tests_factors(operation, factor):
    assert bus_factor(operation, 8) == factor


@settings(deadline=None)
@given(operation=st.sampled_from(OPERATIONS), size=sizes, n=ranks, bandwidth=bandwidths)
def test_the_bus_bandwidth_of_a_ring_without_latency_is_the_link(operation, size, n, bandwidth):
    # what the factors are for: they make algbw comparable with the hardware's speed
    found = cost(operation, size, n, bandwidth=bandwidth)
    assert bus_factor(operation, n) * size / found.seconds == pytest.approx(bandwidth)


@settings(deadline=None)
@given(
    size=sizes,
    n=powers,
    bandwidth=bandwidths,
    alpha=alphas,
    how=st.sampled_from(["ring", "halving-doubling"]),
)
def test_all_reduce_is_reduce_scatter_and_all_gather(size, n, bandwidth, alpha, how):
    whole, first, second = (
        cost(operation, size, n, bandwidth=bandwidth, alpha=alpha, algorithm=how)
        for operation in ("all-reduce", "reduce-scatter", "all-gather")
    )
    assert whole.seconds == pytest.approx(first.seconds + second.seconds)
    assert whole.sent == pytest.approx(first.sent + second.sent)
    assert whole.steps == first.steps + second.steps


@settings(deadline=None)
@given(size=sizes, n=ranks)
def test_a_ring_sends_nearly_twice_the_buffer(size, n):
    # Patarasu and Yuan 2009, Bandwidth optimal all-reduce algorithms: 2(n - 1)/n · S, for any n less than 2S
    sent = cost("all-reduce", size, n, bandwidth=1e9).sent
    assert sent == pytest.approx(2 * size * (n - 1) / n)
    assert size <= sent < 2 * size
    if n > 1000:
        assert sent == pytest.approx(2 * size, rel=1e-3)


@settings(deadline=None)
@given(n=powers, alpha=alphas, bandwidth=bandwidths, size=sizes)
def test_thakur_2005(n, alpha, bandwidth, size):
    # §4.5, Rabenseifner's: 2·lg p·α + 2·(p - 1)/p·n·β; §4.1, ring all-gather: (p - 1)·α + (p - 1)/p·n·β
    q = (n - 1) / n
    rabenseifner = cost("all-reduce", size, n, bandwidth=bandwidth, alpha=alpha, algorithm="halving-doubling")
    assert rabenseifner.seconds == pytest.approx(2 * math.log2(n) * alpha + 2 * q * size / bandwidth)
    gather = cost("all-gather", size, n, bandwidth=bandwidth, alpha=alpha)
    assert gather.seconds == pytest.approx((n - 1) * alpha + q * size / bandwidth)
    # §4.2, binomial broadcast: ⌈lg p⌉·(α + n·β)
    binomial = cost("broadcast", size, n, bandwidth=bandwidth, alpha=alpha, algorithm="tree")
    assert binomial.seconds == pytest.approx(math.log2(n) * (alpha + size / bandwidth))


@settings(deadline=None)
@given(n=st.integers(4, 10**5), alpha=alphas, bandwidth=bandwidths)
def test_at_the_break_even_ring_and_tree_take_the_same(n, alpha, bandwidth):
    even = break_even(n, bandwidth=bandwidth, alpha=alpha)

    def seconds(size: float, how: str) -> float:
        return cost("all-reduce", size, n, bandwidth=bandwidth, alpha=alpha, algorithm=how).seconds

    assert seconds(even, "ring") == pytest.approx(seconds(even, "tree"))
    assert seconds(even / 2, "tree") < seconds(even / 2, "ring")
    assert seconds(even * 2, "ring") < seconds(even * 2, "tree")


@pytest.mark.parametrize("n", [2, 3])
def test_few_ranks_need_no_tree(n):
    assert break_even(n, bandwidth=1e9, alpha=1e-5) == 0


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_a_ring_played_through_sends_what_the_formula_says(n):
    chunks = [[rank * n + c for c in range(n)] for rank in range(n)]
    sums = [sum(chunks[rank][c] for rank in range(n)) for c in range(n)]
    sent = [0] * n
    for step in range(2 * (n - 1)):
        # the chunk that each rank passes on: partial sums first, then whole ones
        moved = [(rank, (rank - step) % n, chunks[rank][(rank - step) % n]) for rank in range(n)]
        for rank, chunk, value in moved:
            to = (rank + 1) % n
            chunks[to][chunk] = value + chunks[to][chunk] if step < n - 1 else value
            sent[rank] += 1
    assert all(row == sums for row in chunks)
    found = cost("all-reduce", n, n, bandwidth=1)
    assert sent == [pytest.approx(found.sent)] * n
    assert found.steps == 2 * (n - 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("allreduce --size 1GB --ranks 1 --bandwidth 1GB/s", "--ranks is 1: it must be at least 2"),
        ("allreduce --size 1GB --ranks 0 --bandwidth 1GB/s", "--ranks is 0"),
        ("allreduce --size 0 --ranks 8 --bandwidth 1GB/s", "--size is 0.0: it must be more than 0"),
        ("allreduce --size 1GB --ranks 8 --bandwidth 1GB/s --latency -1us", "must not be negative"),
        (
            "allreduce --size 1GB --ranks 6 --bandwidth 1GB/s --algorithm halving-doubling",
            "needs a power of 2 ranks, not 6",
        ),
        (
            "allreduce --op all-gather --size 1GB --ranks 8 --bandwidth 1GB/s --algorithm tree",
            "there is no tree all-gather: choose ring, halving-doubling",
        ),
        ("allreduce --op allreduce --size 1 --ranks 2 --bandwidth 1", "did you mean 'all-reduce'?"),
        ("allreduce --ranks 8 --bandwidth 1GB/s", "--size is missing: write it like 80GB"),
    ],
)
def test_nonsense_is_one_line(line, words):
    with pytest.raises(UserError) as error:
        run_line(line)
    assert words in str(error.value)


def test_a_measured_time_is_compared_with_the_link():
    report = run_line("allreduce --size 1GB --ranks 8 --bandwidth 450GB/s --time 4ms")
    assert report.row("measured-busbw").value == pytest.approx(1.75 * 1e9 / 4e-3)
    assert report.row("efficiency").value == pytest.approx(437.5 / 450)
