"""Builds decoders from weights, runs traces on them, and reports what came back."""

import torch
from decoder import Config, Decoder
from kv_cache import KVCache, decode, prefill

PRODUCTS = ("aten::mm", "aten::bmm", "aten::addmm", "aten::baddbmm")
torch.set_num_threads(1)  # small tensors: a second thread costs more than it brings


def build(sizes, weights, sequences, capacity):
    """A decoder and an empty cache for it."""
    model = Decoder(Config(**sizes), weights)
    return Session(model, KVCache(model.config, sequences, capacity, model.dtype))


class Session:
    """A model and its cache."""

    def __init__(self, model, cache):
        self.model, self.cache = model, cache

    def lengths(self):
        return list(self.cache.lengths)

    def prefill(self, sequence, tokens):
        return prefill(self.model, self.cache, sequence, tokens)

    def decode(self, tokens):
        return decode(self.model, self.cache, tokens)

    def decode_steps(self, rows):
        """The logits of one decode() after the other, [steps, sequences, vocab], for tokens [steps, sequences]."""
        return torch.stack([decode(self.model, self.cache, tokens) for tokens in rows])

    def rewind(self, lengths):
        """Forget what lies behind these lengths."""
        self.cache.lengths = list(lengths)

    def bytes(self):
        """The bytes of memory behind all tensors that the cache holds."""
        storages = {
            t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors_in(self.cache)
        }
        return sum(storages.values())

    def flops(self, tokens):
        """Floating-point operations of the matrix products of one decode(), as torch's profiler counts them."""
        with torch.autograd.profiler.profile(with_flops=True) as profile:
            decode(self.model, self.cache, tokens)
        return sum(event.flops for event in profile.key_averages() if event.key in PRODUCTS)


def tensors_in(value, depth=0):
    """Every tensor in a value, its containers and its attributes."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth < 6:
        inner = value if isinstance(value, (list, tuple, set)) else ()
        inner = (
            value.values() if isinstance(value, dict) else inner or getattr(value, "__dict__", {}).values()
        )
        for item in inner:
            yield from tensors_in(item, depth + 1)
