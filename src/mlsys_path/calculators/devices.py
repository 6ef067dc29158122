"""Accelerators as their vendors describe them: dense rates, never those with sparsity."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import nearest, one_of
from mlsys_path.errors import UserError
from mlsys_path.language import _

PRECISIONS = ("bf16", "fp16", "fp8", "fp4", "tf32", "fp32")
ELEMENT_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp4": 0.5, "tf32": 4.0, "fp32": 4.0}


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator."""

    bandwidth: float  # of its memory, bytes/s
    peaks: dict[str, float]  # precision -> dense FLOP/s
    source: str


def _device(bandwidth: float, source: str, *, half: float, **others: float) -> Device:
    """A device from GB/s and TFLOP/s, with the same rate for bf16 and fp16."""
    peaks = {"bf16": half, "fp16": half, **others}
    return Device(bandwidth * 1e9, {name: rate * 1e12 for name, rate in peaks.items()}, source)


def _half_only(bandwidth: float, fp16: float, fp32: float, source: str) -> Device:
    return Device(bandwidth * 1e9, {"fp16": fp16 * 1e12, "fp32": fp32 * 1e12}, source)


_A100 = "NVIDIA A100 datasheet (2021)"
_ADA = "NVIDIA Ada GPU architecture whitepaper, appendix A (fp32 accumulation)"
_AMD = "AMD Instinct {} datasheet, without sparsity"
_H100 = "NVIDIA H100 datasheet and Hopper architecture whitepaper, without sparsity"
_TPU = "Google Cloud TPU documentation"

DEVICES: dict[str, Device] = {
    "v100-sxm": _half_only(900, 125, 15.7, "NVIDIA V100 datasheet"),
    "t4": _half_only(320, 65, 8.1, "NVIDIA T4 datasheet"),
    "a100-40gb": _device(1555, _A100, half=312, tf32=156, fp32=19.5),
    "a100-80gb": _device(2039, _A100, half=312, tf32=156, fp32=19.5),
    "h100-sxm": _device(3350, _H100, half=989.4, fp8=1978.9, tf32=494.7, fp32=66.9),
    "h200": _device(
        4800, "NVIDIA H200 datasheet, without sparsity", half=989.4, fp8=1978.9, tf32=494.7, fp32=66.9
    ),
    "b200": _device(
        8000, "NVIDIA DGX B200 datasheet, per GPU and without sparsity", half=2250, fp8=4500, fp4=9000
    ),
    "l4": _device(300, "NVIDIA L4 datasheet, without sparsity", half=121, fp8=242.5, tf32=60, fp32=30.3),
    "l40s": _device(864, "NVIDIA L40S datasheet", half=362.05, fp8=733, tf32=183, fp32=91.6),
    "rtx-3090": _device(
        936, "NVIDIA Ampere GA102 whitepaper, Table 9 (fp32 accumulation)", half=71, tf32=35.6, fp32=35.6
    ),
    "rtx-4090": _device(1008, _ADA, half=165.2, fp8=330.3, tf32=82.6, fp32=82.6),
    "mi250x": _device(
        3276.8, _AMD.format("MI250X") + "; both dies; fp32 of the vector units", half=383, fp32=47.9
    ),
    "mi300x": _device(5300, _AMD.format("MI300X"), half=1307.4, fp8=2614.9, fp32=163.4),
    "tpu-v4": Device(1.2e12, {"bf16": 275e12}, _TPU),
    "tpu-v5e": Device(819e9, {"bf16": 197e12}, _TPU),
    "tpu-v5p": Device(2.765e12, {"bf16": 459e12}, _TPU),
}


def find(name: str) -> Device:
    """The device of a name; raises UserError, with the nearest name, if there is none."""
    return DEVICES[one_of("device", name, tuple(DEVICES))]


def peak(name: str, precision: str) -> float:
    """Dense FLOP/s of a device at a precision; raises UserError if its datasheet has none."""
    device = find(name)
    if precision not in device.peaks:
        raise UserError(
            _("{device} has no rate for {precision}: {hint}").format(
                device=name, precision=precision, hint=nearest(precision, tuple(device.peaks))
            )
        )
    return device.peaks[precision]
