"""`kvcache`: the cache of keys and values, and decoding at its best."""

from __future__ import annotations

from mlsys_path.calculators import kv_cache, parameters
from mlsys_path.calculators.declared import rates, shape
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import BYTES, NUMBER, SECONDS
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.calculators.shape import Shape
from mlsys_path.language import N_, _

INPUTS = (
    *shape.pick(
        "layers",
        "hidden",
        "heads",
        "kv-heads",
        "head-dim",
        "kv-rank",
        "rope-dim",
        required=("layers", "heads"),
    ),
    Input(
        name="element-bytes",
        kind="quantity",
        default=2.0,
        help=N_("bytes of a cached element: 2, 1, 0.5 and the like"),
    ),
    Input(name="context", help=N_("tokens of each sequence")),
    Input(name="batch", default=1, help=N_("sequences")),
    Input(name="memory", kind="quantity", unit=BYTES, help=N_("memory that is free for the cache")),
    Input(
        name="params", kind="quantity", help=N_("parameters that a step reads; without it those of --model")
    ),
    Input(name="weight-bytes", kind="quantity", default=2.0, help=N_("bytes of a weight")),
    rates.DEVICE,
    rates.BANDWIDTH,
    Input(name="devices", default=1, help=N_("devices that share weights and cache")),
)


def compute(values: Values) -> Findings:
    """Bytes per token and in all; what fits into a memory; the fastest decoding that bandwidth allows."""
    model = _model(values)
    size = values.number("element-bytes")
    if model.kv_rank:
        token = kv_cache.latent_per_token(model.layers, model.kv_rank, model.rope_dim, element_bytes=size)
        formula = "layers × (kv-rank + rope-dim) × element-bytes"
    else:
        token = kv_cache.per_token(model.layers, model.key_heads, model.width, element_bytes=size)
        formula = "2 × layers × kv-heads × head-dim × element-bytes"
    batch, context = values.count("batch"), values.count("context") if values.has("context") else None
    rows = [
        Row("layer", _("per token and layer"), token / model.layers, BYTES),
        Row("token", _("per token"), token, BYTES),
    ]
    if context is not None:
        rows.append(Row("sequence", _("per sequence"), token * context, BYTES))
        rows.append(Row("total", _("whole batch"), token * context * batch, BYTES))
    if values.has("memory"):
        fits = kv_cache.capacity(values.number("memory"), token, batch=batch, context=context or 1)
        rows.append(Row("fits-tokens", _("tokens that fit"), fits.tokens))
        rows.append(Row("fits-context", _("longest context of this batch"), fits.context))
        if context is not None:
            rows.append(Row("fits-batch", _("largest batch of this context"), fits.batch))
    formulas = [f"bytes of a token = {formula}"]
    sources = ["DeepSeek-AI 2024, DeepSeek-V2 (arXiv:2405.04434), Table 1"]
    if (bandwidth := rates.bandwidth_of(values)) is not None:
        rows += _decode(values, token * (context or 0) * batch, bandwidth)
        formulas.append("least time of a step = (weights + cache) / bandwidth")
        sources.append("Pope et al. 2022 (arXiv:2211.05102), §2")
    return Findings(tuple(rows), tuple(formulas), (*sources, *shape.sources(values), *rates.sources(values)))


def _model(values: Values) -> Shape:
    preset = shape.preset_of(values)
    if preset is not None:
        return preset
    # a head's width is all that `hidden` is needed for
    hidden = (
        values.count("heads") if values.has("head-dim") or values.has("kv-rank") else values.count("hidden")
    )
    found = {**values.found, "hidden": values.found.get("hidden", hidden)}
    return shape.shape_of(Values(found))


def _decode(values: Values, cache: float, bandwidth: float) -> list[Row]:
    batch, preset = values.count("batch"), shape.preset_of(values)
    if values.has("params") or preset is None:
        read = values.number("params")
    else:
        read = parameters.read_per_step(preset, batch)
    weights = read * values.number("weight-bytes")
    best = kv_cache.decode_at_best(weights, cache, batch=batch, bandwidth=bandwidth * values.count("devices"))
    return [
        Row("weights", _("weights that a step reads"), weights, BYTES),
        Row("step", _("least time of a step"), best.step, SECONDS),
        Row("rate", _("tokens per second, at best"), best.tokens_per_second, NUMBER),
    ]
