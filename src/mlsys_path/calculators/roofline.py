"""The roofline: whether a kernel waits for arithmetic or for memory."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import at_least_zero, count, divides, positive


@dataclass(frozen=True, slots=True)
class Work:
    """What a kernel does at least: each operand read once, each result written once."""

    flops: float
    bytes: float

    @property
    def intensity(self) -> float:
        """FLOPs per byte."""
        return self.flops / self.bytes


@dataclass(frozen=True, slots=True)
class Roof:
    """What a device can do at most.

    Raises:
        UserError: a rate not above 0.
    """

    peak: float  # FLOP/s
    bandwidth: float  # bytes/s

    def __post_init__(self) -> None:
        positive("peak", self.peak)
        positive("bandwidth", self.bandwidth)

    @property
    def ridge(self) -> float:
        """The intensity from which on arithmetic is the limit: peak / bandwidth, in FLOP/byte."""
        return self.peak / self.bandwidth

    def attainable(self, work: Work) -> float:
        """FLOP/s: min(peak, intensity · bandwidth).

        Source: Williams, Waterman, Patterson 2009, Roofline, CACM 52(4).
        """
        return min(self.peak, work.intensity * self.bandwidth)

    def memory_bound(self, work: Work) -> bool:
        """Whether memory is the limit."""
        return work.intensity < self.ridge

    def seconds(self, work: Work) -> float:
        """The least time: max(flops / peak, bytes / bandwidth)."""
        return max(work.flops / self.peak, work.bytes / self.bandwidth)


def matmul(m: int, n: int, k: int, *, element_bytes: float = 2) -> Work:
    """C[m,n] = A[m,k]·B[k,n]: 2·m·n·k FLOPs, (m·k + k·n + m·n) elements moved.

    Args:
        m: rows of A.
        n: columns of B.
        k: columns of A.
        element_bytes: of every element.

    Returns:
        FLOPs and bytes.

    Raises:
        UserError: a number not above 0.

    Source: NVIDIA, Matrix Multiplication Background User's Guide, §2.
    """
    for name, value in (("m", m), ("n", n), ("k", k)):
        count(name, value)
    positive("element_bytes", element_bytes)
    return Work(2.0 * m * n * k, (m * k + k * n + m * n) * element_bytes)


def elementwise(
    elements: int, *, reads: int = 1, writes: int = 1, flops_per_element: float = 1, element_bytes: float = 2
) -> Work:
    """An operation on each element by itself: elements · flops, elements · (reads + writes) moved.

    Args:
        elements: of one operand.
        reads: operands.
        writes: results.
        flops_per_element: FLOPs for each.
        element_bytes: of every element.

    Returns:
        FLOPs and bytes.

    Raises:
        UserError: a number out of range.

    Source: Williams, Waterman, Patterson 2009, Roofline, CACM 52(4): operational intensity.
    """
    count("elements", elements)
    count("reads", reads)
    count("writes", writes)
    at_least_zero("flops_per_element", flops_per_element)
    positive("element_bytes", element_bytes)
    return Work(float(elements) * flops_per_element, (reads + writes) * elements * element_bytes)


def attention_decode(
    *, batch: int, heads: int, kv_heads: int, head_dim: int, context: int, element_bytes: float = 2
) -> Work:
    """One layer's attention of one new token per sequence over its cache.

    4·b·heads·d·s FLOPs; 2·b·kv_heads·d·s elements of keys and values, and 2·b·heads·d of queries and results. For a
    long context the intensity comes to 2·(heads/kv_heads)/element_bytes, whatever the batch: each sequence has a
    cache of its own.

    Args:
        batch: b, sequences.
        heads: of queries.
        kv_heads: of keys and values; it divides heads.
        head_dim: d.
        context: s, tokens in the cache.
        element_bytes: of every element.

    Returns:
        FLOPs and bytes.

    Raises:
        UserError: a number below 1, or kv_heads that do not divide heads.

    Source: Ainslie et al. 2023, GQA (arXiv:2305.13245), §2: what is shared is read once.
    """
    for name, value in (("batch", batch), ("heads", heads), ("kv_heads", kv_heads), ("head_dim", head_dim)):
        count(name, value)
    count("context", context)
    positive("element_bytes", element_bytes)
    divides("kv_heads", kv_heads, "heads", heads)
    moved = 2.0 * batch * head_dim * (kv_heads * context + heads)
    return Work(4.0 * batch * heads * head_dim * context, moved * element_bytes)


def given(flops: float, bytes_moved: float) -> Work:
    """A kernel of which FLOPs and bytes are known; raises UserError for a number out of range."""
    return Work(at_least_zero("flops", flops), positive("bytes", bytes_moved))
