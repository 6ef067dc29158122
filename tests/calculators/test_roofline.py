"""Rooflines against NVIDIA's guides; the table of devices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import devices, run_line
from mlsys_path.calculators.roofline import Roof, Work, attention_decode, elementwise, matmul
from mlsys_path.calculators.roofline import given as known
from mlsys_path.errors import UserError


@pytest.mark.parametrize(
    ("m", "n", "k", "intensity"),
    [
        # NVIDIA, Matrix Multiplication Background User's Guide, §2
        (8192, 128, 8192, 124.1),
        (8192, 8192, 8192, 2730),
        # NVIDIA, GPU Performance Background User's Guide, Table 1: a linear layer of 4096 outputs and 1024 inputs
        (512, 4096, 1024, 315),
        (1, 4096, 1024, 1),
    ],
)
def test_intensity_of_published_products(m, n, k, intensity):
    assert matmul(m, n, k).intensity == pytest.approx(intensity, rel=2e-3)


def test_relu_of_the_same_table():
    # 0.25 FLOP per byte: one FLOP, an element of 2 bytes read and written
    assert elementwise(10**6).intensity == 0.25


def test_v100_and_the_kernel_of_the_guide():
    # NVIDIA, Matrix Multiplication Background User's Guide, §2: 138.9 FLOP:B, so 124.1 waits for memory
    roof = Roof(devices.peak("v100-sxm", "fp16"), devices.find("v100-sxm").bandwidth)
    assert roof.ridge == pytest.approx(138.9, abs=0.05)
    assert roof.memory_bound(matmul(8192, 128, 8192))
    assert not roof.memory_bound(matmul(8192, 8192, 8192))


@pytest.mark.parametrize(
    ("device", "ridge"),
    [
        ("a100-40gb", 312e12 / 1555e9),  # 201: A100 datasheet
        ("a100-80gb", 312e12 / 2039e9),  # 153
        ("h100-sxm", 295),  # Austin et al. 2025, How to Scale Your Model: about 295
    ],
)
def test_ridges(device, ridge):
    assert run_line(f"roofline --device {device}").row("ridge").value == pytest.approx(ridge, rel=2e-3)


def test_grouped_queries_raise_the_intensity_of_decoding_and_a_batch_does_not():
    # Ainslie et al. 2023: the keys and values of a group are read once
    one = attention_decode(batch=1, heads=64, kv_heads=64, head_dim=128, context=10**5)
    grouped = attention_decode(batch=1, heads=64, kv_heads=8, head_dim=128, context=10**5)
    batched = attention_decode(batch=64, heads=64, kv_heads=8, head_dim=128, context=10**5)
    assert one.intensity == pytest.approx(1, rel=1e-3)
    assert grouped.intensity == pytest.approx(8, rel=1e-3)
    assert batched.intensity == pytest.approx(grouped.intensity)


@pytest.mark.parametrize("name", devices.DEVICES)
def test_every_device_has_a_source_and_sensible_rates(name):
    device = devices.find(name)
    assert device.source
    assert 1e11 < device.bandwidth < 1e13
    assert set(device.peaks) <= set(devices.PRECISIONS)
    half = device.peaks.get("bf16", device.peaks.get("fp16"))
    assert 1e13 < half < 1e16
    assert device.peaks.get("fp8", 2 * half) == pytest.approx(2 * half, rel=0.02)
    assert device.peaks.get("fp32", 0) <= half
    assert 30 < half / device.bandwidth < 500


numbers = st.integers(1, 10**6)


@settings(deadline=None)
@given(
    peak=st.floats(1, 1e18), bandwidth=st.floats(1, 1e15), flops=st.floats(0, 1e20), moved=st.floats(1, 1e15)
)
def test_the_roof(peak, bandwidth, flops, moved):
    roof, work = Roof(peak, bandwidth), Work(flops, moved)
    assert roof.attainable(work) <= peak
    assert roof.seconds(work) >= flops / peak
    assert roof.memory_bound(work) == (work.intensity < roof.ridge)
    if flops:
        assert roof.seconds(work) * roof.attainable(work) == pytest.approx(flops)


@settings(deadline=None)
@given(m=numbers, n=numbers, k=numbers, size=st.sampled_from([0.5, 1, 2, 4]))
def test_a_product_is_symmetric_and_smaller_elements_raise_its_intensity(m, n, k, size):
    assert matmul(m, n, k, element_bytes=size) == matmul(n, m, k, element_bytes=size)
    assert matmul(m, n, k, element_bytes=size).intensity == pytest.approx(
        2 * matmul(m, n, k, element_bytes=2 * size).intensity
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: matmul(0, 1, 1), "m is 0"),
        (lambda: Roof(0, 1), "peak is 0"),
        (lambda: Roof(1, float("nan")), "bandwidth is not a number"),
        (lambda: known(-1, 1), "flops is -1"),
        (lambda: known(1, 0), "bytes is 0"),
        (
            lambda: attention_decode(batch=1, heads=8, kv_heads=3, head_dim=1, context=1),
            "kv_heads (3) must divide",
        ),
        (lambda: devices.find("h100"), "did you mean 'h200'?"),
        (lambda: devices.peak("v100-sxm", "bf16"), "v100-sxm has no rate for bf16"),
        (lambda: run_line("roofline"), "give a --device, or --peak and --bandwidth"),
        (lambda: run_line("roofline --peak 1T"), "give a --device, or --peak and --bandwidth"),
        (lambda: run_line("roofline --device l4 --op matmul --m 4"), "--n is missing"),
    ],
)
def test_nonsense_is_one_line(call, words):
    with pytest.raises(UserError) as error:
        call()
    assert words in str(error.value)


def test_rates_of_ones_own_and_elements_of_the_precision():
    own = run_line("roofline --peak 100T --bandwidth 1TB/s --op given --flops 1T --bytes 100GB")
    assert (own.row("ridge").value, own.row("intensity").value) == (100, 10)
    assert own.row("attainable").value == 10e12
    eight = run_line("roofline --device h100-sxm --precision fp8 --op matmul --m 64 --n 64 --k 64")
    assert eight.row("bytes").value == 3 * 64 * 64
