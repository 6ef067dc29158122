"""Where arrays differ, block by block: every element is counted once, and none is rounded away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from mlsys_path import language
from mlsys_path.checking import heat
from mlsys_path.checking.codec import from_document, to_document
from mlsys_path.checking.events import CheckResult, Counterexample, Mismatch
from mlsys_path.checking.testing import CheckFailed, assert_close
from mlsys_path.levels import Level, Outcome


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(bool, arrays.array_shapes(min_dims=1, max_dims=4, max_side=40)))
def test_every_element_is_counted_in_one_cell(wrong):
    found = heat.heat_map(wrong)
    if wrong.size < 2:
        assert found is None
        return
    assert len(found.counts) <= heat.MAX_ROWS and len(found.counts[0]) <= heat.MAX_COLUMNS
    assert sum(map(sum, found.counts)) == wrong.sum()
    assert sum(map(sum, heat.sizes(found))) == wrong.size
    assert (found.rows, found.columns) == wrong.reshape(-1, wrong.shape[-1]).shape
    assert len(heat.lines(found, wrong.shape)) == len(found.counts) + 3


def test_a_wrong_tile_stands_out():
    wrong = np.zeros((64, 128), bool)
    wrong[16:32, 64:96] = True
    wrong[0, 0] = True
    found = heat.heat_map(wrong)
    assert found.block == (8, 8)
    assert heat.lines(found, wrong.shape) == [
        "Where they differ, 8×8 elements in each cell:",
        "   0   16  32  48  64  80  96  112",
        " 0 ░░······························  1/1024",
        " 8 ································  0/1024",
        "16 ················████████········  256/1024",
        "24 ················████████········  256/1024",
        *(f"{row} ································  0/1024" for row in (32, 40, 48, 56)),
        "·· none  ░░ few  ▒▒ about half  ▓▓ most  ██ all",
    ]


def test_columns_are_named_at_even_distances():
    assert heat.axis(heat.heat_map(np.ones(2048, bool))) == "0     384   768   1152  1536  1920"
    assert heat.axis(heat.heat_map(np.ones(6, bool))) == "0 1 2 3 4 5"


def test_rows_of_more_axes_are_named_by_all_of_them():
    found = heat.heat_map(np.ones((2, 3, 4), bool))
    assert heat.labels(found, (2, 3, 4)) == ["0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"]
    assert heat.labels(heat.heat_map(np.ones(5, bool)), (5,)) == ["0"]


def test_one_is_never_none_and_all_but_one_is_never_all():
    assert [heat.shade(n, 1000) for n in (0, 1, 400, 999, 1000)] == [0, 1, 2, 3, 4]


def test_a_failed_comparison_carries_the_map_and_it_crosses_to_the_app():
    expected = np.zeros((4, 6), np.float32)
    got = expected.copy()
    got[2, 3:] = 1
    with pytest.raises(CheckFailed) as info:
        assert_close(got, expected)
    mismatch = info.value.mismatch
    assert mismatch.heat.counts == ((0,) * 6, (0,) * 6, (0, 0, 0, 1, 1, 1), (0,) * 6)
    event = CheckResult("t", Level.CORRECT, Outcome.FAILED, counterexample=Counterexample(mismatch=mismatch))
    assert from_document(to_document(event)) == event


def test_of_one_element_there_is_no_map():
    with pytest.raises(CheckFailed) as info:
        assert_close(np.ones(1), np.zeros(1))
    assert isinstance(info.value.mismatch, Mismatch) and info.value.mismatch.heat is None
