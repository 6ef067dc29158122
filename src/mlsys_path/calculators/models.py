"""Shapes of published models, each with the place where its figures are printed."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.shape import Shape


@dataclass(frozen=True, slots=True)
class Model:
    """A published model."""

    shape: Shape
    source: str


def _gpt(layers: int, hidden: int, heads: int, vocab: int, positions: int) -> Shape:
    return Shape(layers=layers, hidden=hidden, heads=heads, vocab=vocab, positions=positions)


def _llama(layers: int, hidden: int, heads: int, kv_heads: int, ffn: int, vocab: int) -> Shape:
    return Shape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        ffn=ffn,
        vocab=vocab,
        gated=True,
        biases="none",
        tied=False,
    )


_LLAMA2 = "Touvron et al. 2023, Llama 2 (arXiv:2307.09288); config.json of the release"
_LLAMA3 = "Grattafiori et al. 2024, The Llama 3 Herd of Models (arXiv:2407.21783), Table 3"
_MEGATRON = "Narayanan et al. 2021 (arXiv:2104.04473), Table 1"

MODELS: dict[str, Model] = {
    "gpt2": Model(_gpt(12, 768, 12, 50257, 1024), "Radford et al. 2019, GPT-2; config.json of the release"),
    "gpt2-xl": Model(_gpt(48, 1600, 25, 50257, 1024), "Radford et al. 2019, GPT-2, Table 2"),
    "gpt3-175b": Model(
        _gpt(96, 12288, 96, 50257, 2048), "Brown et al. 2020, GPT-3 (arXiv:2005.14165), Table 2.1"
    ),
    "megatron-22b": Model(
        _gpt(48, 6144, 64, 51200, 2048), "Korthikanti et al. 2022 (arXiv:2205.05198), Table 3"
    ),
    "megatron-530b": Model(_gpt(105, 20480, 128, 51200, 2048), _MEGATRON),
    "megatron-1t": Model(_gpt(128, 25600, 160, 51200, 2048), _MEGATRON),
    "palm-540b": Model(
        Shape(
            layers=118,
            hidden=18432,
            heads=48,
            kv_heads=1,
            head_dim=256,
            vocab=256000,
            gated=True,
            biases="none",
        ),
        "Chowdhery et al. 2022, PaLM (arXiv:2204.02311), Table 1 and §2",
    ),
    "llama2-7b": Model(_llama(32, 4096, 32, 32, 11008, 32000), _LLAMA2),
    "llama2-13b": Model(_llama(40, 5120, 40, 40, 13824, 32000), _LLAMA2),
    "llama2-70b": Model(_llama(80, 8192, 64, 8, 28672, 32000), _LLAMA2),
    "llama3-8b": Model(_llama(32, 4096, 32, 8, 14336, 128256), _LLAMA3),
    "llama3-70b": Model(_llama(80, 8192, 64, 8, 28672, 128256), _LLAMA3),
    "llama3-405b": Model(_llama(126, 16384, 128, 8, 53248, 128256), _LLAMA3),
    "qwen2.5-72b": Model(
        Shape(
            layers=80,
            hidden=8192,
            heads=64,
            kv_heads=8,
            ffn=29568,
            vocab=152064,
            gated=True,
            biases="qkv",
            tied=False,
        ),
        "Qwen Team 2024, Qwen2.5 (arXiv:2412.15115), Table 1; config.json of the release",
    ),
    "mixtral-8x7b": Model(
        Shape(
            layers=32,
            hidden=4096,
            heads=32,
            kv_heads=8,
            ffn=14336,
            vocab=32000,
            gated=True,
            biases="none",
            tied=False,
            experts=8,
            top_k=2,
        ),
        "Jiang et al. 2024, Mixtral of Experts (arXiv:2401.04088), Table 1",
    ),
    "deepseek-v2": Model(
        Shape(
            layers=60,
            hidden=5120,
            heads=128,
            head_dim=128,
            ffn=12288,
            vocab=102400,
            gated=True,
            biases="none",
            tied=False,
            experts=160,
            top_k=6,
            shared_experts=2,
            expert_ffn=1536,
            dense_layers=1,
            q_rank=1536,
            kv_rank=512,
            rope_dim=64,
        ),
        "DeepSeek-AI 2024, DeepSeek-V2 (arXiv:2405.04434), §3.1.2",
    ),
    "deepseek-v3": Model(
        Shape(
            layers=61,
            hidden=7168,
            heads=128,
            head_dim=128,
            ffn=18432,
            vocab=129280,
            gated=True,
            biases="none",
            tied=False,
            experts=256,
            top_k=8,
            shared_experts=1,
            expert_ffn=2048,
            dense_layers=3,
            router_bias=True,
            q_rank=1536,
            kv_rank=512,
            rope_dim=64,
        ),
        "DeepSeek-AI 2024, DeepSeek-V3 (arXiv:2412.19437), §4.2",
    ),
}
