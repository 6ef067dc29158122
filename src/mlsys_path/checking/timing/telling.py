"""Measurements in words, for whoever shows them: the ratio, its bars and stars, and the roofline. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlsys_path.calculators.quantities import FLOPS, RATE, SECONDS, show
from mlsys_path.checking.events import Measurement
from mlsys_path.checking.timing import roofline
from mlsys_path.language import _

if TYPE_CHECKING:
    from mlsys_path.checking.timing.ceilings import Ceilings

REACHED, MISSED = "★", "☆"
NARROWEST = 32  # columns that a plot cannot do without


def measured(measurement: Measurement) -> str:
    """A measurement in one line: how it compares with its baseline, or what it is."""
    m = measurement
    if m.ratio is None:
        return f"{m.name}: {m.value:.4g} {m.unit}".rstrip()
    spread = ""
    if m.low is not None and m.high is not None:
        spread = _(" (from {low:.3g} to {high:.3g})").format(low=m.low, high=m.high)
    return _("{name}: {ratio:.3g} times {against}{spread}, {value} against {baseline}").format(
        name=m.name,
        ratio=m.ratio,
        against=_against(m.against),
        spread=spread,
        value=_quantity(m.value, m.unit),
        baseline=_quantity(m.baseline or 0.0, m.unit),
    )


def stars(measurement: Measurement) -> str:
    """The ratios that are asked for, each with a star that is full when it was reached; "" where none is."""
    m = measurement
    if m.ratio is None:
        return ""
    parts = []
    if m.bar is not None:
        glyph = REACHED if m.ratio >= m.bar else MISSED
        parts.append(f"{glyph} " + _("asked for: {bar:g}").format(bar=m.bar))
    if m.star_bar is not None:
        glyph = REACHED if m.star else MISSED
        parts.append(f"{glyph} " + _("second star, the reference's: {bar:g}").format(bar=m.star_bar))
    return "   ".join(parts)


def lines(measurement: Measurement) -> list[str]:
    """All of a measurement but its roofline, in one line or two."""
    return [measured(measurement), *([shown] if (shown := stars(measurement)) else [])]


def rooflines(measurements: Sequence[Measurement], width: int = roofline.WIDTH) -> list[str]:
    """The plots of all measurements that have a place in one; nothing where they would not fit."""
    return roofline.plots(measurements, min(width, roofline.WIDTH)) if width >= NARROWEST else []


def ceilings(found: Ceilings) -> list[str]:
    """What a device can do at most, as it was measured."""
    rates = ", ".join(f"{dtype} {show(rate, FLOPS)}" for dtype, rate in found.rates.items())
    return [
        _("{device}, measured on {date}:").format(device=found.device, date=found.measured_at),
        "  "
        + _("memory: copy {copy}, read {read}; an empty launch: {launch}").format(
            copy=show(found.copy, RATE), read=show(found.read, RATE), launch=show(found.launch, SECONDS)
        ),
        *(["  " + _("matrix products: {rates}").format(rates=rates)] if rates else []),
    ]


def _against(baseline: str) -> str:
    if baseline == "copy":
        return _("a copy of the same bytes")
    return "torch" if baseline == "torch" else _("the baseline")


def _quantity(value: float, unit: str) -> str:
    return show(value, SECONDS) if unit == SECONDS else f"{value:.3g} {unit}".rstrip()
