"""The shape of a transformer: all that parameters, FLOPs, activations and caches follow from."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import count, divides, one_of
from mlsys_path.errors import UserError
from mlsys_path.language import _

BIASES = ("none", "qkv", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A decoder-only transformer.

    What is left out is as in GPT-2: as many key-value heads as heads, `head_dim = hidden / heads`, `ffn = 4 · hidden`,
    an MLP of two matrices, biases everywhere, LayerNorm, and an output layer that shares the embedding.

    `biases="all"` also means LayerNorm with a bias; otherwise a norm has a weight alone (RMSNorm). With `experts`, all
    layers but the first `dense_layers` have a mixture of experts of width `expert_ffn`. With `kv_rank`, attention is
    DeepSeek's multi-head latent attention: `head_dim` is the part of a head without rotary embedding and the width of
    its values, `rope_dim` the part with it.

    Raises:
        UserError: a number below 1, or heads that do not divide what they have to.
    """

    layers: int
    hidden: int
    heads: int
    vocab: int = 0
    kv_heads: int | None = None
    head_dim: int | None = None
    ffn: int | None = None
    gated: bool = False
    biases: str = "all"
    tied: bool = True
    positions: int = 0
    experts: int = 0
    top_k: int = 1
    shared_experts: int = 0
    expert_ffn: int | None = None
    dense_layers: int = 0
    router_bias: bool = False
    q_rank: int = 0
    kv_rank: int = 0
    rope_dim: int = 0

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "top_k"):
            count(name, getattr(self, name))
        for name in ("kv_heads", "head_dim", "ffn", "expert_ffn"):
            if getattr(self, name) is not None:
                count(name, getattr(self, name))
        for name in (
            "vocab",
            "positions",
            "experts",
            "shared_experts",
            "dense_layers",
            "q_rank",
            "kv_rank",
            "rope_dim",
        ):
            count(name, getattr(self, name), least=0)
        one_of("biases", self.biases, BIASES)
        if self.head_dim is None:
            divides("heads", self.heads, "hidden", self.hidden)
        divides("kv_heads", self.key_heads, "heads", self.heads)
        if self.experts and self.top_k > self.experts:
            raise UserError(
                _("top_k ({top_k}) must not exceed experts ({experts})").format(
                    top_k=self.top_k, experts=self.experts
                )
            )
        if self.dense_layers > self.layers:
            raise UserError(
                _("dense_layers ({dense}) must not exceed layers ({layers})").format(
                    dense=self.dense_layers, layers=self.layers
                )
            )

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def width(self) -> int:
        """Of one head, without the rotary part of latent attention."""
        return self.hidden // self.heads if self.head_dim is None else self.head_dim

    @property
    def mlp(self) -> int:
        """Inner width of a dense MLP."""
        return 4 * self.hidden if self.ffn is None else self.ffn

    @property
    def expert_mlp(self) -> int:
        """Inner width of one expert."""
        return self.mlp if self.expert_ffn is None else self.expert_ffn

    @property
    def moe_layers(self) -> int:
        """Layers with a mixture of experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def attention_width(self) -> float:
        """The width w for which QKᵀ and its product with V together take 4·s·w FLOPs per token: the heads' sum.

        Of latent attention, whose queries and values differ in width, the mean of both.
        """
        rope = self.rope_dim if self.kv_rank else 0
        return self.heads * (self.width + rope / 2)
