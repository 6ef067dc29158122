"""Activations that a transformer keeps for its backward pass, with what parallelism and recomputation save."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import count, divides, one_of
from mlsys_path.calculators.flops import RECOMPUTATION
from mlsys_path.errors import UserError
from mlsys_path.language import _

ATTENTION = ("standard", "flash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A transformer layer in training: what its activations follow from.

    Raises:
        UserError: a number below 1, or a degree that does not divide what it splits.
    """

    hidden: int
    heads: int
    seq: int
    micro_batch: int = 1
    tp: int = 1
    sequence_parallel: bool = False

    def __post_init__(self) -> None:
        for name in ("hidden", "heads", "seq", "micro_batch", "tp"):
            count(name, getattr(self, name))
        divides("heads", self.heads, "hidden", self.hidden)
        divides("tp", self.tp, "heads", self.heads)
        if self.sequence_parallel:
            divides("tp", self.tp, "seq", self.seq)

    @property
    def sbh(self) -> int:
        """Elements of one hidden state."""
        return self.seq * self.micro_batch * self.hidden

    @property
    def attention_factor(self) -> float:
        """5·a·s/h: what softmax, its dropout and their mask add to the factor of 34."""
        return 5 * self.heads * self.seq / self.hidden


def per_layer(layer: Layer, *, recompute: str = "none", attention: str = "standard") -> float:
    """Bytes of activations of one layer on one device, in 16 bits with 1-byte dropout masks.

    With s, b, h, a of the layer and tensor parallelism t: s·b·h·(10 + 24/t + 5·a·s/(h·t)), where sequence parallelism
    divides the 10 too. Selective recomputation keeps no scores and so drops the last term; full recomputation keeps
    the layer's input alone, 2·s·b·h. FlashAttention keeps in its place one fp32 number for each row of scores,
    4·a·s·b/t.

    Args:
        layer: the layer.
        recompute: `none`, `selective` or `full`.
        attention: `standard` or `flash`.

    Returns:
        Bytes.

    Raises:
        UserError: an unknown name, or selective recomputation of FlashAttention, which recomputes by itself.

    Source: Korthikanti et al. 2022 (arXiv:2205.05198), eq. 1, 2, 4 and Table 2; Dao 2023, FlashAttention-2
    (arXiv:2307.08691), §3.1 for the numbers that it keeps.
    """
    one_of("recompute", recompute, RECOMPUTATION)
    one_of("attention", attention, ATTENTION)
    if recompute == "full":
        return 2.0 * layer.sbh
    rest = layer.sbh * (10 / (layer.tp if layer.sequence_parallel else 1) + 24 / layer.tp)
    if attention == "flash":
        if recompute == "selective":
            raise UserError(
                _("FlashAttention recomputes its scores by itself: leave selective recomputation out")
            )
        return rest + 4 * layer.heads * layer.seq * layer.micro_batch / layer.tp
    if recompute == "selective":
        return rest
    return rest + layer.sbh * layer.attention_factor / layer.tp


def layers_kept(layers: int, *, pp: int = 1, chunks: int = 1) -> float:
    """How many layers' activations the first pipeline stage keeps at its peak.

    1F1B keeps p micro-batches of L/p layers, which is L whatever p is; the interleaved schedule with v chunks per
    device L·(1 + (p - 1)/(p·v)).

    Args:
        layers: L, of the whole model.
        pp: p, pipeline stages.
        chunks: v; 1 is not interleaved.

    Returns:
        A number of layers.

    Raises:
        UserError: a number below 1.

    Source: Korthikanti et al. 2022 (arXiv:2205.05198), §4.2.3.
    """
    count("layers", layers)
    count("pp", pp)
    count("chunks", chunks)
    return float(layers) if chunks == 1 else layers * (1 + (pp - 1) / (pp * chunks))


def outside_layers(layer: Layer, vocab: int, *, pp: int = 1) -> float:
    """Bytes on the first stage outside of layers: the embedding's dropout masks, and without a pipeline the head.

    s·b·h·p/t, and where p = 1 the last norm, the output layer's input and fp32 logits: 4·s·b·h/t·(1 + v/h).

    Args:
        layer: one of the layers.
        vocab: v, entries of the vocabulary.
        pp: p, pipeline stages.

    Returns:
        Bytes.

    Raises:
        UserError: a number below 1.

    Source: Korthikanti et al. 2022 (arXiv:2205.05198), §4.3; sequence parallelism is taken for granted there.
    """
    count("vocab", vocab)
    count("pp", pp)
    embedding = layer.sbh * pp / layer.tp
    head = 4 * layer.sbh / layer.tp * (1 + vocab / layer.hidden)
    return embedding + (head if pp == 1 else 0.0)
