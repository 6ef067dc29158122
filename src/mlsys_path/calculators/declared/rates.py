"""Options that say how fast a device is: its name, or rates of one's own."""

from __future__ import annotations

from mlsys_path.calculators import devices
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import FLOPS, RATE
from mlsys_path.language import N_

DEVICE = Input(
    name="device",
    kind="choice",
    choices=tuple(devices.DEVICES),
    help=N_("a device, with its datasheet's dense rates"),
)
PRECISION = Input(
    name="precision",
    kind="choice",
    choices=devices.PRECISIONS,
    default="bf16",
    help=N_("which of the device's rates"),
)
PEAK = Input(
    name="peak", kind="quantity", unit=FLOPS, help=N_("arithmetic rate of one device, instead of --device")
)
BANDWIDTH = Input(
    name="bandwidth", kind="quantity", unit=RATE, help=N_("bandwidth of its memory, instead of --device")
)


def peak_of(values: Values) -> float | None:
    """The rate that was given, else that of the device; None where neither is there."""
    if values.has("peak"):
        return values.number("peak")
    return devices.peak(values.word("device"), values.word("precision")) if values.has("device") else None


def bandwidth_of(values: Values) -> float | None:
    """The bandwidth that was given, else that of the device; None where neither is there."""
    if values.has("bandwidth"):
        return values.number("bandwidth")
    return devices.find(values.word("device")).bandwidth if values.has("device") else None


def sources(values: Values) -> tuple[str, ...]:
    """Where the figures of --device are printed; empty without one."""
    return (devices.find(values.word("device")).source,) if values.has("device") else ()
