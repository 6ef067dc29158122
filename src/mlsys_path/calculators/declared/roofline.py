"""`roofline`: whether a kernel waits for arithmetic or for memory."""

from __future__ import annotations

from mlsys_path.calculators import devices, roofline
from mlsys_path.calculators.declared import rates
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import BYTES, FLOP, FLOPS, INTENSITY, RATE, SECONDS, SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _

OPERATIONS = ("matmul", "elementwise", "attention-decode", "given")

INPUTS = (
    rates.DEVICE,
    rates.PRECISION,
    rates.PEAK,
    rates.BANDWIDTH,
    Input(
        name="op",
        kind="choice",
        choices=OPERATIONS,
        help=N_("the kernel; without it only the device is shown"),
    ),
    Input(
        name="element-bytes",
        kind="quantity",
        help=N_("bytes of an element; without it those of the precision"),
    ),
    Input(name="m", help=N_("matmul: rows of the first factor")),
    Input(name="n", help=N_("matmul: columns of the second factor")),
    Input(name="k", help=N_("matmul: what is summed over")),
    Input(name="elements", help=N_("elementwise: elements of one operand")),
    Input(name="reads", default=1, help=N_("elementwise: operands")),
    Input(name="writes", default=1, help=N_("elementwise: results")),
    Input(
        name="flops-per-element",
        kind="quantity",
        default=1.0,
        least=0,
        help=N_("elementwise: FLOPs for each"),
    ),
    Input(name="batch", default=1, help=N_("attention-decode: sequences")),
    Input(name="heads", help=N_("attention-decode: heads of queries")),
    Input(
        name="kv-heads", help=N_("attention-decode: heads of keys and values; without it as many as heads")
    ),
    Input(name="head-dim", help=N_("attention-decode: width of a head")),
    Input(name="context", help=N_("attention-decode: tokens in the cache")),
    Input(name="flops", kind="quantity", unit=FLOP, least=0, help=N_("given: FLOPs of the kernel")),
    Input(name="bytes", kind="quantity", unit=BYTES, help=N_("given: bytes that it moves")),
)
_FORMULAS: dict[str, tuple[str, ...]] = {
    "matmul": ("flops = 2 × m × n × k", "bytes = (m × k + k × n + m × n) × element-bytes"),
    "elementwise": (
        "flops = elements × flops-per-element",
        "bytes = elements × (reads + writes) × element-bytes",
    ),
    "attention-decode": (
        "flops = 4 × batch × heads × head-dim × context",
        "bytes = 2 × batch × head-dim × (kv-heads × context + heads) × element-bytes",
    ),
}


def compute(values: Values) -> Findings:
    """The device's roof; with a kernel its intensity, what it can attain and what it waits for."""
    peak, bandwidth = rates.peak_of(values), rates.bandwidth_of(values)
    if peak is None or bandwidth is None:
        raise UserError(_("give a --device, or --peak and --bandwidth"))
    roof = roofline.Roof(peak, bandwidth)
    rows = [
        Row("peak", _("peak"), roof.peak, FLOPS),
        Row("bandwidth", _("bandwidth"), roof.bandwidth, RATE),
        Row("ridge", _("ridge point"), roof.ridge, INTENSITY),
    ]
    if values.has("op"):
        rows += _kernel(roof, _work(values))
    kernel = _FORMULAS.get(values.word("op"), ()) if values.has("op") else ()
    return Findings(
        tuple(rows),
        (*kernel, "attainable = min(peak, flops / bytes × bandwidth)", "ridge = peak / bandwidth"),
        ("Williams et al. 2009, Roofline, CACM 52(4)", *rates.sources(values)),
        (_("Dense rates, and each operand moved once: a real kernel stays below."),),
    )


def _kernel(roof: roofline.Roof, work: roofline.Work) -> list[Row]:
    bound = _("memory bandwidth") if roof.memory_bound(work) else _("arithmetic")
    attainable = roof.attainable(work)
    return [
        Row("flops", _("FLOPs"), work.flops, FLOP),
        Row("bytes", _("bytes moved"), work.bytes, BYTES),
        Row("intensity", _("arithmetic intensity"), work.intensity, INTENSITY),
        Row("bound", _("waits for"), bound),
        Row("attainable", _("attainable"), attainable, FLOPS),
        Row("share", _("of the peak"), attainable / roof.peak, SHARE),
        Row("time", _("least time"), roof.seconds(work), SECONDS),
    ]


def _work(values: Values) -> roofline.Work:
    operation = values.word("op")
    size = (
        values.number("element-bytes")
        if values.has("element-bytes")
        else devices.ELEMENT_BYTES[values.word("precision")]
    )
    if operation == "matmul":
        return roofline.matmul(values.count("m"), values.count("n"), values.count("k"), element_bytes=size)
    if operation == "elementwise":
        return roofline.elementwise(
            values.count("elements"),
            reads=values.count("reads"),
            writes=values.count("writes"),
            flops_per_element=values.number("flops-per-element"),
            element_bytes=size,
        )
    if operation == "attention-decode":
        return roofline.attention_decode(
            batch=values.count("batch"),
            heads=values.count("heads"),
            kv_heads=values.count("kv-heads" if values.has("kv-heads") else "heads"),
            head_dim=values.count("head-dim"),
            context=values.count("context"),
            element_bytes=size,
        )
    return roofline.given(values.number("flops"), values.number("bytes"))
