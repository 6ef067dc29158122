"""Results of timed calls against what was expected: as wide as the dtypes allow, and no wider."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mlsys_path import language  # noqa: E402
from mlsys_path.checking.failures import CheckFailed, TimingRefused  # noqa: E402
from mlsys_path.checking.timing import comparing  # noqa: E402
from mlsys_path.checking.timing.comparing import close, demand_close  # noqa: E402
from mlsys_path.checking.timing.watched import demand_shape  # noqa: E402

NAN, INF = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def english():
    language.use("en")


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.0], [1.0, 2.0001], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([NAN], [NAN], True),
        ([NAN], [1.0], False),
        ([1.0], [NAN], False),
        ([INF], [INF], True),
        ([INF], [-INF], False),
        ([1e30], [INF], False),
        ([INF], [1e30], False),
        ([], [], True),
    ],
)
def test_floating_point(got, expected, same):
    assert close(torch.tensor(got), torch.tensor(expected), 1e-3, 1e-6) is same


def test_integers_are_exact_by_default():
    wanted = torch.tensor([1, 2, 1 << 60])
    assert close(wanted.clone(), wanted, 0, 0)
    assert not close(wanted + torch.tensor([0, 0, 1]), wanted, 0, 0)
    assert close(torch.tensor([True]), torch.tensor([True]), 0, 0)


@pytest.mark.parametrize("at", [0, 9, 10, 25])
def test_each_piece_is_compared(monkeypatch, at):
    monkeypatch.setattr(comparing, "PIECE", 10)
    wanted = torch.zeros(26)
    got = wanted.clone()
    assert close(got, wanted, 0, 1e-6)
    got[at] = 1.0
    assert not close(got, wanted, 0, 1e-6)


class TestDemand:
    def demand(self, got, expected, earlier=()):
        demand_close([got], [expected], [[e] for e in earlier], rtol=None, atol=None)

    def test_the_expected_one_is_right(self):
        self.demand(torch.ones(4), torch.ones(4), [torch.zeros(4)])

    def test_an_earlier_result_is_called_what_it_is(self):
        with pytest.raises(TimingRefused, match="earlier call's inputs"):
            self.demand(torch.zeros(4), torch.ones(4), [torch.full((4,), 7.0), torch.zeros(4)])

    def test_a_wrong_one_says_where(self):
        with pytest.raises(CheckFailed, match="the result of a timed call"):
            self.demand(torch.tensor([1.0, 5.0]), torch.ones(2), [torch.zeros(2)])

    def test_of_several_results_it_says_which(self):
        with pytest.raises(CheckFailed, match=r"timed call \[1\]"):
            demand_close([torch.ones(2), torch.zeros(2)], [torch.ones(2)] * 2, [], rtol=None, atol=None)


class TestShape:
    result = torch.zeros(3, 4)
    told = {  # noqa: RUF012
        "tensor": True, "type": "torch.Tensor", "device": "cpu", "dtype": "float32", "shape": [3, 4], "strides": [4, 1],
        "layout": True, "over_input": False, "over_earlier": False,
    }  # fmt: skip

    def test_a_plain_tensor(self):
        demand_shape([self.told], [self.result])

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            (
                {"tensor": False, "type": "mine.Later"},
                TimingRefused,
                "a mine.Later: return a plain torch.Tensor",
            ),
            ({"device": "meta"}, CheckFailed, "device is meta, expected cpu"),
            ({"dtype": "float16"}, CheckFailed, "dtype is float16"),
            ({"shape": [4, 3]}, CheckFailed, "shape is"),
            ({"layout": False}, CheckFailed, "layout"),
            ({"strides": [0, 1]}, CheckFailed, "strides"),
            ({"strides": None}, CheckFailed, "strides"),
            ({"over_input": True}, TimingRefused, "memory of its inputs"),
            ({"over_earlier": True}, TimingRefused, "memory of an earlier call's result"),
        ],
    )
    def test_what_is_none(self, change, error, words):
        with pytest.raises(error, match=words):
            demand_shape([self.told | change], [self.result])

    def test_as_many_as_expected(self):
        with pytest.raises(CheckFailed, match="returned 2 tensors, expected 1"):
            demand_shape([self.told] * 2, [self.result])
