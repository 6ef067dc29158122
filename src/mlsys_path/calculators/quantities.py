"""Numbers with units, as people write them and as they like to read them.

`7B` is seven billion parameters but seven bytes: which suffixes there are depends on what is asked for. `GB` is
decimal, `GiB` binary, `Gbit` an eighth of `GB`; `Gb` is refused, because half of its readers would be wrong.
"""

from __future__ import annotations

import math
import re

from mlsys_path.calculators.checks import LARGEST
from mlsys_path.errors import UserError
from mlsys_path.language import _

NUMBER = ""  # a plain number: parameters, tokens, elements
BYTES = "B"
RATE = "B/s"
FLOP = "FLOP"
FLOPS = "FLOP/s"
SECONDS = "s"
SHARE = "share"  # a fraction, read as a percentage
INTENSITY = "FLOP/B"

_DECIMAL = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", start=1)}
_TIMES = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_LONG_TIMES = {"min": 60.0, "h": 3600.0, "d": 86400.0}


def _with(prefixes: dict[str, float], *units: str, factor: float = 1.0) -> dict[str, float]:
    return {prefix + unit: size * factor for prefix, size in prefixes.items() for unit in units}


SUFFIXES: dict[str, dict[str, float]] = {
    NUMBER: {**_DECIMAL, **_BINARY, "B": 1e9},
    BYTES: {
        **_with(_DECIMAL, "", "B"),
        **_with(_BINARY, "", "B"),
        **_with(_DECIMAL, "bit", factor=0.125),
    },
    RATE: {
        **_with(_DECIMAL, "", "B/s"),
        **_with(_BINARY, "", "B/s"),
        **_with(_DECIMAL, "bit/s", "bps", factor=0.125),
    },
    FLOP: _with({**_DECIMAL, "Z": 1e21, "Y": 1e24}, "", "FLOP", "FLOPs"),
    FLOPS: _with(_DECIMAL, "", "FLOP/s", "FLOPs/s", "FLOPS"),
    SECONDS: {**_TIMES, **_LONG_TIMES},
}
EXAMPLES = {
    NUMBER: "7e9, 7B, 350M",
    BYTES: "80GB, 80GiB, 1.5e9",
    RATE: "900GB/s, 400Gbit/s",
    FLOP: "3.14e23, 5T",
    FLOPS: "312T, 989TFLOP/s",
    SECONDS: "20us, 1.5ms, 2h",
}

# an exponent of more digits is no quantity of this world, and slow to turn into a number
_NUMBER = re.compile(r"([+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*)", re.ASCII | re.DOTALL)


def parse(name: str, text: str, unit: str = NUMBER) -> float:
    """The number that a text writes, in `unit`; finite, of either sign.

    Raises:
        UserError: it is no number, or has a suffix that `unit` does not know; the line names the input and gives
            examples.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None or len(text) > 40:
        raise _unreadable(name, text, _("that is not a number"), unit)
    digits, suffix = found.groups()
    if suffix not in SUFFIXES[unit]:
        raise _unreadable(name, text, _("{suffix!r} is no unit of it").format(suffix=suffix), unit)
    value = float(digits) * SUFFIXES[unit][suffix]
    if not abs(value) <= LARGEST:
        raise _unreadable(name, text, _("that is too large"), unit)
    return value


def _unreadable(name: str, text: str, why: str, unit: str) -> UserError:
    return UserError(
        _("{name} is {text!r}: {why}; write it like {examples}").format(
            name=name, text=text if len(text) <= 40 else text[:39] + "…", why=why, examples=EXAMPLES[unit]
        )
    )


def show(value: float | str | None, unit: str) -> str:
    """A value as people like to read it: four digits, a prefix, and for bytes both families of prefixes."""
    if value is None or isinstance(value, str):
        return value or "–"
    if unit == SHARE:
        return f"{value * 100:.4g}%"
    if unit == SECONDS:
        return _duration(value)
    if unit == BYTES:
        return _bytes(value)
    if unit in (RATE, FLOPS):
        return f"{_scaled(value, 1e3, ('', 'k', 'M', 'G', 'T', 'P', 'E'))}{unit}"
    if unit == FLOP:
        return (
            f"{_scaled(value, 1e3, ('', 'k', 'M', 'G', 'T', 'P'))}{unit}"
            if value < 1e18
            else f"{value:.4g} {unit}"
        )
    return f"{_plain(value)} {unit}".rstrip()


def _plain(value: float) -> str:
    if value != int(value) and value < 1000:
        return f"{value:.4g}"
    whole = f"{round(value):,}"
    for letter, size in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if value >= size:
            return f"{whole} ({value / size:.4g}{letter})"
    return whole


def _bytes(value: float) -> str:
    decimal = _scaled(value, 1e3, ("", "k", "M", "G", "T", "P", "E")) + "B"
    if value < 1024:
        return decimal
    return f"{decimal} ({_scaled(value, 1024.0, ('', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'))}B)"


def _scaled(value: float, base: float, prefixes: tuple[str, ...]) -> str:
    power = 0
    while power < len(prefixes) - 1 and round(value, 9) >= base:
        value /= base
        power += 1
    return f"{value:.4g} {prefixes[power]}"


def _duration(value: float) -> str:
    if value == 0:
        return "0 s"
    for name, size in (
        (_("days"), 86400.0),
        ("h", 3600.0),
        ("min", 60.0),
        ("s", 1.0),
        ("ms", 1e-3),
        ("µs", 1e-6),
    ):
        if value >= size:
            return f"{value / size:.4g} {name}"
    return f"{value * 1e9:.4g} ns"


def is_whole(value: float) -> bool:
    """Whether a parsed value is meant as a whole number (`1.1k` is 1100 but for a rounding error)."""
    return math.isclose(value, round(value), rel_tol=1e-12, abs_tol=0)
