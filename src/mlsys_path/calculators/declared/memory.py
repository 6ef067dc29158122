"""`memory`: model states by ZeRO stage."""

from __future__ import annotations

from mlsys_path.calculators import memory, parameters
from mlsys_path.calculators.declared import shape
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import BYTES, NUMBER
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _

INPUTS = (
    *shape.pick("layers"),
    Input(name="params", kind="quantity", help=N_("all parameters; without it those of --model")),
    Input(name="dp", default=1, help=N_("data-parallel degree, which ZeRO shards over")),
    Input(name="tp", default=1, help=N_("tensor-parallel degree")),
    Input(name="pp", default=1, help=N_("pipeline stages")),
    Input(
        name="zero", kind="choice", choices=memory.STAGES, default="0", help=N_("stage of ZeRO; FSDP is 3")
    ),
    Input(
        name="optimizer",
        kind="choice",
        choices=tuple(memory.OPTIMIZERS),
        default="adam",
        help=N_("the optimizer"),
    ),
    Input(
        name="precision",
        kind="choice",
        choices=tuple(memory.PRECISIONS),
        default="mixed",
        help=N_("mixed keeps 16 bits and a copy in fp32"),
    ),
    Input(name="gradient-bytes", help=N_("bytes of a gradient, where it is not that of the precision")),
    Input(name="prefetch", default=1, least=0, help=N_("layers that stage 3 gathers ahead")),
)


def compute(values: Values) -> Findings:
    """Bytes of each state and their sum; in stage 3 what is gathered for a moment too."""
    model = shape.preset_of(values)
    found = parameters.count(model) if model is not None else None
    if values.has("params"):
        params = values.number("params")
    elif found is not None:
        params = float(found.total)
    else:
        raise UserError(_("--params or --model is missing"))
    stage, dp, split = int(values.word("zero")), values.count("dp"), values.count("tp") * values.count("pp")
    precision = values.word("precision")
    gradient = values.count("gradient-bytes") if values.has("gradient-bytes") else None
    local = params / split
    states = memory.model_states(
        local,
        dp=dp,
        stage=stage,
        optimizer=values.word("optimizer"),
        precision=precision,
        gradient_bytes=gradient,
    )
    rows = [
        Row("params", _("parameters of one model-parallel rank"), local, NUMBER),
        Row("parameters", _("parameters"), states.parameters, BYTES),
        Row("gradients", _("gradients"), states.gradients, BYTES),
        Row("optimizer", _("optimizer"), states.optimizer, BYTES),
        Row("total", _("on one device"), states.total, BYTES),
    ]
    if stage == 3 and (found is not None or values.has("layers")):
        largest = (
            params / values.count("layers") if found is None or values.has("params") else found.largest_layer
        )
        whole = memory.gathered(
            largest / values.count("tp"), precision=precision, prefetch=values.count("prefetch")
        )
        rows.append(Row("gathered", _("layers gathered for a moment"), whole, BYTES))
        rows.append(Row("peak", _("with them"), states.total + whole, BYTES))
    sent = memory.traffic(local, dp=dp, stage=stage, precision=precision)
    rows.append(Row("traffic", _("sent per step to synchronize"), sent, BYTES))
    parameter, slope, kept = memory.bytes_per_parameter(values.word("optimizer"), precision, gradient)
    terms = [
        f"{size} / dp" if stage >= level else f"{size}"
        for size, level in ((parameter, 3), (slope, 2), (kept, 1))
    ]
    return Findings(
        tuple(rows),
        (f"params / (tp × pp) × ({' + '.join(terms)})",),
        ("Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), §5, §7 and Figure 1", *shape.sources(values)),
        (_("Activations, buffers and fragmentation come on top: `calc activations`."),),
    )
