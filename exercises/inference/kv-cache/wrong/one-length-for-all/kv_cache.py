"""Decoding with a KV cache: each token's keys and values are computed once, and read ever after."""

import math

import torch


def attend(q, k, v, first):
    """Causal attention of q [T, heads, d], at positions first, first + 1, …, over k and v [L, kv_heads, d].

    Returns [T, heads, d]. Query head h uses k/v head h // (heads // kv_heads).
    """
    (t, heads, d), (length, kv_heads, _) = q.shape, k.shape
    q = q.view(t, kv_heads, heads // kv_heads, d)  # neighbouring query heads share a k/v head
    scores = torch.einsum("tkgd,lkd->kgtl", q, k) / math.sqrt(d)
    future = torch.arange(length) > first + torch.arange(t)[:, None]  # [T, L]: keys that come after the query
    weights = scores.masked_fill(future, -math.inf).softmax(-1)
    return torch.einsum("kgtl,lkd->tkgd", weights, v).reshape(t, heads, d)


class KVCache:
    """Room for the keys and values of `sequences` sequences of up to `capacity` tokens each."""

    def __init__(self, config, sequences, capacity, dtype):
        shape = (config.layers, sequences, capacity, config.kv_heads, config.head_dim)
        self.keys, self.values = torch.empty(shape, dtype=dtype), torch.empty(shape, dtype=dtype)
        self.lengths = [0] * sequences  # tokens of each sequence that have passed through all layers

    def append(self, layer, sequence, k, v):
        """Store k and v [T, kv_heads, d] behind what the layer holds; all of its keys and values, [L, kv_heads, d].

        The length stays as it is: every layer stores the same tokens. ValueError when they do not fit.
        """
        start = self.lengths[sequence]
        end = start + len(k)
        if end > self.keys.shape[2]:
            raise ValueError(f"sequence {sequence} holds {start} tokens: there is no room for {len(k)} more")
        self.keys[layer, sequence, start:end] = k
        self.values[layer, sequence, start:end] = v
        return self.keys[layer, sequence, :end], self.values[layer, sequence, :end]


def prefill(model, cache, sequence, tokens):
    """Append tokens [T] to one sequence, which may hold some already; the logits of each, [T, vocab]."""
    first = cache.lengths[sequence]
    positions = torch.arange(first, first + len(tokens))
    x = model.embed(tokens)
    for n, layer in enumerate(model.layers):
        q, k, v = layer.qkv(x, positions)
        x = layer.finish(x, attend(q, *cache.append(n, sequence, k, v), first))
    cache.lengths[sequence] += len(tokens)
    return model.logits(x)


def decode(model, cache, tokens):
    """Append one token to every sequence, tokens[s] to sequence s; the logits of each, [sequences, vocab]."""
    positions = torch.full_like(tokens, max(cache.lengths))
    x = model.embed(tokens)  # [sequences, width]: the weights are read once for all of them
    for n, layer in enumerate(model.layers):
        q, k, v = layer.qkv(x, positions)
        rows = [
            attend(q[s : s + 1], *cache.append(n, s, k[s : s + 1], v[s : s + 1]), length)
            for s, length in enumerate(cache.lengths)
        ]
        x = layer.finish(x, torch.cat(rows))
    cache.lengths = [length + 1 for length in cache.lengths]
    return model.logits(x)
