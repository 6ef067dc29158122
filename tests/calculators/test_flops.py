"""FLOPs, utilization and training time against what papers print."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import flops, run_line
from mlsys_path.errors import UserError


@pytest.mark.parametrize(
    ("millions", "printed"),
    [
        # Brown et al. 2020, GPT-3, Table D.1; 300 billion tokens each
        (125, 2.25e20),
        (356, 6.41e20),
        (760, 1.37e21),
        (1_320, 2.38e21),
        (2_650, 4.77e21),
        (6_660, 1.20e22),
        (12_850, 2.31e22),
        (174_600, 3.14e23),
    ],
)
def test_training_flops_of_gpt3(millions, printed):
    assert float(f"{flops.training(millions * 1e6, 300e9):.2e}") == printed


def test_training_flops_of_chinchilla_and_llama3():
    # Hoffmann et al. 2022, Table 3 counts in more detail, 5.76e23 for the budget of 70B on 1.4T
    assert flops.training(70e9, 1.4e12) == pytest.approx(5.76e23, rel=0.03)
    # Grattafiori et al. 2024, §1: 405B on 15.6T tokens, 3.8e25 FLOPs
    assert float(f"{flops.training(405e9, 15.6e12):.1e}") == 3.8e25
    assert float(f"{run_line('flops --model llama3-405b --tokens 15.6T').row('total').value:.1e}") == 3.8e25


def test_the_exact_form_is_korthikanti_2022_eq_7():
    for layers, h, s, v in ((48, 6144, 2048, 51200), (96, 12288, 2048, 51200), (105, 20480, 2048, 51200)):
        token = flops.per_token(12 * layers * h * h + v * h, layers=layers, width=h, seq=s)
        assert token.training == pytest.approx(
            72 * layers * h * h * (1 + s / (6 * h) + v / (12 * h * layers))
        )


def test_full_recomputation_is_narayanan_2021_eq_3():
    layers, h, s = 105, 20480, 2048
    token = flops.per_token(12 * layers * h * h, layers=layers, width=h, seq=s)
    # without the logits, which the equation does not compute again
    assert token.hardware("full") == pytest.approx(96 * layers * h * h * (1 + s / (6 * h)))


def test_selective_recomputation_adds_the_forward_pass_of_attention():
    # Korthikanti et al. 2022, appendix A: 4·B·s²·h more per layer. Its eq. 8 prints three times that, 72·(s/6h),
    # from which come the 2.7% and 1.6% of §5: an upper bound of what the text counts.
    for h, printed in ((12288, 0.027), (20480, 0.016)):
        token = flops.per_token(12 * h * h, layers=1, width=h, seq=2048)
        added = token.hardware("selective") - token.training
        assert added == pytest.approx(4 * 2048 * h)
        assert 3 * added / (72 * h * h) == pytest.approx(2048 / (6 * h)) == pytest.approx(printed, abs=0.001)


@pytest.mark.parametrize(
    ("params", "tokens", "gpus", "rate", "days"),
    [
        # Narayanan et al. 2021, §5.1
        (175e9, 300e9, 1024, 140e12, 34),
        (1008e9, 450e9, 3072, 163e12, 84),
    ],
)
def test_training_time(params, tokens, gpus, rate, days):
    hardware = flops.per_token(params).hardware("full") * tokens
    assert round(flops.seconds(hardware, gpus, rate) / flops.DAY) == days


@pytest.mark.parametrize(
    ("model", "gpus", "rate", "days"),
    [
        # Narayanan et al. 2021, Table 2: 300 billion tokens; ZeRO-3, then tensor, pipeline and data parallelism
        ("gpt3-175b", 384, 144, 90),
        ("gpt3-175b", 768, 88, 74),
        ("gpt3-175b", 384, 153, 84),
        ("gpt3-175b", 768, 149, 43),
        ("gpt3-175b", 1536, 141, 23),
        ("megatron-530b", 640, 138, 169),
        ("megatron-530b", 1120, 98, 137),
        ("megatron-530b", 2240, 48, 140),
        ("megatron-530b", 560, 171, 156),
        ("megatron-530b", 1120, 167, 80),
        ("megatron-530b", 2240, 159, 42),
    ],
)
def test_training_days_of_narayanan_2021_table_2(model, gpus, rate, days):
    line = f"flops --model {model} --seq 2048 --tokens 300B --gpus {gpus} --rate {rate}T --recompute full"
    assert run_line(line).row("time").value / flops.DAY == pytest.approx(days, rel=0.02)


class TestUtilization:
    def test_palm_with_and_without_attention(self):
        # Chowdhery et al. 2022, §4.1 and appendix B: 238.3K tokens/s on 6144 TPU v4 of 275 TFLOP/s
        without = flops.per_token(540.35e9).training
        with_it = flops.per_token(540.35e9, layers=118, width=48 * 256, seq=2048).training
        assert round(100 * flops.utilization(without, 238.3e3, 6144, 275e12), 1) == 45.7
        assert round(100 * flops.utilization(with_it, 238.3e3, 6144, 275e12), 1) == 46.2
        report = run_line(
            "flops --model palm-540b --seq 2048 --gpus 6144 --device tpu-v4 --throughput 238.3k"
        )
        assert round(100 * report.row("mfu").value, 1) == 46.2

    def test_megatron_turing(self):
        # the same, §4.1: 65.43K tokens/s on 2240 A100, 29.7% without and 30.2% with attention
        without = flops.per_token(530e9).training
        with_it = flops.per_token(530e9, layers=105, width=20480, seq=2048).training
        assert flops.utilization(without, 65.43e3, 2240, 312e12) == pytest.approx(0.297, abs=0.001)
        assert flops.utilization(with_it, 65.43e3, 2240, 312e12) == pytest.approx(0.302, abs=0.001)

    def test_narayanan_2021_table_1(self):
        # 163 of 312 TFLOP/s are printed as 52%, with recomputation counted
        line = (
            "flops --params 1008B --tokens 450B --gpus 3072 --rate 163T --recompute full --device a100-80gb"
        )
        report = run_line(line)
        assert round(100 * report.row("hfu").value) == 52
        assert report.row("hfu").value == pytest.approx(report.row("mfu").value * 4 / 3)

    def test_time_from_mfu_gives_the_mfu_back(self):
        report = run_line("flops --params 7B --tokens 2T --gpus 512 --peak 312T --mfu 40%")
        assert report.row("mfu").value == pytest.approx(0.4)
        assert report.row("gpu-days").value == pytest.approx(6 * 7e9 * 2e12 / (312e12 * 0.4) / 86400)


positive = st.floats(1e-3, 1e15)


@settings(deadline=None)
@given(params=positive, layers=st.integers(0, 1000), width=st.integers(0, 10**5), seq=st.integers(0, 10**6))
def test_what_recomputation_costs_is_ordered(params, layers, width, seq):
    token = flops.per_token(params, layers=layers, width=width, seq=seq)
    causal = flops.per_token(params, layers=layers, width=width, seq=seq, causal=True)
    assert token.training <= token.hardware("selective") <= token.hardware("full")
    assert token.hardware("full") == pytest.approx(token.training * 4 / 3)
    assert token.attention == 2 * causal.attention


@settings(deadline=None)
@given(work=positive, gpus=st.integers(1, 10**6), rate=positive)
def test_twice_the_gpus_take_half_the_time(work, gpus, rate):
    assert flops.seconds(work, 2 * gpus, rate) == pytest.approx(flops.seconds(work, gpus, rate) / 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: flops.per_token(0),
        lambda: flops.per_token(float("nan")),
        lambda: flops.per_token(float("inf")),
        lambda: flops.per_token(10**400),
        lambda: flops.per_token(1, layers=-1),
        lambda: flops.training(1, -1),
        lambda: flops.seconds(1, 0, 1),
        lambda: flops.achieved_rate(1, 1.1),
        lambda: flops.utilization(1, 1, 1, 0),
        lambda: flops.per_token(1).hardware("ful"),
    ],
)
def test_nonsense_is_one_line(call):
    with pytest.raises(UserError) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("flops", "--params or --model is missing"),
        ("flops --params 7B --seq 4096", "--hidden is missing"),
        ("flops --params 7B --recompute selective", "--seq is missing"),
        ("flops --params 7B --throughput 3k", "--throughput needs --device or --peak too"),
        ("flops --params 7B --throughput 3k --peak 1T", "--gpus is missing"),
        ("flops --params 7B --mfu 55", "--mfu is 55.0: it lies between 0 and 1"),
    ],
)
def test_what_is_missing_is_named(line, words):
    with pytest.raises(UserError) as error:
        run_line(line)
    assert words in str(error.value)
