"""A kernel's place under the roof of its device, and a plot of it in plain characters. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from mlsys_path.calculators.quantities import FLOPS, RATE, show
from mlsys_path.checking.events import Measurement, Roofline
from mlsys_path.language import _

WIDTH, HEIGHT = 76, 11
_LEFT = 10  # columns of the labels on the vertical axis


def place(
    seconds: float,
    *,
    moved: float,
    flops: float,
    bandwidth: float,
    peak: float,
    dtype: str = "",
    device: str = "",
) -> Roofline:
    """Where a kernel stands that moves `moved` bytes and does `flops` operations in some seconds.

    Without arithmetic, or without a known peak, rates are bytes/s against the bandwidth.
    """
    intensity = flops / max(moved, 1.0)
    if not flops or not peak:
        achieved, ceiling = moved / seconds, bandwidth
        return Roofline(0.0, achieved, ceiling, "memory", achieved / ceiling, bandwidth, peak, dtype, device)
    ceiling = min(peak, intensity * bandwidth)
    bound: Literal["memory", "compute"] = "memory" if intensity * bandwidth < peak else "compute"
    achieved = flops / seconds
    return Roofline(intensity, achieved, ceiling, bound, achieved / ceiling, bandwidth, peak, dtype, device)


def summary(roofline: Roofline) -> str:
    """The numbers in one line: "2.5 TB/s of 3.03 TB/s (82%), bound by memory", with the intensity where there is one."""
    unit = FLOPS if roofline.intensity else RATE
    bound = _("bound by memory") if roofline.bound == "memory" else _("bound by computing")
    said = _("{achieved} of {ceiling} ({share:.0%}), {bound}").format(
        achieved=show(roofline.achieved, unit),
        ceiling=show(roofline.ceiling, unit),
        share=roofline.fraction,
        bound=bound,
    )
    return f"{said}, {roofline.intensity:.3g} FLOP/B" if roofline.intensity else said


def plots(measurements: Sequence[Measurement], width: int = WIDTH) -> list[str]:
    """The lines of a plot for each roof among some measurements, with their kernels as letters under it."""
    roofs: dict[tuple[str, float, float, str], list[tuple[str, Roofline]]] = {}
    for measurement in measurements:
        if (roofline := measurement.roofline) is not None and _drawable(roofline):
            peak, dtype = (roofline.peak, roofline.dtype) if roofline.intensity else (0.0, "")
            key = (roofline.device, roofline.bandwidth, peak, dtype)
            roofs.setdefault(key, []).append((measurement.name, roofline))
    lines: list[str] = []
    for (device, bandwidth, peak, dtype), found in roofs.items():
        # more letters than there are would say nothing any more
        letters = [(chr(ord("a") + i), name, roofline) for i, (name, roofline) in enumerate(found[:26])]
        points = [(letter, roofline) for letter, _name, roofline in letters]
        if lines:
            lines.append("")
        rates = (
            f"{show(bandwidth, RATE)}, {show(peak, FLOPS)} {dtype}".rstrip()
            if peak
            else show(bandwidth, RATE)
        )
        lines.append(_cut(f"{device}: {rates}" if device else rates, width))
        lines += plot(points, width) if peak else bars(points, width)
        for letter, name, roofline in letters:
            lines += [_cut(f"{letter}  {name}", width), _cut(f"   {summary(roofline)}", width)]
    return lines


def _drawable(roofline: Roofline) -> bool:
    rates = (roofline.achieved, roofline.ceiling, roofline.bandwidth)
    sound = all(math.isfinite(rate) and rate > 0 for rate in rates)
    return sound and math.isfinite(roofline.intensity) and (roofline.peak > 0 or not roofline.intensity)


def plot(points: Sequence[tuple[str, Roofline]], width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """The roof over arithmetic intensity, both axes logarithmic, and a letter for each kernel.

    Characters of one column each in every terminal: no line is wider than `width`, in any language.
    """
    roof = points[0][1]
    ridge = roof.peak / roof.bandwidth
    intensities = [p.intensity for _l, p in points]
    left, right = math.log10(min(ridge, *intensities) / 6), math.log10(max(ridge, *intensities) * 6)
    bottom = math.log10(min(10**left * roof.bandwidth, *(p.achieved for _l, p in points)) / 1.5)
    top = math.log10(roof.peak * 2)
    columns = max(20, width - _LEFT - 1)

    def row(rate: float) -> int:
        share = (math.log10(rate) - bottom) / (top - bottom)
        return min(height - 1, max(0, height - 1 - round(share * (height - 1))))

    grid = [[" "] * columns for _ in range(height)]
    for column in range(columns):
        intensity = 10 ** (left + (right - left) * column / (columns - 1))
        slanted = intensity * roof.bandwidth < roof.peak
        grid[row(min(roof.peak, intensity * roof.bandwidth))][column] = "/" if slanted else "-"
    for letter, point in points:
        share = (math.log10(point.intensity) - left) / (right - left)
        grid[row(point.achieved)][min(columns - 1, max(0, round(share * (columns - 1))))] = letter
    labels = {row(roof.peak): _short(roof.peak, FLOPS)}
    labels.setdefault(height - 1, _short(10**bottom, FLOPS))
    lines = [f"{labels.get(i, ''):>{_LEFT}}|{''.join(cells)}".rstrip() for i, cells in enumerate(grid)]
    ticks = [" "] * columns
    for exponent in range(math.ceil(left), math.floor(right) + 1):
        text = _power(exponent)
        at = round((exponent - left) / (right - left) * (columns - 1))
        if at + len(text) <= columns:
            ticks[at : at + len(text)] = text
    axis = "".join(
        "+" if tick != " " and (i == 0 or ticks[i - 1] == " ") else "-" for i, tick in enumerate(ticks)
    )
    unit = "FLOP/B"
    return [*lines, " " * _LEFT + "+" + axis, f"{unit:>{_LEFT}} {''.join(ticks)}".rstrip()]


def bars(points: Sequence[tuple[str, Roofline]], width: int = WIDTH) -> list[str]:
    """Bandwidth as bars: for kernels that move data and do no arithmetic to speak of."""
    room = max(10, width - _LEFT - 4)
    lines = []
    for letter, point in points:
        filled = min(room, max(0, round(point.fraction * room)))
        lines.append(f"{_short(point.achieved, RATE):>{_LEFT}} |{letter * filled}{'.' * (room - filled)}|")
    return lines


def _short(value: float, unit: str) -> str:
    # at most nine columns, whatever the rate
    power = 0
    while value >= 999.5 and power < 6:
        value, power = value / 1000, power + 1
    number = f"{value:.3g}" if 0.01 <= value < 999.5 else "<0.01" if value < 1 else ">999"
    return f"{number} {('', 'k', 'M', 'G', 'T', 'P', 'E')[power]}{'F/s' if unit == FLOPS else 'B/s'}"


def _power(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -3 <= exponent <= 4 else f"1e{exponent}"


def _cut(text: str, width: int) -> str:
    # a table of wide characters, loaded when something is drawn
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
