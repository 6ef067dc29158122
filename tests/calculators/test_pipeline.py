"""Pipeline schedules against their papers, and against a schedule that is played through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import run_line
from mlsys_path.calculators.pipeline import SCHEDULES, pipeline
from mlsys_path.errors import UserError


@pytest.mark.parametrize(("p", "m"), [(4, 8), (8, 64), (35, 280), (64, 512), (1, 5)])
def test_bubble_of_gpipe_and_1f1b(p, m):
    # Narayanan et al. 2021, §2.2: t_pb / t_id = (p - 1)/m; Huang et al. 2019, §2.3: (K - 1)/(M + K - 1)
    for schedule in ("gpipe", "1f1b"):
        found = pipeline(schedule, p, m)
        assert found.bubble_ratio == pytest.approx((p - 1) / m)
        assert found.bubble_share == pytest.approx((p - 1) / (m + p - 1))
    assert pipeline("gpipe", p, m).in_flight == m
    assert pipeline("1f1b", p, m).in_flight == min(p, m)


def test_interleaving_divides_the_bubble_by_the_chunks():
    # Narayanan et al. 2021, §2.2.2: (1/v)·(p - 1)/m; Korthikanti et al. 2022, §4.2.3: L·(1 + (p - 1)/(p·v)) layers
    found = pipeline("interleaved", 8, 64, chunks=3)
    assert found.bubble_ratio == pytest.approx(7 / 64 / 3)
    assert found.in_flight == pytest.approx(8 * (1 + 7 / 24))


@pytest.mark.parametrize(("f", "b", "w"), [(1, 1, 1), (1, 1.2, 0.8), (20, 22, 17)])
def test_zero_bubble_table_2(f, b, w):
    # Qi et al. 2023, Table 2
    p, m = 8, 24
    one = pipeline("1f1b", p, m, forward=f, backward_input=b, backward_weight=w)
    h1 = pipeline("zb-h1", p, m, forward=f, backward_input=b, backward_weight=w)
    h2 = pipeline("zb-h2", p, m, forward=f, backward_input=b, backward_weight=w)
    assert one.bubble == pytest.approx((p - 1) * (f + b + w))
    assert h1.bubble == pytest.approx((p - 1) * (f + b - w))
    assert h2.bubble == pytest.approx((p - 1) * (f + b - 2 * w))
    assert (one.in_flight, h1.in_flight, h2.in_flight) == (p, p, 2 * p - 1)


def test_with_equal_passes_zb_h1_has_a_third_of_the_bubble_and_zb_h2_none():
    # the same, §2.1 and §2.2
    assert pipeline("zb-h1", 8, 24).bubble == pytest.approx(pipeline("1f1b", 8, 24).bubble / 3)
    assert pipeline("zb-h2", 8, 24).bubble == 0


def play(orders: list[list[tuple[str, int]]], forward: float, backward: float) -> float:
    """When the last pass ends if each stage works through its order as soon as what it needs is there."""
    last = len(orders) - 1
    done: dict[tuple[int, str, int], float] = {}
    clock, position = [0.0] * len(orders), [0] * len(orders)
    while any(position[stage] < len(order) for stage, order in enumerate(orders)):
        for stage, order in enumerate(orders):
            while position[stage] < len(order):
                kind, batch = order[position[stage]]
                if kind == "F":
                    needs = (stage - 1, "F", batch) if stage else None
                else:
                    needs = (stage + 1, "B", batch) if stage < last else (stage, "F", batch)
                if needs is not None and needs not in done:
                    break
                start = max(clock[stage], done[needs] if needs else 0.0)
                clock[stage] = start + (forward if kind == "F" else backward)
                done[stage, kind, batch] = clock[stage]
                position[stage] += 1
    return max(clock)


def orders_of(schedule: str, p: int, m: int) -> list[list[tuple[str, int]]]:
    if schedule == "gpipe":
        return [[("F", i) for i in range(m)] + [("B", i) for i in reversed(range(m))]] * p
    orders = []
    for stage in range(p):
        warm = min(p - stage, m)
        order = [("F", i) for i in range(warm)]
        for i in range(m):
            order.append(("B", i))
            if warm + i < m:
                order.append(("F", warm + i))
        orders.append(order)
    return orders


@settings(deadline=None, max_examples=50)
@given(
    schedule=st.sampled_from(["gpipe", "1f1b"]),
    p=st.integers(1, 8),
    m=st.integers(1, 16),
    f=st.integers(1, 9),
    b=st.integers(1, 9),
    w=st.integers(1, 9),
)
def test_the_bubble_is_that_of_a_schedule_played_through(schedule, p, m, f, b, w):
    found = pipeline(schedule, p, m, forward=f, backward_input=b, backward_weight=w)
    assert play(orders_of(schedule, p, m), f, b + w) == pytest.approx(found.ideal + found.bubble)


times = st.floats(1e-6, 1e6)


@settings(deadline=None)
@given(p=st.integers(1, 64), groups=st.integers(2, 64), f=times, b=times, w=times)
def test_the_schedules_are_ordered_as_their_authors_say(p, groups, f, b, w):
    passes = {"forward": f, "backward_input": b, "backward_weight": w}
    found = {
        name: pipeline(name, p, p * groups, chunks=2 if name == "interleaved" else 1, **passes)
        for name in SCHEDULES
    }
    assert found["zb-h2"].bubble <= found["zb-h1"].bubble <= found["1f1b"].bubble
    assert found["interleaved"].bubble <= found["1f1b"].bubble == found["gpipe"].bubble
    assert found["1f1b"].in_flight <= found["interleaved"].in_flight <= found["gpipe"].in_flight
    assert all(0 <= each.bubble_share < 1 for each in found.values())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pipeline("1f1b", 0, 8), "stages is 0"),
        (lambda: pipeline("1f1b", 8, 0), "microbatches is 0"),
        (lambda: pipeline("1f2b", 8, 8), "did you mean '1f1b'?"),
        (lambda: pipeline("interleaved", 8, 8), "at least 2 chunks"),
        (lambda: pipeline("interleaved", 8, 9, chunks=2), "multiples of the 8 stages"),
        (lambda: pipeline("1f1b", 8, 8, chunks=2), "only the interleaved schedule has chunks"),
        (lambda: pipeline("zb-h2", 8, 14), "at least 15 micro-batches"),
        (lambda: pipeline("zb-h1", 8, 7), "at least 8 micro-batches"),
        (lambda: pipeline("1f1b", 8, 8, forward=0), "forward is 0"),
    ],
)
def test_nonsense_is_one_line(call, words):
    with pytest.raises(UserError) as error:
        call()
    assert words in str(error.value)


def test_times_are_shown_where_they_are_given():
    assert "step" not in [row.key for row in run_line("pipeline --stages 4 --microbatches 8").rows]
    report = run_line("pipeline --stages 4 --microbatches 8 --forward 10ms --backward-input 12ms")
    assert report.row("bubble").value == pytest.approx(3 * 0.032)
    assert report.row("step").value == pytest.approx(11 * 0.032)
