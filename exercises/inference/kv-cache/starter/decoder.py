"""A small decoder of the Llama kind, without its attention: you write that. Read it, do not change it.

Shapes: T tokens, each at its own position; d = head_dim; every tensor has the dtype of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Config:
    """The sizes of a decoder. `heads` is a multiple of `kv_heads`: query head h uses k/v head h // (heads // kv_heads)."""

    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int  # of the MLP

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight."""
        shapes: dict[str, tuple[int, ...]] = {
            "embed": (self.vocab, self.width),
            "head": (self.width, self.vocab),
        }
        for n in range(self.layers):
            shapes[f"{n}.q"] = (self.width, self.heads * self.head_dim)
            shapes[f"{n}.k"] = shapes[f"{n}.v"] = (self.width, self.kv_heads * self.head_dim)
            shapes[f"{n}.o"] = (self.heads * self.head_dim, self.width)
            shapes[f"{n}.gate"] = shapes[f"{n}.up"] = (self.width, self.hidden)
            shapes[f"{n}.down"] = (self.hidden, self.width)
        return shapes


def norm(x: Tensor) -> Tensor:
    """Each row scaled to a root mean square of 1."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """Rotary embedding: x [T, heads, d] turned by angles that grow with the position of each token.

    A query at position p and a key at position q then meet at an angle that depends on p - q only.
    """
    half = x.shape[-1] // 2
    speeds = 10000.0 ** (-torch.arange(half, dtype=x.dtype) / half)  # [d/2] radians per position
    angles = positions.to(x.dtype)[:, None, None] * speeds  # [T, 1, d/2]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


class Layer:
    """One block of the decoder, in the two parts before and after its attention."""

    def __init__(self, config: Config, weights: dict[str, Tensor], n: int) -> None:
        self.config = config
        self.w = {name: weights[f"{n}.{name}"] for name in ("q", "k", "v", "o", "gate", "up", "down")}

    def qkv(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [T, width] at positions [T] -> q [T, heads, d], k and v [T, kv_heads, d]; q and k are rotated already."""
        c, h = self.config, norm(x)
        q = (h @ self.w["q"]).view(len(x), c.heads, c.head_dim)
        k = (h @ self.w["k"]).view(len(x), c.kv_heads, c.head_dim)
        v = (h @ self.w["v"]).view(len(x), c.kv_heads, c.head_dim)
        return rotate(q, positions), rotate(k, positions), v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The layer's output [T, width] from its input and from what attention gave, [T, heads, d]."""
        x = x + attended.reshape(len(x), -1) @ self.w["o"]
        h = norm(x)
        return x + (F.silu(h @ self.w["gate"]) * (h @ self.w["up"])) @ self.w["down"]


class Decoder:
    """Embedding, layers and output; `weights` is as `Config.shapes` says."""

    def __init__(self, config: Config, weights: dict[str, Tensor]) -> None:
        self.config = config
        self.weights = weights
        self.dtype = weights["embed"].dtype
        self.layers = [Layer(config, weights, n) for n in range(config.layers)]

    def embed(self, tokens: Tensor) -> Tensor:
        """tokens [T], whole numbers below vocab -> [T, width]."""
        return self.weights["embed"][tokens]

    def logits(self, x: Tensor) -> Tensor:
        """The output of the last layer [T, width] -> [T, vocab]."""
        return norm(x) @ self.weights["head"]

    def forward(self, tokens: Tensor, attend: Callable[[Tensor, Tensor, Tensor, int], Tensor]) -> Tensor:
        """Full attention over tokens [T] with no cache -> logits [T, vocab]: what a cache must reproduce."""
        positions = torch.arange(len(tokens))
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer.finish(x, attend(*layer.qkv(x, positions), 0))
        return self.logits(x)
