"""Parameter counts against published models: exact where the release says every digit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators.models import MODELS
from mlsys_path.calculators.parameters import count, read_per_step
from mlsys_path.calculators.shape import Shape
from mlsys_path.errors import UserError


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        # the tensors of the released checkpoints, summed
        ("gpt2", 124_439_808),
        ("gpt2-xl", 1_557_611_200),
        ("llama2-7b", 6_738_415_616),
        ("llama2-13b", 13_015_864_320),
        ("llama2-70b", 68_976_648_192),
        ("llama3-8b", 8_030_261_248),
        ("llama3-70b", 70_553_706_496),
        ("llama3-405b", 405_853_388_800),
        ("qwen2.5-72b", 72_706_203_648),
        ("mixtral-8x7b", 46_702_792_704),
        ("deepseek-v2", 235_741_434_880),
        ("deepseek-v3", 671_026_419_200),  # without the layer for multi-token prediction
    ],
)
def test_released_models_to_the_digit(model, parameters):
    assert count(MODELS[model].shape).total == parameters


@pytest.mark.parametrize(
    ("model", "billions", "digits"),
    [
        ("gpt3-175b", 174.6, 1),  # Brown et al. 2020, Table D.1: 174,600 million
        ("palm-540b", 540.35, 1),  # Chowdhery et al. 2022, Table 1
        ("megatron-530b", 529.6, 1),  # Narayanan et al. 2021, Table 1
        ("megatron-1t", 1008.0, 1),  # the same
    ],
)
def test_published_models_to_the_printed_digit(model, billions, digits):
    assert round(count(MODELS[model].shape).total / 1e9, digits) == pytest.approx(billions, abs=0.051)


@pytest.mark.parametrize(
    ("heads", "hidden", "layers", "billions"),
    [
        (24, 2304, 24, 1.7),
        (32, 3072, 30, 3.6),
        (32, 4096, 36, 7.5),
        (48, 6144, 40, 18.4),
        (64, 8192, 48, 39.1),
        (80, 10240, 60, 76.1),
        (96, 12288, 80, 145.6),
        (128, 16384, 96, 310.1),
        (128, 20480, 105, 529.6),
        (160, 25600, 128, 1008.0),
    ],
)
def test_all_of_narayanan_2021_table_1(heads, hidden, layers, billions):
    shape = Shape(layers=layers, hidden=hidden, heads=heads, vocab=51200, positions=2048)
    assert round(count(shape).total / 1e9, 1) == billions


@pytest.mark.parametrize(
    ("model", "billions", "within"),
    [
        ("mixtral-8x7b", 12.9, 0.05),  # Jiang et al. 2024, §1 and mistral.ai: 12.9B
        ("deepseek-v2", 21.0, 0.5),  # DeepSeek-AI 2024 (V2), abstract: 21B
        ("deepseek-v3", 37.0, 0.6),  # DeepSeek-AI 2024 (V3), abstract: 37B
    ],
)
def test_active_parameters_of_mixtures(model, billions, within):
    assert count(MODELS[model].shape).active / 1e9 == pytest.approx(billions, abs=within)


shapes = st.builds(
    lambda layers, heads, group, head_dim, vocab, gated, biases, tied: Shape(
        layers=layers,
        hidden=heads * group * head_dim,
        heads=heads * group,
        kv_heads=heads,
        vocab=vocab,
        gated=gated,
        biases=biases,
        tied=tied,
    ),
    st.integers(1, 200),
    st.integers(1, 64),
    st.sampled_from([1, 2, 8]),
    st.integers(1, 256),
    st.integers(0, 300_000),
    st.booleans(),
    st.sampled_from(["none", "qkv", "all"]),
    st.booleans(),
)


@settings(deadline=None)
@given(
    layers=st.integers(1, 200),
    heads=st.integers(1, 160),
    width=st.integers(1, 256),
    vocab=st.integers(1, 10**6),
    seq=st.integers(0, 10**6),
)
def test_gpt_is_the_closed_form_of_narayanan_2021_eq_2(layers, heads, width, vocab, seq):
    h = heads * width
    shape = Shape(layers=layers, hidden=h, heads=heads, vocab=vocab, positions=seq)
    # the equation leaves out the last LayerNorm, 2h
    assert count(shape).total == 12 * layers * h * h + 13 * layers * h + (vocab + seq) * h + 2 * h


@settings(deadline=None)
@given(shape=shapes)
def test_the_parts_are_the_whole(shape):
    found = count(shape)
    parts = found.embedding + found.attention + found.mlp + found.router + found.norms + found.output
    assert parts == found.total == found.active
    assert 0 < found.multiplied <= found.total


@settings(deadline=None)
@given(experts=st.integers(1, 256), picked=st.integers(1, 256), batch=st.integers(1, 10_000))
def test_a_step_reads_between_the_active_and_all_parameters(experts, picked, batch):
    shape = Shape(layers=4, hidden=64, heads=4, vocab=100, experts=experts, top_k=min(picked, experts))
    found = count(shape)
    read = read_per_step(shape, batch)
    assert found.multiplied - 1 <= read <= found.total
    assert read <= read_per_step(shape, batch + 1)
    assert read_per_step(shape, 1) == pytest.approx(found.multiplied)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hidden": 100, "heads": 7}, "heads (7) must divide hidden (100)"),
        ({"kv_heads": 5}, "kv_heads (5) must divide heads (8)"),
        ({"layers": 0}, "layers is 0: it must be at least 1"),
        ({"layers": -1}, "layers is -1"),
        ({"vocab": -1}, "vocab is -1"),
        ({"heads": 10**16}, "heads is too large"),
        ({"experts": 4, "top_k": 5}, "top_k (5) must not exceed experts (4)"),
        ({"dense_layers": 5}, "dense_layers (5) must not exceed layers (4)"),
        ({"biases": "al"}, "did you mean 'all'?"),
    ],
)
def test_shapes_that_are_none(fields, words):
    with pytest.raises(UserError) as error:
        Shape(**{"layers": 4, "hidden": 64, "heads": 8, **fields})
    assert words in str(error.value)
