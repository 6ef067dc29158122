"""Decoding with a KV cache: each token's keys and values are computed once, and read ever after.

`decoder.py` is the model: read it first. Its `forward(tokens, attend)` is full attention with no cache.
"""

import torch


def attend(q, k, v, first):
    """Causal attention of q [T, heads, d], at positions first, first + 1, …, over k and v [L, kv_heads, d].

    Returns [T, heads, d]. Query head h uses k/v head h // (heads // kv_heads).
    """
    raise NotImplementedError("write attend(): scores, mask of what lies in the future, softmax, weighted sum")


class KVCache:
    """Room for the keys and values of `sequences` sequences of up to `capacity` tokens each."""

    def __init__(self, config, sequences, capacity, dtype):
        self.lengths = [0] * sequences  # tokens of each sequence that have passed through all layers
        raise NotImplementedError("write KVCache(): allocate the keys and the values of all layers here, once")

    def append(self, layer, sequence, k, v):
        """Store k and v [T, kv_heads, d] behind what the layer holds; all of its keys and values, [L, kv_heads, d].

        The length stays as it is: every layer stores the same tokens. ValueError when they do not fit.
        """
        raise NotImplementedError("write append(): store k and v behind the sequence's length, return all so far")


def prefill(model, cache, sequence, tokens):
    """Append tokens [T] to one sequence, which may hold some already; the logits of each, [T, vocab]."""
    positions = torch.arange(len(tokens))  # right for an empty sequence
    raise NotImplementedError(f"write prefill(): like Decoder.forward, through the cache, from position {positions[0]} on")


def decode(model, cache, tokens):
    """Append one token to every sequence, tokens[s] to sequence s; the logits of each, [sequences, vocab]."""
    raise NotImplementedError("write decode(): one row for each sequence, each at a position of its own")
