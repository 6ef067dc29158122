"""A kernel's place under its roof, and the plot of it: right, and never wider than it says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.checking.events import Measurement, Roofline
from mlsys_path.checking.timing import telling
from mlsys_path.checking.timing.roofline import HEIGHT, WIDTH, place, plot, plots, summary

DEVICE = {"bandwidth": 4e12, "peak": 6e14, "dtype": "float16", "device": "NVIDIA H200"}


@pytest.fixture(autouse=True)
def english():
    language.use("en")


def timed(name: str, roofline: Roofline | None, **more) -> Measurement:
    return Measurement(name, 1e-3, "s", 2e-3, 2.0, 1.9, 2.1, roofline=roofline, **more)


def test_little_arithmetic_is_bound_by_memory():
    found = place(1e-3, moved=2e9, flops=1e9, **DEVICE)
    assert found.intensity == pytest.approx(0.5)
    assert (found.bound, found.ceiling) == ("memory", pytest.approx(2e12))
    assert found.achieved == pytest.approx(1e12)
    assert found.fraction == pytest.approx(0.5)


def test_much_arithmetic_is_bound_by_the_peak():
    found = place(1e-3, moved=1e9, flops=3e11, **DEVICE)
    assert (found.bound, found.ceiling) == ("compute", pytest.approx(6e14))
    assert found.fraction == pytest.approx(0.5)


@pytest.mark.parametrize("less", [{"flops": 0.0}, {"peak": 0.0}])
def test_without_arithmetic_or_a_known_peak_it_is_bytes_that_count(less):
    found = place(**{"seconds": 1e-3, "moved": 2e9, "flops": 1e9, **DEVICE, **less})
    assert (found.intensity, found.bound) == (0.0, "memory")
    assert found.achieved == pytest.approx(2e12)
    assert found.fraction == pytest.approx(0.5)


def test_work_that_moves_nothing_has_a_place_too():
    found = place(1e-3, moved=0, flops=1e9, **DEVICE)
    assert math.isfinite(found.intensity)
    assert plots([timed("registers only", found)])


def test_the_summary_says_what_was_reached_of_what():
    with_flops = place(1e-3, moved=2e9, flops=1e9, **DEVICE)
    assert summary(with_flops) == "1 TFLOP/s of 2 TFLOP/s (50%), bound by memory, 0.5 FLOP/B"
    assert summary(place(1e-3, moved=2e9, flops=0, **DEVICE)) == "2 TB/s of 4 TB/s (50%), bound by memory"
    assert "bound by computing" in summary(place(1e-3, moved=1e9, flops=3e11, **DEVICE))


def test_the_plot_has_a_slope_a_roof_and_the_kernels_below_it():
    points = [
        ("a", place(1e-3, moved=2e9, flops=1e9, **DEVICE)),
        ("b", place(1e-3, moved=1e9, flops=3e11, **DEVICE)),
    ]
    lines = plot(points)
    assert len(lines) == HEIGHT + 2
    drawn = "\n".join(lines)
    assert "/" in drawn and "---" in drawn and "600 TF/s" in drawn and "FLOP/B" in lines[-1]
    row = {letter: next(i for i, line in enumerate(lines[:HEIGHT]) if letter in line[11:]) for letter in "ab"}
    column = {letter: lines[row[letter]].index(letter, 11) for letter in "ab"}
    assert row["b"] < row["a"], "b is the faster one"
    assert column["b"] > column["a"], "b has the higher intensity"
    for letter in "ab":
        around = "".join(line[column[letter] - 2 : column[letter] + 3] for line in lines[: row[letter] + 1])
        assert "/" in around or "-" in around, "nothing is above the roof"


def test_each_roof_has_a_plot_and_what_has_none_is_left_out():
    half = DEVICE | {"dtype": "float32", "peak": 6e13}
    shown = plots(
        [
            timed("softmax", place(1e-3, moved=2e9, flops=1e9, **DEVICE)),
            timed("matmul", place(1e-3, moved=2e9, flops=1e9, **half)),
            timed("transpose", place(1e-3, moved=2e9, flops=0, **DEVICE)),
            timed("other", None),
        ]
    )
    heads = [line for line in shown if line.startswith("NVIDIA H200")]
    assert heads == [
        "NVIDIA H200: 4 TB/s, 600 TFLOP/s float16",
        "NVIDIA H200: 4 TB/s, 60 TFLOP/s float32",
        "NVIDIA H200: 4 TB/s",
    ]
    assert [line for line in shown if line.startswith("a  ")] == ["a  softmax", "a  matmul", "a  transpose"]
    assert not any("other" in line for line in shown)


@pytest.mark.parametrize("broken", [math.nan, math.inf, 0.0, -1.0])
def test_what_cannot_be_drawn_is_left_out(broken):
    assert plots([timed("a", Roofline(0.5, broken, 2e12, "memory", 0.5, 4e12, 6e14))]) == []
    assert plots([timed("a", Roofline(0.5, 1e12, 2e12, "memory", 0.5, broken, 6e14))]) == []


def test_no_line_is_wider_than_the_terminal_at_the_ends_of_rates():
    for achieved in (1e-9, 0.0123456, 999.6, 999999.0, 1e30):
        roof = Roofline(0.5, achieved, 2e12, "memory", achieved / 2e12, 4e12, 6e14)
        bare = Roofline(0.0, achieved, 4e12, "memory", achieved / 4e12, 4e12, 0.0)
        assert max(map(cell_len, plots([timed("a", roof), timed("b", bare)], 60))) <= 60


rates = st.floats(1e3, 1e17)


@given(
    found=st.lists(
        st.tuples(
            st.text("softmax 4096×12288 矩阵转置（双精度）", max_size=90),
            st.floats(1e-7, 1e2),
            rates,
            rates | st.just(0.0),
        ),
        min_size=1,
        max_size=40,
    ),
    bandwidth=st.floats(1e8, 1e14),
    peak=st.floats(1e8, 1e17),
    width=st.integers(telling.NARROWEST, 200),
    lang=st.sampled_from(["en", "zh"]),
)
def test_no_line_is_wider_than_the_terminal(found, bandwidth, peak, width, lang):
    language.use(lang)
    measurements = [
        timed(
            name, place(seconds, moved=moved, flops=flops, bandwidth=bandwidth, peak=peak, device="显卡 H200")
        )
        for name, seconds, moved, flops in found
    ]
    shown = telling.rooflines(measurements, width)
    assert shown
    assert max(map(cell_len, shown)) <= min(width, WIDTH)


def test_a_narrow_terminal_has_no_plot():
    measurement = timed("a", place(1e-3, moved=2e9, flops=1e9, **DEVICE))
    assert telling.rooflines([measurement], telling.NARROWEST - 1) == []


class TestWords:
    def test_a_ratio_says_against_what(self):
        assert (
            telling.measured(timed("dot", None))
            == "dot: 2 times the baseline (from 1.9 to 2.1), 1 ms against 2 ms"
        )
        assert "2 times torch" in telling.measured(timed("dot", None, against="torch"))
        assert "2 times a copy of the same bytes" in telling.measured(timed("dot", None, against="copy"))
        assert "2 times the baseline" in telling.measured(timed("dot", None, against="<lambda>"))

    def test_a_plain_quantity(self):
        assert telling.lines(Measurement("utilisation", 0.825, "")) == ["utilisation: 0.825"]
        assert telling.lines(Measurement("memory", 2.0, "MB")) == ["memory: 2 MB"]

    @pytest.mark.parametrize(
        ("bar", "star_bar", "shown"),
        [
            (None, None, ""),
            (1.5, None, "★ asked for: 1.5"),
            (2.5, None, "☆ asked for: 2.5"),
            (1.5, 3.0, "★ asked for: 1.5   ☆ second star, the reference's: 3"),
            (1.5, 1.9, "★ asked for: 1.5   ★ second star, the reference's: 1.9"),
        ],
    )
    def test_stars_are_full_when_they_are_reached(self, bar, star_bar, shown):
        star = None if star_bar is None else star_bar <= 2.0
        assert telling.stars(timed("dot", None, bar=bar, star_bar=star_bar, star=star)) == shown
