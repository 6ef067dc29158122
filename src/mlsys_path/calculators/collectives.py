"""Collective operations by the α-β model: a message of S bytes takes α + S/B."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlsys_path.calculators.checks import at_least_zero, count, one_of, positive
from mlsys_path.errors import UserError
from mlsys_path.language import _

OPERATIONS = ("all-reduce", "all-gather", "reduce-scatter", "broadcast", "all-to-all")
ALGORITHMS = ("ring", "tree", "halving-doubling")


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation costs each rank."""

    steps: int  # messages one after another, each of which waits α
    sent: float  # bytes that the busiest rank sends
    latency: float  # seconds of α
    transfer: float  # seconds of bytes

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.latency + self.transfer


def cost(
    operation: str, size: float, ranks: int, *, bandwidth: float, alpha: float = 0.0, algorithm: str = "ring"
) -> Cost:
    """Time and bytes of a collective operation.

    With n ranks, S bytes, q = (n - 1)/n and ⌈log n⌉ to base 2, as steps and bytes of the busiest rank:
    all-reduce: ring 2(n - 1), 2qS; double binary tree 2⌈log n⌉, 2S; halving-doubling 2·log n, 2qS.
    all-gather and reduce-scatter: ring n - 1, qS; halving-doubling log n, qS.
    broadcast: ring, pipelined, n - 1, S; binomial tree, whole messages, ⌈log n⌉, ⌈log n⌉·S; halving-doubling (scatter,
    then all-gather) 2·log n, 2qS.
    all-to-all: pairwise, n - 1, qS.

    Args:
        operation: one of `OPERATIONS`.
        size: S; as NCCL counts, the whole buffer: of an all-gather what each rank has in the end, of a
            reduce-scatter what it brings, of an all-to-all what it sends to all.
        ranks: n, at least 2.
        bandwidth: B, bytes/s that a rank sends in one direction.
        alpha: α, seconds that a step takes whatever its size.
        algorithm: one of `ALGORITHMS`; of all-to-all there is one, called `ring`.

    Returns:
        Steps, bytes, seconds. Adding up and copying take no time, and what is pipelined (the double tree, the ring's
        broadcast) is taken to be so in pieces small enough to fill the pipeline for nothing.

    Raises:
        UserError: an unknown or unfit algorithm, fewer than 2 ranks, halving-doubling of other than a power of 2.

    Source: Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH, §4;
    Sanders, Speck, Träff 2009, Two-tree algorithms for full bandwidth broadcast, reduction and scan.
    """
    one_of("op", operation, OPERATIONS)
    one_of("algorithm", algorithm, ALGORITHMS)
    positive("size", size)
    n = count("ranks", ranks, least=2)
    positive("bandwidth", bandwidth)
    at_least_zero("alpha", alpha)
    if algorithm == "halving-doubling" and n & (n - 1):
        raise UserError(_("halving-doubling needs a power of 2 ranks, not {ranks}").format(ranks=n))
    q, log = (n - 1) / n, math.ceil(math.log2(n))
    table = {
        ("all-reduce", "ring"): (2 * (n - 1), 2 * q),
        ("all-reduce", "tree"): (2 * log, 2.0),
        ("all-reduce", "halving-doubling"): (2 * log, 2 * q),
        ("all-gather", "ring"): (n - 1, q),
        ("all-gather", "halving-doubling"): (log, q),
        ("reduce-scatter", "ring"): (n - 1, q),
        ("reduce-scatter", "halving-doubling"): (log, q),
        ("broadcast", "ring"): (n - 1, 1.0),
        ("broadcast", "tree"): (log, float(log)),
        ("broadcast", "halving-doubling"): (2 * log, 2 * q),
        ("all-to-all", "ring"): (n - 1, q),
    }
    if (operation, algorithm) not in table:
        fit = ", ".join(how for what, how in table if what == operation)
        raise UserError(
            _("there is no {algorithm} {operation}: choose {fit}").format(
                algorithm=algorithm, operation=operation, fit=fit
            )
        )
    steps, share = table[operation, algorithm]
    return Cost(steps=steps, sent=share * size, latency=steps * alpha, transfer=share * size / bandwidth)


def bus_factor(operation: str, ranks: int) -> float:
    """The factor by which NCCL's tests turn algbw = S/t into busbw, which is comparable with a link's speed.

    2(n - 1)/n for all-reduce; (n - 1)/n for all-gather, reduce-scatter and all-to-all; 1 for broadcast.

    Args:
        operation: one of `OPERATIONS`.
        ranks: n, at least 2.

    Returns:
        A factor.

    Raises:
        UserError: an unknown operation, fewer than 2 ranks.

    Source: NVIDIA nccl-tests, doc/PERFORMANCE.md, Summary.
    """
    one_of("op", operation, OPERATIONS)
    n = count("ranks", ranks, least=2)
    if operation == "broadcast":
        return 1.0
    return (n - 1) / n * (2 if operation == "all-reduce" else 1)


def break_even(ranks: int, *, bandwidth: float, alpha: float) -> float:
    """The size from which on a ring all-reduces faster than a double binary tree.

    2(n - 1)·α + 2qS/B = 2⌈log n⌉·α + 2S/B at S = α·B·n·(n - 1 - ⌈log n⌉); below it the tree's fewer steps win.

    Args:
        ranks: n, at least 2.
        bandwidth: B, bytes/s.
        alpha: α, seconds.

    Returns:
        Bytes; 0 where the ring has no more steps than the tree.

    Raises:
        UserError: a number out of range.

    Source: the two costs above set equal.
    """
    n = count("ranks", ranks, least=2)
    steps = n - 1 - math.ceil(math.log2(n))
    return at_least_zero("alpha", alpha) * positive("bandwidth", bandwidth) * n * steps
