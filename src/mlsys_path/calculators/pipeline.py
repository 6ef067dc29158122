"""Pipeline schedules: how much of a step is bubble, and how many micro-batches wait for their backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import count, one_of, positive
from mlsys_path.errors import UserError
from mlsys_path.language import _

SCHEDULES = ("gpipe", "1f1b", "interleaved", "zb-h1", "zb-h2")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A schedule's cost, for one stage and one step."""

    ideal: float  # time without a bubble, in the unit of the passes
    bubble: float
    in_flight: (
        float  # peak of the first stage's micro-batches that keep activations, in those of a whole stage
    )

    @property
    def bubble_ratio(self) -> float:
        """Bubble over ideal time: (p - 1)/m of the papers."""
        return self.bubble / self.ideal

    @property
    def bubble_share(self) -> float:
        """Bubble over the whole step: (p - 1)/(m + p - 1)."""
        return self.bubble / (self.ideal + self.bubble)


def pipeline(
    schedule: str,
    stages: int,
    microbatches: int,
    *,
    chunks: int = 1,
    forward: float = 1.0,
    backward_input: float = 1.0,
    backward_weight: float = 1.0,
) -> Pipeline:
    """Bubble and activations of a schedule.

    With p stages, m micro-batches and passes F (forward), B (gradients of inputs) and W (gradients of weights), ideal
    m·(F + B + W). Bubble and peak: GPipe (p - 1)·(F + B + W), m; 1F1B the same, min(p, m); interleaved with v chunks
    (p - 1)·(F + B + W)/v, p + (p - 1)/v; ZB-H1 (p - 1)·(F + B - W), p; ZB-H2 (p - 1)·(F + B - 2W), 2p - 1. A bubble
    is never below 0, and there are never more than m in flight. Communication takes no time here.

    Args:
        schedule: `gpipe`, `1f1b`, `interleaved`, `zb-h1` or `zb-h2`.
        stages: p.
        microbatches: m.
        chunks: v, model chunks per device; 1 except of `interleaved`, which needs 2 or more.
        forward: F, in any unit of time.
        backward_input: B.
        backward_weight: W.

    Returns:
        Times in the unit of the passes.

    Raises:
        UserError: a number below 1, an unknown schedule, or too few micro-batches for it.

    Source: Huang et al. 2019, GPipe (arXiv:1811.06965), §2.3; Narayanan et al. 2021 (arXiv:2104.04473), §2.2;
    Korthikanti et al. 2022 (arXiv:2205.05198), §4.2.3; Qi et al. 2023, Zero Bubble (arXiv:2401.10241), Table 2.
    """
    one_of("schedule", schedule, SCHEDULES)
    p, m, v = count("stages", stages), count("microbatches", microbatches), count("chunks", chunks)
    f, b = positive("forward", forward), positive("backward_input", backward_input)
    w = positive("backward_weight", backward_weight)
    _refuse_impossible(schedule, p, m, v)
    whole = f + b + w
    bubble, peak = {
        "gpipe": (whole, float(m)),
        "1f1b": (whole, float(p)),
        "interleaved": (whole / v, p + (p - 1) / v),
        "zb-h1": (f + b - w, float(p)),
        "zb-h2": (f + b - 2 * w, 2.0 * p - 1),
    }[schedule]
    return Pipeline(ideal=m * whole, bubble=(p - 1) * max(bubble, 0.0), in_flight=min(peak, m))


def _refuse_impossible(schedule: str, p: int, m: int, v: int) -> None:
    if schedule == "interleaved":
        if v < 2:
            raise UserError(_("the interleaved schedule needs at least 2 chunks per device"))
        if m % p:
            raise UserError(
                _("the interleaved schedule needs micro-batches in multiples of the {stages} stages").format(
                    stages=p
                )
            )
    elif v != 1:
        raise UserError(_("only the interleaved schedule has chunks"))
    least = {"zb-h1": p, "zb-h2": 2 * p - 1}.get(schedule, 1)
    if m < least:
        raise UserError(
            _("{schedule} with {stages} stages needs at least {least} micro-batches").format(
                schedule=schedule, stages=p, least=least
            )
        )
