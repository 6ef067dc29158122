"""`activations`: what a transformer keeps for its backward pass."""

from __future__ import annotations

from mlsys_path.calculators import activations
from mlsys_path.calculators.declared import shape
from mlsys_path.calculators.flops import RECOMPUTATION
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import BYTES, SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.language import N_, _

INPUTS = (
    *shape.pick("layers", "hidden", "heads", "vocab", required=("layers", "hidden", "heads")),
    Input(name="seq", required=True, help=N_("tokens of a sequence")),
    Input(name="micro-batch", default=1, help=N_("sequences of a micro-batch")),
    Input(name="tp", default=1, help=N_("tensor-parallel degree")),
    Input(name="sequence-parallel", kind="flag", help=N_("split what tensor parallelism leaves whole")),
    Input(
        name="recompute",
        kind="choice",
        choices=RECOMPUTATION,
        default="none",
        help=N_("what the backward pass computes again"),
    ),
    Input(
        name="attention",
        kind="choice",
        choices=activations.ATTENTION,
        default="standard",
        help=N_("flash keeps no scores"),
    ),
    Input(name="pp", default=1, help=N_("pipeline stages")),
    Input(name="chunks", default=1, help=N_("model chunks per device of the interleaved schedule")),
)


def compute(values: Values) -> Findings:
    """Bytes of a layer, against keeping everything, and of the first pipeline stage."""
    layer = activations.Layer(
        hidden=values.count("hidden"),
        heads=values.count("heads"),
        seq=values.count("seq"),
        micro_batch=values.count("micro-batch"),
        tp=values.count("tp"),
        sequence_parallel=values.flag("sequence-parallel"),
    )
    each = activations.per_layer(
        layer, recompute=values.word("recompute"), attention=values.word("attention")
    )
    everything = activations.per_layer(layer)
    kept = activations.layers_kept(
        values.count("layers"), pp=values.count("pp"), chunks=values.count("chunks")
    )
    rows = [
        Row("layer", _("one layer"), each, BYTES),
        Row("everything", _("one layer, everything kept"), everything, BYTES),
        Row("saved", _("saved against that"), 1 - each / everything, SHARE),
        Row("attention-factor", _("attention's term 5 × heads × seq / hidden"), layer.attention_factor),
        Row("layers-kept", _("layers kept at the peak of the first stage"), kept),
        Row("total", _("first stage, all its layers"), each * kept, BYTES),
    ]
    if values.has("vocab") and values.count("vocab"):
        outside = activations.outside_layers(layer, values.count("vocab"), pp=values.count("pp"))
        rows.append(Row("outside", _("first stage, outside of layers"), outside, BYTES))
    return Findings(
        tuple(rows),
        (f"bytes of a layer = {_formula(values)}",),
        ("Korthikanti et al. 2022 (arXiv:2205.05198), §4 and Table 2", *shape.sources(values)),
        (
            _(
                "For the layers of GPT: 16 bits, dropout, an MLP of 4 × hidden, as many key-value heads as heads."
            ),
        ),
    )


def _formula(values: Values) -> str:
    if values.word("recompute") == "full":
        return "2 × seq × micro-batch × hidden"
    inner = "34 / tp" if values.flag("sequence-parallel") else "10 + 24 / tp"
    if values.word("attention") == "flash":
        return f"seq × micro-batch × (hidden × ({inner}) + 4 × heads / tp)"
    if values.word("recompute") == "selective":
        return f"seq × micro-batch × hidden × ({inner})"
    return f"seq × micro-batch × hidden × ({inner} + 5 × heads × seq / (hidden × tp))"
