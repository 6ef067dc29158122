"""Run once by a warm parent, so that the first real run finds pytest's and hypothesis's lazy imports done."""

from hypothesis import given, settings
from hypothesis import strategies as st


# enough examples that hypothesis also looks for constants in all modules, which it does once and late
@settings(max_examples=100)
@given(st.integers(), st.lists(st.floats(), max_size=2), st.text(max_size=2))
def test_warm(n: int, values: list[float], text: str) -> None:
    """Draw from the common strategies."""
    assert isinstance(n, int)
    assert isinstance(values, list)
    assert isinstance(text, str)
