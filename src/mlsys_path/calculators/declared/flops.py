"""`flops`: the arithmetic of training and inference."""

from __future__ import annotations

from mlsys_path.calculators import flops, parameters
from mlsys_path.calculators.declared import rates, shape
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import FLOP, FLOPS, SECONDS, SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _

INPUTS = (
    *shape.pick("layers", "hidden"),
    Input(
        name="params",
        kind="quantity",
        help=N_("parameters that one token meets; without it those of --model"),
    ),
    Input(name="tokens", kind="quantity", help=N_("tokens to train on")),
    Input(name="seq", help=N_("tokens of a sequence: adds the attention's own products")),
    Input(name="causal", kind="flag", help=N_("count only the half of the scores that a causal mask leaves")),
    Input(
        name="recompute",
        kind="choice",
        choices=flops.RECOMPUTATION,
        default="none",
        help=N_("what the backward pass computes again"),
    ),
    Input(name="gpus", help=N_("devices that share the work")),
    rates.DEVICE,
    rates.PRECISION,
    rates.PEAK,
    Input(name="mfu", kind="ratio", help=N_("share of the peak that model FLOPs reach: 0.4 or 40%")),
    Input(
        name="rate",
        kind="quantity",
        unit=FLOPS,
        help=N_("FLOP/s that one device achieves, recomputation counted, instead of --mfu"),
    ),
    Input(name="throughput", kind="quantity", help=N_("tokens/s of all devices, measured: gives the MFU")),
)


def compute(values: Values) -> Findings:
    """FLOPs per token; of a whole run, its time and a throughput's MFU as far as the inputs allow."""
    model = shape.preset_of(values)
    params, token = _per_token(values)
    recompute = values.word("recompute")
    if recompute == "selective":
        values.count("seq")  # without it there is nothing to recompute
    hardware = token.hardware(recompute)
    rows = [
        Row("params", _("parameters that one token meets"), params),
        Row("forward", _("inference, per token"), token.forward, FLOP),
        Row("training", _("training, per token"), token.training, FLOP),
    ]
    if values.has("seq"):
        rows.append(
            Row("attention-share", _("of it attention's products"), token.attention / token.forward, SHARE)
        )
    if recompute != "none":
        rows.append(Row("hardware", _("training with recomputation, per token"), hardware, FLOP))
        rows.append(Row("recompute-factor", _("hardware FLOPs / model FLOPs"), hardware / token.training))
    rows += _run(values, token.training, hardware)
    rows += _measured(values, token.training, hardware)
    remarks = []
    if model is not None and values.has("seq") and not values.has("params"):
        remarks.append(_("With --seq, look-ups in the embedding are not counted as products."))
    return Findings(
        tuple(rows),
        (
            _inference(values),
            "training = 3 × inference",
            "mfu = training × tokens/s / (gpus × peak)",
        ),
        (
            "Kaplan et al. 2020 (arXiv:2001.08361), §2.1",
            "Chowdhery et al. 2022, PaLM (arXiv:2204.02311), appendix B",
            *shape.sources(values),
            *rates.sources(values),
        ),
        tuple(remarks),
    )


def _inference(values: Values) -> str:
    if not values.has("seq"):
        return "inference = 2 × params"
    attention = 2 if values.flag("causal") else 4
    return f"inference = 2 × params + {attention} × layers × seq × width of all heads"


def _per_token(values: Values) -> tuple[float, flops.TokenFlops]:
    model = shape.preset_of(values)
    if model is not None:
        found = parameters.count(model)
        width = model.attention_width
        implied: float = found.multiplied if values.has("seq") else found.active
    else:
        width, implied = values.number("hidden") if values.has("seq") else 0.0, 0.0
        if not values.has("params"):
            raise UserError(_("--params or --model is missing"))
    params = values.number("params") if values.has("params") else implied
    if not values.has("seq"):
        return params, flops.per_token(params)
    return params, flops.per_token(
        params,
        layers=values.count("layers"),
        width=width,
        seq=values.count("seq"),
        causal=values.flag("causal"),
    )


def _run(values: Values, training: float, hardware: float) -> list[Row]:
    if not values.has("tokens"):
        return []
    tokens = values.number("tokens")
    rows = [Row("total", _("the whole run"), training * tokens, FLOP)]
    if hardware != training:
        rows.append(Row("total-hardware", _("the whole run with recomputation"), hardware * tokens, FLOP))
    if not values.has("gpus"):
        return rows
    gpus, peak = values.count("gpus"), rates.peak_of(values)
    if values.has("rate"):
        time = flops.seconds(hardware * tokens, gpus, values.number("rate"))
    elif values.has("mfu") and peak is not None:
        time = flops.seconds(training * tokens, gpus, flops.achieved_rate(peak, values.number("mfu")))
    else:
        return rows
    rows.append(Row("time", _("time"), time, SECONDS))
    rows.append(Row("gpu-days", _("GPU-days"), time * gpus / flops.DAY))
    if peak is not None:
        rows += _utilizations(training * tokens / (time * gpus * peak), hardware / training)
    return rows


def _measured(values: Values, training: float, hardware: float) -> list[Row]:
    if not values.has("throughput"):
        return []
    peak = rates.peak_of(values)
    if peak is None:
        raise UserError(_("--throughput needs --device or --peak too"))
    gpus = values.count("gpus")
    rate = training * values.number("throughput") / gpus
    share = flops.utilization(training, values.number("throughput"), gpus, peak)
    return [
        Row("achieved", _("achieved by one device"), rate, FLOPS),
        *_utilizations(share, hardware / training),
    ]


def _utilizations(mfu: float, factor: float) -> list[Row]:
    rows = [Row("mfu", "MFU", mfu, SHARE)]
    return rows if factor == 1 else [*rows, Row("hfu", "HFU", mfu * factor, SHARE)]
