"""Numbers with units: what is read, what is refused in one line, and how values are shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import quantities
from mlsys_path.calculators.quantities import BYTES, FLOP, FLOPS, NUMBER, RATE, SECONDS, SHARE, parse, show
from mlsys_path.errors import UserError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("7e9", NUMBER, 7e9),
        ("7B", NUMBER, 7e9),
        ("7.5e9", NUMBER, 7.5e9),
        (" 350 M ", NUMBER, 350e6),
        ("1_000", NUMBER, 1000),
        (".5", NUMBER, 0.5),
        ("8Ki", NUMBER, 8192),
        ("1.4T", NUMBER, 1.4e12),
        ("7B", BYTES, 7),
        ("80GB", BYTES, 80e9),
        ("80GiB", BYTES, 80 * 2**30),
        ("80G", BYTES, 80e9),
        ("80Gi", BYTES, 80 * 2**30),
        ("8Gbit", BYTES, 1e9),
        ("900GB/s", RATE, 900e9),
        ("400Gbit/s", RATE, 50e9),
        ("400Gbps", RATE, 50e9),
        ("312T", FLOPS, 312e12),
        ("312TFLOP/s", FLOPS, 312e12),
        ("2.25PFLOPS", FLOPS, 2.25e15),
        ("3.14e23", FLOP, 3.14e23),
        ("1ZFLOP", FLOP, 1e21),
        ("20us", SECONDS, 20e-6),
        ("20µs", SECONDS, 20e-6),
        ("1.5ms", SECONDS, 1.5e-3),
        ("2", SECONDS, 2),
        ("2h", SECONDS, 7200),
    ],
)
def test_what_is_read(text, unit, value):
    assert parse("--x", text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", NUMBER),
        ("seven", NUMBER),
        ("7Q", NUMBER),
        ("7 8", NUMBER),
        ("1,000", NUMBER),
        ("nan", NUMBER),
        ("inf", NUMBER),
        ("1e400", NUMBER),
        ("1e9999", NUMBER),
        ("９", NUMBER),
        ("9" * 5000, NUMBER),
        ("0x10", NUMBER),
        ("80Gb", BYTES),  # bits or bytes? half of all readers would be wrong
        ("80gb", BYTES),
        ("400Gb/s", RATE),
        ("5m", SECONDS),  # minutes or milliseconds?
        ("80GB", FLOPS),
    ],
)
def test_what_is_refused(text, unit):
    with pytest.raises(UserError) as error:
        parse("--size", text, unit)
    message = str(error.value)
    assert message.startswith("--size is ")
    assert quantities.EXAMPLES[unit] in message
    assert len(message) < 150


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (174_604_259_328, NUMBER, "174,604,259,328 (174.6B)"),
        (12_288, NUMBER, "12,288"),
        (2.5, NUMBER, "2.5"),
        (34_644.4, NUMBER, "34,644"),
        (31.40625e9, BYTES, "31.41 GB (29.25 GiB)"),
        (512, BYTES, "512 B"),
        (327_680, BYTES, "327.7 kB (320 KiB)"),
        (312e12, FLOPS, "312 TFLOP/s"),
        (2.039e12, RATE, "2.039 TB/s"),
        (349.2e9, FLOP, "349.2 GFLOP"),
        (3.14e23, FLOP, "3.14e+23 FLOP"),
        (0.4623, SHARE, "46.23%"),
        (33.83 * 86400, SECONDS, "33.83 days"),
        (5400, SECONDS, "1.5 h"),
        (90, SECONDS, "1.5 min"),
        (2, SECONDS, "2 s"),
        (3.889e-3, SECONDS, "3.889 ms"),
        (20e-6, SECONDS, "20 µs"),
        (5e-9, SECONDS, "5 ns"),
        (0, SECONDS, "0 s"),
        ("memory", NUMBER, "memory"),
    ],
)
def test_how_values_are_shown(value, unit, text):
    assert show(value, unit) == text


@settings(deadline=None)
@given(text=st.text(max_size=60), unit=st.sampled_from(list(quantities.SUFFIXES)))
def test_any_text_is_a_finite_number_or_one_line(text, unit):
    try:
        assert math.isfinite(parse("--x", text, unit))
    except UserError as error:
        assert str(error).startswith("--x is ")


@settings(deadline=None)
@given(
    value=st.floats(1e-30, 1e30),
    unit=st.sampled_from([*quantities.SUFFIXES, SHARE, quantities.INTENSITY]),
)
def test_any_value_can_be_shown(value, unit):
    text = show(value, unit)
    assert text
    assert "\n" not in text
    assert len(text) <= 60


@settings(deadline=None)
@given(
    number=st.floats(1e-3, 999).map(lambda x: float(f"{x:.3g}")),
    suffix=st.sampled_from([(u, s) for u, all_ in quantities.SUFFIXES.items() for s in all_]),
)
def test_every_suffix_multiplies_by_its_factor(number, suffix):
    unit, name = suffix
    assert parse("--x", f"{number}{name}", unit) == pytest.approx(number * quantities.SUFFIXES[unit][name])
