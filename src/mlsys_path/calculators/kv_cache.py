"""The cache of keys and values: its size, what fits into a memory, and how fast decoding can be at best."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import at_least_zero, count, positive


def per_token(layers: int, kv_heads: int, head_dim: int, *, element_bytes: float = 2) -> float:
    """Bytes of keys and values of one token: 2 · layers · kv_heads · head_dim · bytes.

    `kv_heads` is heads for multi-head, 1 for multi-query, in between for grouped-query attention.

    Args:
        layers: of the model.
        kv_heads: heads of keys and values.
        head_dim: width of one.
        element_bytes: of a cached element.

    Returns:
        Bytes.

    Raises:
        UserError: a number below 1.

    Source: Shazeer 2019, multi-query (arXiv:1911.02150); Ainslie et al. 2023, GQA (arXiv:2305.13245).
    """
    for name, value in (("layers", layers), ("kv_heads", kv_heads), ("head_dim", head_dim)):
        count(name, value)
    return 2.0 * layers * kv_heads * head_dim * positive("element_bytes", element_bytes)


def latent_per_token(layers: int, kv_rank: int, rope_dim: int, *, element_bytes: float = 2) -> float:
    """Bytes of one token's latent vector and rotary key: layers · (kv_rank + rope_dim) · bytes.

    Args:
        layers: of the model.
        kv_rank: width of the latent vector.
        rope_dim: width of the one rotary key that all heads share.
        element_bytes: of a cached element.

    Returns:
        Bytes.

    Raises:
        UserError: a number out of range.

    Source: DeepSeek-AI 2024, DeepSeek-V2 (arXiv:2405.04434), §2.1.2 and Table 1.
    """
    count("layers", layers)
    count("kv_rank", kv_rank)
    count("rope_dim", rope_dim, least=0)
    return float(layers) * (kv_rank + rope_dim) * positive("element_bytes", element_bytes)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What fits into a memory."""

    tokens: int  # of all sequences together
    batch: int  # sequences of the given context
    context: int  # tokens of each of the given number of sequences


def capacity(memory: float, token_bytes: float, *, batch: int = 1, context: int = 1) -> Capacity:
    """How many tokens a memory holds: ⌊memory / bytes per token⌋, and what that makes of either dimension.

    Args:
        memory: bytes that are free for the cache.
        token_bytes: as of `per_token`.
        batch: sequences, for the longest context.
        context: tokens of each, for the largest batch.

    Returns:
        Numbers rounded down; blocks and fragmentation come off them.

    Raises:
        UserError: a number out of range.

    Source: the sizes above divided.
    """
    count("batch", batch)
    count("context", context)
    tokens = int(positive("memory", memory) // positive("token_bytes", token_bytes))
    return Capacity(tokens, tokens // context, tokens // batch)


@dataclass(frozen=True, slots=True)
class Decode:
    """The best that memory's bandwidth allows."""

    step: float  # seconds
    tokens_per_second: float


def decode_at_best(weight_bytes: float, cache_bytes: float, *, batch: int, bandwidth: float) -> Decode:
    """A decoding step reads all weights and all of the cache once: (weights + cache) / bandwidth is its least time.

    Args:
        weight_bytes: of the weights that a step reads.
        cache_bytes: of the whole batch.
        batch: sequences, one token each.
        bandwidth: bytes/s of all devices together.

    Returns:
        Seconds per step, tokens per second.

    Raises:
        UserError: a number out of range.

    Source: Pope et al. 2022 (arXiv:2211.05102), §2: memory time.
    """
    moved = positive("weight_bytes", weight_bytes) + at_least_zero("cache_bytes", cache_bytes)
    step = moved / positive("bandwidth", bandwidth)
    return Decode(step, count("batch", batch) / step)
