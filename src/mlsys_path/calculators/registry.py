"""The calculators by name: what the command line offers and what lessons embed comes from here alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlsys_path.calculators import checks
from mlsys_path.calculators.declared import (
    activations,
    allreduce,
    flops,
    kvcache,
    memory,
    params,
    pipeline,
    roofline,
)
from mlsys_path.calculators.inputs import Input, Values, read_all
from mlsys_path.calculators.report import Findings, Report, notes_of
from mlsys_path.errors import UserError
from mlsys_path.language import N_, _


@dataclass(frozen=True, slots=True)
class Calculator:
    """A calculator as it is offered; texts are English and translated where they are shown."""

    name: str
    title: str
    summary: str
    inputs: tuple[Input, ...]
    compute: Callable[[Values], Findings]

    def report(self, texts: Mapping[str, str]) -> Report:
        """What it says to inputs as they are typed, by name without dashes; a flag is `yes` or `no`.

        Raises:
            UserError: an unknown option, a text that is no value, a missing or an impossible input.
        """
        known = tuple(each.name for each in self.inputs)
        for name in texts:
            if name not in known:
                raise self.unknown_option(f"--{name}")
        values = read_all(self.inputs, texts)
        found = self.compute(values)
        return Report(
            calculator=self.name,
            title=_(self.title),
            inputs=dict(values.found),
            rows=found.rows,
            notes=notes_of(found),
        )

    def unknown_option(self, option: str) -> UserError:
        """The line for an option that it does not have."""
        known = tuple(each.option for each in self.inputs)
        return UserError(
            _("`calc {calculator}` has no option {option}: {hint}").format(
                calculator=self.name, option=option, hint=checks.nearest(option, known)
            )
        )


_ALL = (
    Calculator(
        "params",
        N_("Parameters of a transformer"),
        N_("Parameters of a transformer, by what they are for"),
        params.INPUTS,
        params.compute,
    ),
    Calculator(
        "flops",
        N_("FLOPs, MFU and training time"),
        N_("FLOPs of training and inference, MFU, and how long a run takes"),
        flops.INPUTS,
        flops.compute,
    ),
    Calculator(
        "memory",
        N_("Model states on one device"),
        N_("Memory of parameters, gradients and optimizer by ZeRO stage"),
        memory.INPUTS,
        memory.compute,
    ),
    Calculator(
        "activations",
        N_("Activations on one device"),
        N_("Memory of activations, with parallelism and recomputation"),
        activations.INPUTS,
        activations.compute,
    ),
    Calculator(
        "pipeline",
        N_("A pipeline schedule"),
        N_("Bubble and activations in flight of a pipeline schedule"),
        pipeline.INPUTS,
        pipeline.compute,
    ),
    Calculator(
        "allreduce",
        N_("A collective operation"),
        N_("Time and traffic of a collective operation, by the α-β model"),
        allreduce.INPUTS,
        allreduce.compute,
    ),
    Calculator(
        "roofline",
        N_("Roofline"),
        N_("Whether a kernel waits for arithmetic or for memory"),
        roofline.INPUTS,
        roofline.compute,
    ),
    Calculator(
        "kvcache",
        N_("KV cache"),
        N_("Size of the KV cache, what fits, and how fast decoding can be"),
        kvcache.INPUTS,
        kvcache.compute,
    ),
)
CALCULATORS: dict[str, Calculator] = {each.name: each for each in _ALL}


def find(name: str) -> Calculator:
    """The calculator of a name; raises UserError, with the nearest name, if there is none."""
    if name not in CALCULATORS:
        raise UserError(
            _("there is no calculator {name!r}: {hint}").format(
                name=name, hint=checks.nearest(name, tuple(CALCULATORS))
            )
        )
    return CALCULATORS[name]
