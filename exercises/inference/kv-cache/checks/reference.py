"""Full attention with no cache, on the checker's side."""

import importlib.util
import math
import sys
from pathlib import Path

import torch


def _load_decoder():
    path = Path(__file__).parents[1] / "harness" / "decoder.py"
    spec = importlib.util.spec_from_file_location("decoder", path)
    module = sys.modules["decoder"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


decoder = _load_decoder()
torch.set_num_threads(1)  # small tensors: a second thread costs more than it brings


def attend(q, k, v, first):
    """One query head and one query after the other: slow, and hard to get wrong."""
    heads, d = q.shape[1:]
    result = torch.empty_like(q)
    for t in range(len(q)):
        for h in range(heads):
            head = h // (heads // k.shape[1])
            seen = first + t + 1
            weights = (k[:seen, head] @ q[t, h] / math.sqrt(d)).softmax(0)
            result[t, h] = weights @ v[:seen, head]
    return result


def attend_at_once(q, k, v, first):
    """The same, quicker."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    hidden = torch.arange(len(k)) > first + torch.arange(len(q))[:, None]
    scores = torch.einsum("thd,lhd->htl", q, k) / math.sqrt(q.shape[2])
    return torch.einsum("htl,lhd->thd", scores.masked_fill(hidden, -math.inf).softmax(-1), v)


class Example:
    """A decoder with random weights, and the tokens that each of its sequences has seen."""

    def __init__(self, sequences, dtype=torch.float64, seed=None, **sizes):
        self.generator = torch.Generator()
        self.generator.manual_seed(int(torch.randint(1 << 62, ())) if seed is None else seed)
        self.sizes = {
            "vocab": 17,
            "width": 16,
            "layers": 2,
            "heads": 4,
            "kv_heads": 2,
            "head_dim": 6,
            "hidden": 20,
        }
        self.sizes.update(sizes)
        config = decoder.Config(**self.sizes)
        self.weights = {
            name: (torch.randn(shape, generator=self.generator, dtype=torch.float64) / shape[0] ** 0.5).to(
                dtype
            )
            for name, shape in config.shapes().items()
        }
        self.weights["embed"] = self.weights["embed"] * self.sizes["vocab"] ** 0.5
        self.model = decoder.Decoder(config, self.weights)
        self.tokens = [torch.empty(0, dtype=torch.int64) for _ in range(sequences)]

    def random_tokens(self, *shape):
        return torch.randint(self.sizes["vocab"], shape, generator=self.generator)

    def extend(self, sequence, tokens):
        """The logits of the tokens behind what the sequence has seen, by full attention over all of it."""
        self.tokens[sequence] = torch.cat([self.tokens[sequence], tokens])
        return self.model.forward(self.tokens[sequence], attend_at_once)[-len(tokens) :]

    def cache_bytes(self, capacity):
        s = self.sizes
        numbers = 2 * s["layers"] * len(self.tokens) * capacity * s["kv_heads"] * s["head_dim"]
        return numbers * self.weights["head"].element_size()

    def decode_flops(self, length):
        """Of the matrix products of one decode() when every sequence holds `length` tokens with the new one."""
        s = self.sizes
        inner = s["heads"] * s["head_dim"]
        layer = (
            s["width"] * (2 * inner + 2 * s["kv_heads"] * s["head_dim"] + 3 * s["hidden"])
            + 2 * inner * length
        )
        return 2 * len(self.tokens) * (s["layers"] * layer + s["width"] * s["vocab"])
