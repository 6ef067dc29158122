"""The KV cache against published figures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import kv_cache, run_line
from mlsys_path.errors import UserError


@pytest.mark.parametrize(
    ("model", "kilobytes"),
    [
        # DeepSeek-AI 2025, Insights into DeepSeek-V3 (arXiv:2505.09343), Table 1: BF16, kB per token
        ("deepseek-v3", 70.272),
        ("qwen2.5-72b", 327.680),
        ("llama3-405b", 516.096),
    ],
)
def test_bytes_per_token_of_three_models(model, kilobytes):
    assert run_line(f"kvcache --model {model}").row("token").value == kilobytes * 1000


def test_llama2():
    # 70B has 8 of 64 heads for keys and values: 320 KiB per token in 16 bits; 7B has all: 512 KiB
    assert run_line("kvcache --model llama2-70b").row("token").value == 320 * 1024
    assert run_line("kvcache --model llama2-7b").row("token").value == 512 * 1024


def test_opt_13b():
    # Kwon et al. 2023, vLLM (arXiv:2309.06180), §3: 800 KB per token, 1.6 GB for 2048 tokens
    token = kv_cache.per_token(40, 40, 128)
    assert token == 800 * 1024
    assert 2048 * token / 2**30 == pytest.approx(1.6, abs=0.05)


def test_deepseek_v2_saves_93_percent():
    # DeepSeek-AI 2024, DeepSeek-V2 (arXiv:2405.04434), abstract and §3.2.3: 93.3% less than DeepSeek 67B, which has 95
    # layers and 8 key-value heads, with 6 bits for an element
    latent = run_line("kvcache --model deepseek-v2 --element-bytes 0.75").row("token").value
    assert 1 - latent / kv_cache.per_token(95, 8, 128) == pytest.approx(0.933, abs=0.0005)


def test_mla_takes_as_much_as_two_and_a_quarter_groups():
    # the same, §2.1.4: equal to GQA with 2.25 groups
    assert kv_cache.latent_per_token(1, 512, 64) / kv_cache.per_token(1, 1, 128) == 2.25


heads = st.integers(1, 256)


@settings(deadline=None)
@given(
    layers=st.integers(1, 200),
    kv=heads,
    group=heads,
    width=st.integers(1, 512),
    size=st.sampled_from([0.5, 1, 2, 4]),
)
def test_sharing_heads_divides_the_cache(layers, kv, group, width, size):
    multi_head = kv_cache.per_token(layers, kv * group, width, element_bytes=size)
    grouped = kv_cache.per_token(layers, kv, width, element_bytes=size)
    multi_query = kv_cache.per_token(layers, 1, width, element_bytes=size)
    assert multi_query <= grouped <= multi_head
    assert multi_head == pytest.approx(grouped * group)


@settings(deadline=None)
@given(
    memory=st.floats(1, 1e15),
    token=st.floats(1, 1e9),
    batch=st.integers(1, 10**4),
    context=st.integers(1, 10**6),
)
def test_what_fits_fits_and_one_more_does_not(memory, token, batch, context):
    found = kv_cache.capacity(memory, token, batch=batch, context=context)
    assert found.batch * context * token <= memory * (1 + 1e-9)
    assert (found.batch + 1) * context * token > memory * (1 - 1e-9)
    assert found.context * batch * token <= memory * (1 + 1e-9)
    assert (found.context + 1) * batch * token > memory * (1 - 1e-9)


def test_decoding_waits_for_weights_and_cache():
    best = kv_cache.decode_at_best(140e9, 10e9, batch=4, bandwidth=1.5e12)
    assert best.step == pytest.approx(0.1)
    assert best.tokens_per_second == pytest.approx(40)
    line = "kvcache --model llama3-70b --context 8Ki --batch 16 --device h100-sxm --devices 8"
    report = run_line(line)
    moved = 2 * 69_503_033_344 + 16 * 8192 * 327_680
    assert report.row("step").value == pytest.approx(moved / (8 * 3.35e12))


def test_experts_that_a_batch_does_not_meet_are_not_read():
    one = run_line("kvcache --model deepseek-v3 --device h200").row("weights").value
    many = run_line("kvcache --model deepseek-v3 --device h200 --batch 10000").row("weights").value
    assert one == pytest.approx(2 * 36_625_618_432)
    assert many == pytest.approx(2 * (671_026_419_200 - 129280 * 7168), rel=1e-6)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kvcache", "--layers is missing: give it, or a --model"),
        ("kvcache --layers 32 --heads 32", "--hidden is missing"),
        ("kvcache --layers 32 --heads 32 --head-dim 128 --bandwidth 1TB/s", "--params is missing"),
        ("kvcache --layers 32 --heads 32 --head-dim 128 --kv-heads 5", "kv_heads (5) must divide heads (32)"),
        ("kvcache --model llama2-7b --memory 0GB", "--memory is 0.0"),
        ("kvcache --model llama2-7b --context 0.5", "--context is 0.5: it must be a whole number"),
    ],
)
def test_nonsense_is_one_line(line, words):
    with pytest.raises(UserError) as error:
        run_line(line)
    assert words in str(error.value)
