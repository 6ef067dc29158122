"""How many parameters a transformer has, and how many of them one token meets."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import count as whole
from mlsys_path.calculators.shape import Shape


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Parameters by what they are for."""

    embedding: int  # tokens and learned positions
    attention: int
    mlp: int  # dense MLPs and experts
    router: int
    norms: int
    output: int  # 0 where the output layer shares the embedding
    total: int
    active: int  # that one token meets: of the experts only top_k and the shared ones
    multiplied: int  # active, without look-ups in tables: what 2·N FLOPs per token counts
    largest_layer: int


def count(shape: Shape) -> ParameterCount:
    """The parameters of a transformer, exactly.

    Per layer, with h = hidden, q = heads·head_dim, k = kv_heads·head_dim, f = ffn:
    attention h·(q + 2k) + q·h, MLP 2·h·f (3·h·f gated), two norms of h each; and vocab·h for the embedding, again for
    an output layer that is not tied, positions·h, one last norm. Biases where the shape has them. For GPT this is
    12·L·h²·(1 + 13/(12h) + (V + s)/(12·L·h)).

    Args:
        shape: of the model.

    Returns:
        Numbers of parameters.

    Source: Narayanan et al. 2021 (arXiv:2104.04473), eq. 2; mixture of experts as in Mixtral (arXiv:2401.04088);
    latent attention as in DeepSeek-V3 (arXiv:2412.19437), §2.1.
    """
    attention, latent_norms = _attention(shape)
    dense = _mlp(shape, shape.mlp)
    expert = _mlp(shape, shape.expert_mlp)
    router = shape.experts * (shape.hidden + shape.router_bias)
    sparse = (shape.experts + shape.shared_experts) * expert
    norm = shape.hidden * (2 if shape.biases == "all" else 1)
    moe, plain = shape.moe_layers, shape.layers - shape.moe_layers

    table = shape.vocab * shape.hidden
    places = shape.positions * shape.hidden
    output = 0 if shape.tied else table
    norms = shape.layers * (2 * norm + latent_norms) + norm
    mlp = plain * dense + moe * sparse
    total = table + places + output + shape.layers * attention + mlp + moe * router + norms
    active = total - moe * (shape.experts - shape.top_k) * expert
    return ParameterCount(
        embedding=table + places,
        attention=shape.layers * attention,
        mlp=mlp,
        router=moe * router,
        norms=norms,
        output=output,
        total=total,
        active=active,
        multiplied=active - places - (0 if shape.tied else table),
        largest_layer=attention
        + latent_norms
        + 2 * norm
        + max(dense if plain else 0, sparse + router if moe else 0),
    )


def read_per_step(shape: Shape, batch: int) -> float:
    """Parameters that a decoding step of `batch` tokens reads, each once.

    Of E experts of which each token takes k at random, E·(1 - (1 - k/E)^batch) are expected to be met; everything else
    is read whole, but of the embedding's table a row per token, which is left out.

    Args:
        shape: of the model.
        batch: sequences that decode together.

    Returns:
        A number of parameters.

    Raises:
        UserError: a batch below 1.

    Source: expectation of distinct draws; uniform routing is an assumption.
    """
    whole("batch", batch)
    found = count(shape)
    if not shape.experts:
        return float(found.multiplied)
    met = shape.experts * (1 - (1 - shape.top_k / shape.experts) ** batch)
    return found.multiplied + shape.moe_layers * (met - shape.top_k) * _mlp(shape, shape.expert_mlp)


def _attention(shape: Shape) -> tuple[int, int]:
    """Parameters of one layer's attention, and of the norms inside it."""
    if shape.kv_rank:
        head, values = shape.width + shape.rope_dim, shape.width
        if shape.q_rank:
            queries = shape.hidden * shape.q_rank + shape.q_rank * shape.heads * head
        else:
            queries = shape.hidden * shape.heads * head
        keys = shape.hidden * (shape.kv_rank + shape.rope_dim) + shape.kv_rank * shape.heads * (
            shape.width + values
        )
        return queries + keys + shape.heads * values * shape.hidden, shape.q_rank + shape.kv_rank
    queries, keys = shape.heads * shape.width, shape.key_heads * shape.width
    weights = shape.hidden * (queries + 2 * keys) + queries * shape.hidden
    if shape.biases != "none":
        weights += queries + 2 * keys
    return weights + (shape.hidden if shape.biases == "all" else 0), 0


def _mlp(shape: Shape, inner: int) -> int:
    into = 2 if shape.gated else 1
    biases = into * inner + shape.hidden if shape.biases == "all" else 0
    return (into + 1) * shape.hidden * inner + biases
