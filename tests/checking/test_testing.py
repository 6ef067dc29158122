"""Comparisons demand what they say, and their failures say what differs."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys_path.checking.testing import CheckFailed, assert_close, assert_equal, fail

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (True, 1), (1, True), (1.0, 1), (1, 1.0), ("a", b"a"), ([1], (1,)), ((1, 2), (1,)), ({1: 2}, {1: 2.0}), ({1: 2}, {1: 2, 3: 4}),
        (None, 0), (float("nan"), 0.0), ([1, [2, 3]], [1, [2, 4]]), ({1}, [1]), (np.float32(1), 1.0), (1.0, np.float32(1)),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int64)), (np.zeros(2), np.zeros((2, 1))),
    ],
)  # fmt: skip
def test_unequal(got, expected):
    with pytest.raises(CheckFailed):
        assert_equal(got, expected)


@pytest.mark.parametrize(
    "value",
    [
        True,
        3,
        2.5,
        float("nan"),
        "x",
        [1, (2, None)],
        {1: [2]},
        {1, 2},
        np.float32(2),
        np.arange(3),
        torch.arange(4),
    ],
)
def test_equal(value):
    assert_equal(value, value)


def test_the_first_difference_is_named():
    with pytest.raises(CheckFailed, match=r"the answer is wrong, first at \[1\]\[0\]"):
        assert_equal([1, [2, 3]], [1, [9, 3]], "the answer")


def test_a_mismatch_says_how_many_where_in_which_tile_and_how_far():
    expected = torch.arange(64.0).reshape(8, 8)
    got = expected.clone()
    got[5, 6] += 0.5
    got[7, 7] += 2
    with pytest.raises(CheckFailed) as info:
        assert_close(got, expected, tile=(4, 4))
    mismatch = info.value.mismatch
    assert (mismatch.differing, mismatch.total) == (2, 64)
    assert mismatch.first_index == (5, 6)
    assert mismatch.tile == "1, 1"
    assert mismatch.largest_error == 2.0
    assert "2 of 64 elements differ" in str(info.value)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("got", [[NAN, 1.0], [INF, 1.0], [-INF, 1.0], [2.0, 1.0]])
def test_nan_and_infinity_are_not_close_to_numbers(got):
    with pytest.raises(CheckFailed):
        assert_close(torch.tensor(got), torch.tensor([1.0, 1.0]), rtol=0.1, atol=0.1)
    with pytest.raises(CheckFailed):
        assert_close(torch.tensor([1.0, 1.0]), torch.tensor(got), rtol=0.1, atol=0.1)


def test_nan_and_infinity_where_they_are_expected():
    x = torch.tensor([NAN, INF, -INF, 1.0])
    assert_close(x, x.clone())


@pytest.mark.parametrize(
    "got",
    [
        torch.zeros(3, dtype=torch.float64), torch.zeros(3, 1), np.zeros(3, dtype=np.float32), [0.0, 0.0, 0.0], None, 0.0,
    ],
)  # fmt: skip
def test_kind_dtype_and_shape_are_demanded(got):
    with pytest.raises(CheckFailed):
        assert_close(got, torch.zeros(3))


def test_numbers():
    assert_close(1.0 + 1e-9, 1.0)
    assert_close([1.0, 2], [1.0, 2])
    for got in (1.1, True, "1", None, NAN):
        with pytest.raises(CheckFailed):
            assert_close(got, 1.0)


def test_integers_of_64_bits_are_compared_exactly():
    big = torch.tensor([2**62 + 1])
    with pytest.raises(CheckFailed):
        assert_close(big, big + 1)


def test_fail_shows_what_it_is_given():
    with pytest.raises(CheckFailed) as info:
        fail("the heap overlaps", got=[1, 2], expected=[1])
    assert (str(info.value), info.value.got, info.value.expected) == ("the heap overlaps", "[1, 2]", "[1]")
