"""Fills the learner's histogram from several threads; judges the counts, where they lie, and the time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import fail

LINE = 64
SLOT = 8


def build(learner, layout: str = "histogram.hpp", **how):
    """The driver around one of the two layouts: the learner's, or the packed baseline."""
    return learner.build("drive.cpp", flags=["-O2", f'-DLAYOUT="{layout}"'], **how)


def request(*head: int, bins: np.ndarray | None = None) -> bytes:
    """Whole numbers as the driver reads them: a head, and a row of bins for each thread."""
    rows = b"" if bins is None else bins.astype(np.int32).tobytes()
    return np.array(head, dtype=np.int32).tobytes() + rows


def numbers(data: bytes) -> np.ndarray:
    """The driver's answer: u64 values."""
    return np.frombuffer(data[: len(data) // 8 * 8], dtype=np.uint64)


def expect_counts(got: np.ndarray, bins: np.ndarray, size: int, rounds: int = 1) -> None:
    """Every bin must hold what all threads together put there."""
    expected = rounds * np.bincount(bins.ravel(), minlength=size).astype(np.uint64)
    if len(got) != size:
        fail(f"the program ended before it had reported {size} bins")
    if wrong := np.flatnonzero(got != expected).tolist():
        bin_ = wrong[0]
        fail(
            f"{len(bins)} threads counted {bins.shape[1] * rounds} values each into {size} bins: {len(wrong)} "
            f"bins are wrong, the first is count({bin_}): got {got[bin_]}, expected {expected[bin_]}"
        )


@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_counts(learner, threads, size, n, seed):
    bins = np.random.default_rng(seed).integers(0, size, (threads, n))
    done = build(learner).run("count", stdin=request(threads, size, n, bins=bins))
    expect_counts(numbers(done.stdout), bins, size)


def slots(learner, threads: int, size: int, bytes_before: int = 8) -> np.ndarray:
    """Addresses [threads, bins] of the slots, after checking that add() really counts there."""
    done = build(learner).run("layout", stdin=request(threads, size, bytes_before))
    got = numbers(done.stdout)
    if len(got) != 3 * threads * size:
        fail(f"the program ended before it had reported {threads} x {size} addresses")
    addresses, before, after = got.reshape(threads, size, 3).transpose(2, 0, 1)
    if len(wrong := np.argwhere(after != before + 1)):
        t, bin_ = wrong[0]
        fail(
            f"Histogram({threads}, {size}): address({t}, {bin_}) is not where add({t}, {bin_}) counts: "
            f"the 8 bytes there were {before[t, bin_]} before and {after[t, bin_]} after"
        )
    return addresses


@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 7))
@settings(max_examples=40)
def test_no_line_has_two_writers(learner, threads, size, shift):
    writer: dict[int, tuple[int, int, int]] = {}
    for t, row in enumerate(slots(learner, threads, size, 16 * shift + 8).tolist()):
        for bin_, address in enumerate(row):
            for line in {address // LINE, (address + SLOT - 1) // LINE}:
                other, other_bin, other_address = writer.setdefault(line, (t, bin_, address))
                if other != t:
                    fail(
                        f"Histogram({threads}, {size}): threads {other} and {t} write to the same cache line "
                        f"of {LINE} bytes: add({other}, {other_bin}) to its byte {other_address % LINE}, "
                        f"add({t}, {bin_}) to its byte {address % LINE}"
                    )


@given(st.integers(1, 6), st.integers(1, 200))
@settings(max_examples=25)
def test_rows_are_compact(learner, threads, size):
    for t, row in enumerate(slots(learner, threads, size).tolist()):
        span, allowed = max(row) + SLOT - min(row), size * SLOT + 4 * LINE
        if span > allowed:
            fail(
                f"Histogram({threads}, {size}): the {size} slots of thread {t} are spread over {span} bytes, "
                f"{allowed} are plenty: slots of one thread may share a line"
            )


def watch(learner, rng, sanitize: str | None = None) -> None:
    """A reader adds up all bins while the threads count: it must never see the sum fall."""
    threads, size, n = int(rng.integers(2, 5)), int(rng.integers(2, 30)), int(rng.integers(500, 1500))
    bins = rng.integers(0, size, (threads, n))
    program = build(learner, sanitize=sanitize)
    got = numbers(program.run("watch", stdin=request(threads, size, n, bins=bins)).stdout)
    expect_counts(got[:size], bins, size)
    sums = got[size + 1 :].astype(np.int64)
    if len(fallen := np.flatnonzero(np.diff(sums) < 0)):
        at = int(fallen[0])
        fail(f"while {threads} threads counted, the sum of all bins fell from {sums[at]} to {sums[at + 1]}")
    if len(sums) and sums.max() > threads * n:
        fail(f"while {threads} threads counted {threads * n} values, the sum of all bins was {sums.max()}")


def test_thread_sanitizer(learner, rng):
    for _ in range(2):
        watch(learner, rng)
        watch(learner, rng, sanitize="thread")


def two_cores() -> list[int]:
    """A CPU on each of two physical cores; hyperthreads of one core share its cache and prove nothing."""
    cores: dict[str, int] = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores.setdefault(siblings.read_text() if siblings.exists() else str(cpu), cpu)
    return list(cores.values())[:2]


def test_faster_than_packed(learner, measure, rng):
    cpus = two_cores()
    if len(cpus) < 2:
        pytest.skip("false sharing needs two cores that write at the same time; this machine has one")

    def timed(session) -> float:
        size, n, rounds = int(rng.integers(3, 17)), int(rng.integers(3500, 4500)), 240
        bins = rng.integers(0, size, (2, n))
        reply, seconds = session.ask(request(rounds, size, n, bins=bins), read=8 * size)
        expect_counts(numbers(reply), bins, size, rounds)
        return seconds

    places = [str(cpu) for cpu in cpus]
    with (
        build(learner).start("time", *places) as ours,
        build(learner, "packed.hpp").start("time", *places) as packed,
    ):
        measure.ratio(
            "two threads, against packed slots",
            candidate=lambda: timed(ours),
            baseline=lambda: timed(packed),
            at_least=2.0,
            unit="s",
            repeats=7,
        )
