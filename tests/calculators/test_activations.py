"""Activations against Korthikanti et al. 2022, arXiv:2205.05198."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import activations, run_line
from mlsys_path.calculators.activations import Layer, per_layer
from mlsys_path.errors import UserError

GPT3 = {"hidden": 12288, "heads": 96, "seq": 2048}
MT_NLG = {"hidden": 20480, "heads": 128, "seq": 2048}


@pytest.mark.parametrize(("model", "factor", "saved"), [(GPT3, 80, 70), (MT_NLG, 64, 65)])
def test_what_selective_recomputation_saves(model, factor, saved):
    # §5: 5as/h is 80 and 64; 70% and 65% of the memory are saved
    layer = Layer(**model)
    assert layer.attention_factor == factor
    share = 1 - per_layer(layer, recompute="selective") / per_layer(layer)
    assert round(100 * share) == saved
    parallel = Layer(**model, tp=8, sequence_parallel=True)
    assert 1 - per_layer(parallel, recompute="selective") / per_layer(parallel) == pytest.approx(share)


@pytest.mark.parametrize("t", [1, 2, 8])
def test_every_line_of_table_2(t):
    s, b, h, a = 2048, 4, 6144, 64
    plain = Layer(hidden=h, heads=a, seq=s, micro_batch=b)
    tensor = Layer(hidden=h, heads=a, seq=s, micro_batch=b, tp=t)
    sequence = Layer(hidden=h, heads=a, seq=s, micro_batch=b, tp=t, sequence_parallel=True)
    sbh = s * b * h
    assert per_layer(plain) == pytest.approx(sbh * (34 + 5 * a * s / h))
    assert per_layer(tensor) == pytest.approx(sbh * (10 + 24 / t + 5 * a * s / (h * t)))
    assert per_layer(sequence) == pytest.approx(sbh * (34 / t + 5 * a * s / (h * t)))
    assert per_layer(tensor, recompute="selective") == pytest.approx(sbh * (10 + 24 / t))
    assert per_layer(sequence, recompute="selective") == pytest.approx(sbh * 34 / t)
    assert per_layer(tensor, recompute="full") == per_layer(sequence, recompute="full") == 2 * sbh


def test_both_together_take_less_than_a_fifth():
    # §6.1 and Figure 7: under 20% of tensor parallelism alone, twice as much as full recomputation at 10%
    base = per_layer(Layer(**GPT3, tp=8))
    both = per_layer(Layer(**GPT3, tp=8, sequence_parallel=True), recompute="selective")
    assert both / base < 0.2
    assert per_layer(Layer(**GPT3, tp=8), recompute="full") / base == pytest.approx(0.1, abs=0.02)
    assert both / per_layer(Layer(**GPT3, tp=8), recompute="full") == pytest.approx(2, abs=0.2)


def test_the_first_stage_keeps_all_layers_whatever_the_pipeline():
    # §4.2.3; with interleaving L·(1 + (p - 1)/(p·m))
    assert activations.layers_kept(96, pp=8) == activations.layers_kept(96) == 96
    assert activations.layers_kept(96, pp=8, chunks=3) == pytest.approx(96 * (1 + 7 / 24))
    assert activations.layers_kept(105, pp=35, chunks=3) == pytest.approx(105 * (1 + 34 / 105))


def test_the_output_tensors_of_appendix_b():
    # 2 bytes · s·b·h·p of the 530B model are printed as 2.73 GB, which are GiB
    assert 2 * Layer(**MT_NLG).sbh * 35 / 2**30 == pytest.approx(2.73, abs=0.005)


def test_outside_of_layers():
    # §4.3
    layer = Layer(**GPT3, tp=8, sequence_parallel=True)
    assert activations.outside_layers(layer, 51200, pp=8) == layer.sbh * 8 / 8
    head = 4 * layer.sbh / 8 * (1 + 51200 / 12288)
    assert activations.outside_layers(layer, 51200) == pytest.approx(layer.sbh / 8 + head)


def test_flash_attention_keeps_a_number_for_each_row_of_scores():
    layer = Layer(**GPT3, micro_batch=2, tp=8)
    scores = per_layer(layer, attention="flash") - per_layer(layer, recompute="selective")
    assert scores == pytest.approx(4 * 96 * 2048 * 2 / 8)


def test_the_calculator_of_gpt3():
    line = "activations --model gpt3-175b --seq 2048 --tp 8 --sequence-parallel --recompute selective --pp 8 --chunks 3"
    report = run_line(line)
    assert report.row("layer").value == pytest.approx(2048 * 12288 * 34 / 8)
    assert round(100 * report.row("saved").value) == 70
    assert report.row("total").value == pytest.approx(2048 * 12288 * 34 / 8 * 124)


layers = st.builds(
    lambda heads, width, tp, seq, batch: {
        "hidden": heads * tp * width,
        "heads": heads * tp,
        "seq": seq * tp,
        "micro_batch": batch,
        "tp": tp,
    },
    st.integers(1, 64),
    st.integers(1, 256),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 10**5),
    st.integers(1, 64),
)


@settings(deadline=None)
@given(fields=layers)
def test_what_saves_memory_never_takes_more(fields):
    tensor, sequence = Layer(**fields), Layer(**fields, sequence_parallel=True)
    for layer in (tensor, sequence):
        assert per_layer(layer, recompute="selective") <= per_layer(layer)
        assert per_layer(layer, attention="flash") <= per_layer(layer)
    assert per_layer(sequence) <= per_layer(tensor) * (1 + 1e-12)
    twice = Layer(**{**fields, "micro_batch": 2 * fields["micro_batch"]})
    assert per_layer(twice) == pytest.approx(2 * per_layer(tensor))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"heads": 7}, "heads (7) must divide hidden (64)"),
        ({"tp": 3}, "tp (3) must divide heads (8)"),
        ({"seq": 3, "tp": 2, "sequence_parallel": True}, "tp (2) must divide seq (3)"),
        ({"seq": 0}, "seq is 0"),
        ({"micro_batch": -1}, "micro_batch is -1"),
    ],
)
def test_layers_that_are_none(fields, words):
    with pytest.raises(UserError) as error:
        Layer(**{"hidden": 64, "heads": 8, "seq": 4, **fields})
    assert words in str(error.value)


def test_flash_attention_has_nothing_to_recompute_selectively():
    with pytest.raises(UserError):
        per_layer(Layer(**GPT3), attention="flash", recompute="selective")
