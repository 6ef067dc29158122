"""Model states against the ZeRO paper, and what must hold whatever the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import memory, run_line
from mlsys_path.errors import UserError


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_figure_1_of_zero(stage, gigabytes):
    # Rajbhandari et al. 2020, Figure 1: 7.5B parameters, 64-way data parallelism
    states = memory.model_states(7.5e9, dp=64, stage=stage)
    assert states.total / 1e9 == pytest.approx(gigabytes, abs=0.051)
    assert run_line(f"memory --params 7.5e9 --dp 64 --zero {stage}").row("total").value == states.total


@pytest.mark.parametrize(
    ("dp", "printed"),
    [
        # Rajbhandari et al. 2020, Table 1: stages 1, 2, 3 of 7.5B, of 128B, of 1T
        (1, (120, 120, 120, 2048, 2048, 2048, 16000, 16000, 16000)),
        (4, (52.5, 41.3, 30, 896, 704, 512, 7000, 5500, 4000)),
        (16, (35.6, 21.6, 7.5, 608, 368, 128, 4750, 2875, 1000)),
        (64, (31.4, 16.6, 1.88, 536, 284, 32, 4187, 2218, 250)),
        (256, (30.4, 15.4, 0.47, 518, 263, 8, 4046, 2054, 62.5)),
        (1024, (30.1, 15.1, 0.12, 513, 257, 2, 4011, 2013, 15.6)),
    ],
)
def test_table_1_of_zero(dp, printed):
    found = [
        memory.model_states(params, dp=dp, stage=stage).total / 1e9
        for params in (7.5e9, 128e9, 1e12)
        for stage in (1, 2, 3)
    ]
    assert found == pytest.approx(list(printed), rel=0.004, abs=0.06)


@pytest.mark.parametrize(
    ("options", "bytes_each"),
    [
        ({}, (2, 2, 12)),  # Rajbhandari et al. 2020, §3.1
        ({"gradient_bytes": 4}, (2, 4, 12)),  # 18 bytes, as Megatron-LM's distributed optimizer says
        ({"precision": "fp32"}, (4, 4, 8)),
        ({"precision": "bf16"}, (2, 2, 4)),
        ({"optimizer": "adam8bit"}, (2, 2, 6)),
        ({"optimizer": "sgd"}, (2, 2, 4)),
        ({"optimizer": "sgd", "precision": "fp32"}, (4, 4, 0)),
        ({"optimizer": "momentum"}, (2, 2, 8)),
    ],
)
def test_bytes_of_a_parameter(options, bytes_each):
    assert memory.bytes_per_parameter(**options) == bytes_each


def test_communication_of_the_stages():
    # Rajbhandari et al. 2020, §7: 2Ψ, and 3Ψ in stage 3
    for stage in (0, 1, 2):
        assert memory.traffic(1e9, dp=10**6, stage=stage) == pytest.approx(2 * 2e9, rel=1e-5)
    assert memory.traffic(1e9, dp=10**6, stage=3) == pytest.approx(3 * 2e9, rel=1e-5)
    assert memory.traffic(1e9, dp=1, stage=3) == 0


def test_stage_3_gathers_whole_layers_for_a_moment():
    report = run_line("memory --model llama3-70b --dp 64 --zero 3")
    # one of its 80 layers: 855,654,400 parameters of 2 bytes, and one fetched ahead
    assert report.row("gathered").value == 2 * 2 * 855_654_400
    assert report.row("peak").value == report.row("total").value + report.row("gathered").value
    alone = run_line("memory --model llama3-70b --dp 64 --zero 3 --prefetch 0 --tp 8")
    assert alone.row("gathered").value == 2 * 855_654_400 / 8
    assert run_line("memory --params 80B --layers 80 --zero 3 --dp 8").row("gathered").value == 4e9


def test_model_parallelism_divides_everything():
    whole = run_line("memory --model megatron-530b --zero 1 --dp 8")
    split = run_line("memory --model megatron-530b --zero 1 --dp 8 --tp 8 --pp 35")
    assert split.row("total").value == pytest.approx(whole.row("total").value / 280)


params = st.floats(1, 1e15)
degrees = st.integers(1, 10**6)
choices = st.fixed_dictionaries(
    {
        "optimizer": st.sampled_from(list(memory.OPTIMIZERS)),
        "precision": st.sampled_from(list(memory.PRECISIONS)),
        "gradient_bytes": st.sampled_from([None, 2, 4]),
    }
)


@settings(deadline=None)
@given(psi=params, dp=degrees, more=degrees, options=choices)
def test_a_higher_stage_and_a_higher_degree_never_take_more(psi, dp, more, options):
    totals = [memory.model_states(psi, dp=dp, stage=stage, **options).total for stage in range(4)]
    assert totals == sorted(totals, reverse=True)
    for stage in range(4):
        wider = memory.model_states(psi, dp=dp + more, stage=stage, **options).total
        assert wider <= totals[stage]
    assert memory.model_states(psi, dp=1, stage=3, **options).total == pytest.approx(totals[0])


@settings(deadline=None)
@given(psi=params, dp=degrees, options=choices)
def test_stage_3_shards_everything_evenly(psi, dp, options):
    whole = memory.model_states(psi, stage=0, **options)
    shard = memory.model_states(psi, dp=dp, stage=3, **options)
    assert shard.total * dp == pytest.approx(whole.total)


@pytest.mark.parametrize(
    "call",
    [
        lambda: memory.model_states(0),
        lambda: memory.model_states(1e9, dp=0),
        lambda: memory.model_states(1e9, stage=4),
        lambda: memory.model_states(1e9, optimizer="adm"),
        lambda: memory.model_states(float("inf")),
        lambda: memory.bytes_per_parameter(gradient_bytes=3),
        lambda: memory.gathered(-1),
        lambda: memory.gathered(1, prefetch=-1),
        lambda: memory.traffic(1e9, dp=0, stage=0),
    ],
)
def test_nonsense_is_one_line(call):
    with pytest.raises(UserError) as error:
        call()
    assert "\n" not in str(error.value)
