"""`pipeline`: bubble and activations of a schedule."""

from __future__ import annotations

from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.pipeline import SCHEDULES, pipeline
from mlsys_path.calculators.quantities import SECONDS, SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.language import N_, _

INPUTS = (
    Input(name="schedule", kind="choice", choices=SCHEDULES, default="1f1b", help=N_("the schedule")),
    Input(name="stages", required=True, help=N_("pipeline stages")),
    Input(name="microbatches", required=True, help=N_("micro-batches of a step")),
    Input(name="chunks", default=1, help=N_("model chunks per device of the interleaved schedule")),
    Input(
        name="forward",
        kind="quantity",
        unit=SECONDS,
        help=N_("time of a stage's forward pass of one micro-batch; without it times are left out"),
    ),
    Input(
        name="backward-input",
        kind="quantity",
        unit=SECONDS,
        help=N_("time of the gradients of inputs; without it that of the forward pass"),
    ),
    Input(
        name="backward-weight",
        kind="quantity",
        unit=SECONDS,
        help=N_("time of the gradients of weights; without it that of the forward pass"),
    ),
)
_NARAYANAN = "Narayanan et al. 2021 (arXiv:2104.04473), §2.2"
_QI = "Qi et al. 2023, Zero Bubble (arXiv:2401.10241), Table 2"

# schedule -> bubble, micro-batches in flight, sources
_FORMULAS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "gpipe": (
        "(stages - 1) × (F + B + W)",
        "microbatches",
        ("Huang et al. 2019, GPipe (arXiv:1811.06965), §2.3", _NARAYANAN),
    ),
    "1f1b": ("(stages - 1) × (F + B + W)", "min(stages, microbatches)", (_NARAYANAN,)),
    "interleaved": (
        "(stages - 1) × (F + B + W) / chunks",
        "stages + (stages - 1) / chunks",
        (_NARAYANAN, "Korthikanti et al. 2022 (arXiv:2205.05198), §4.2.3"),
    ),
    "zb-h1": ("(stages - 1) × (F + B - W)", "stages", (_QI,)),
    "zb-h2": ("(stages - 1) × (F + B - 2W)", "2 × stages - 1", (_QI,)),
}


def compute(values: Values) -> Findings:
    """The bubble in both of its definitions, and what waits for its backward pass."""
    timed = any(values.has(name) for name in ("forward", "backward-input", "backward-weight"))
    forward = values.number("forward") if timed else 1.0
    schedule = values.word("schedule")
    found = pipeline(
        schedule,
        values.count("stages"),
        values.count("microbatches"),
        chunks=values.count("chunks"),
        forward=forward,
        backward_input=values.number("backward-input") if values.has("backward-input") else forward,
        backward_weight=values.number("backward-weight") if values.has("backward-weight") else forward,
    )
    rows = [
        Row("bubble-ratio", _("bubble / ideal time"), found.bubble_ratio, SHARE),
        Row("bubble-share", _("bubble / whole step"), found.bubble_share, SHARE),
        Row("in-flight", _("micro-batches in flight on the first stage"), found.in_flight),
    ]
    if timed:
        rows.append(Row("bubble", _("bubble"), found.bubble, SECONDS))
        rows.append(Row("step", _("whole step"), found.ideal + found.bubble, SECONDS))
    bubble, peak, sources = _FORMULAS[schedule]
    return Findings(
        tuple(rows),
        (f"bubble = {bubble}", "ideal = microbatches × (F + B + W)", f"in flight = {peak}"),
        sources,
        (_("F, B, W: times of forward, gradients of inputs, gradients of weights; equal unless given."),),
    )
