"""`allreduce`: a collective operation by the α-β model."""

from __future__ import annotations

from mlsys_path.calculators import collectives
from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.quantities import BYTES, RATE, SECONDS, SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.language import N_, _

INPUTS = (
    Input(
        name="op",
        kind="choice",
        choices=collectives.OPERATIONS,
        default="all-reduce",
        help=N_("the operation"),
    ),
    Input(
        name="size",
        kind="quantity",
        unit=BYTES,
        required=True,
        help=N_("bytes of the whole buffer, as NCCL counts"),
    ),
    Input(name="ranks", least=2, required=True, help=N_("ranks that take part")),
    Input(
        name="bandwidth",
        kind="quantity",
        unit=RATE,
        required=True,
        help=N_("what a rank can send per second, in one direction"),
    ),
    Input(
        name="latency",
        kind="quantity",
        unit=SECONDS,
        least=0,
        default=5e-6,
        help=N_("α: what a step takes whatever its size"),
    ),
    Input(
        name="algorithm",
        kind="choice",
        choices=collectives.ALGORITHMS,
        default="ring",
        help=N_("how it is done; tree is NCCL's double binary tree"),
    ),
    Input(name="time", kind="quantity", unit=SECONDS, help=N_("a measured time, to compare")),
)


def compute(values: Values) -> Findings:
    """Time, its two parts, bytes of the busiest rank, and the bandwidths that NCCL's tests would print."""
    operation, size, ranks = values.word("op"), values.number("size"), values.count("ranks")
    bandwidth, alpha = values.number("bandwidth"), values.number("latency")
    found = collectives.cost(
        operation, size, ranks, bandwidth=bandwidth, alpha=alpha, algorithm=values.word("algorithm")
    )
    factor = collectives.bus_factor(operation, ranks)
    rows = [
        Row("steps", _("steps"), found.steps),
        Row("sent", _("sent by the busiest rank"), found.sent, BYTES),
        Row("latency", _("time of latency"), found.latency, SECONDS),
        Row("transfer", _("time of bytes"), found.transfer, SECONDS),
        Row("time", _("time"), found.seconds, SECONDS),
        Row("algbw", "algbw", size / found.seconds, RATE),
        Row("busbw", "busbw", factor * size / found.seconds, RATE),
        Row("bus-factor", "busbw / algbw", factor),
    ]
    if operation == "all-reduce":
        even = collectives.break_even(ranks, bandwidth=bandwidth, alpha=alpha)
        rows.append(Row("break-even", _("a ring beats a tree from"), even, BYTES))
    if values.has("time"):
        measured = factor * size / values.number("time")
        rows.append(Row("measured-busbw", _("measured busbw"), measured, RATE))
        rows.append(Row("efficiency", _("of the bandwidth"), measured / bandwidth, SHARE))
    return Findings(
        tuple(rows),
        ("time = steps × latency + sent / bandwidth", "algbw = size / time"),
        (
            "Thakur et al. 2005, Optimization of Collective Communication Operations in MPICH, §4",
            "Sanders et al. 2009, Two-tree algorithms for full bandwidth broadcast, reduction and scan",
            "NVIDIA nccl-tests, doc/PERFORMANCE.md",
        ),
    )
