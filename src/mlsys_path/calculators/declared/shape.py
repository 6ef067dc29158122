"""Options that describe a model; several calculators take some of them."""

from __future__ import annotations

from dataclasses import replace

from mlsys_path.calculators.inputs import Input, Values
from mlsys_path.calculators.models import MODELS
from mlsys_path.calculators.shape import BIASES, Shape
from mlsys_path.language import N_

MODEL = Input(
    name="model",
    kind="choice",
    choices=tuple(MODELS),
    help=N_("a published model's shape; other options override it"),
)

_SHAPE = (
    Input(name="layers", shape="layers", help=N_("transformer layers")),
    Input(name="hidden", shape="hidden", help=N_("width of the hidden state")),
    Input(name="heads", shape="heads", help=N_("attention heads")),
    Input(
        name="kv-heads", shape="kv_heads", help=N_("heads of keys and values; without it as many as heads")
    ),
    Input(name="head-dim", shape="head_dim", help=N_("width of a head; without it hidden / heads")),
    Input(name="ffn", shape="ffn", help=N_("inner width of the MLP; without it 4 × hidden")),
    Input(name="vocab", shape="vocab", least=0, help=N_("entries of the vocabulary")),
    Input(name="positions", shape="positions", least=0, help=N_("learned positions; without it none")),
    Input(name="gated", kind="flag", shape="gated", help=N_("an MLP of three matrices (SwiGLU)")),
    Input(
        name="tied", kind="flag", shape="tied", default=True, help=N_("the output layer shares the embedding")
    ),
    Input(
        name="biases",
        kind="choice",
        choices=BIASES,
        shape="biases",
        default="all",
        help=N_("all also means LayerNorm; otherwise norms have a weight alone"),
    ),
    Input(name="experts", shape="experts", least=0, help=N_("experts of each MoE layer; without it no MoE")),
    Input(name="top-k", shape="top_k", default=1, help=N_("experts that a token is sent to")),
    Input(name="shared-experts", shape="shared_experts", least=0, help=N_("experts that every token meets")),
    Input(
        name="expert-ffn", shape="expert_ffn", help=N_("inner width of an expert; without it that of the MLP")
    ),
    Input(name="dense-layers", shape="dense_layers", least=0, help=N_("first layers that have no experts")),
    Input(
        name="router-bias", kind="flag", shape="router_bias", help=N_("a bias for each expert in the router")
    ),
    Input(name="q-rank", shape="q_rank", least=0, help=N_("rank of the queries in latent attention (MLA)")),
    Input(
        name="kv-rank",
        shape="kv_rank",
        least=0,
        help=N_("width of the latent vector of MLA; without it no MLA"),
    ),
    Input(name="rope-dim", shape="rope_dim", least=0, help=N_("rotary width of a head in MLA")),
)
_BY_NAME = {each.name: each for each in _SHAPE}
ALL = tuple(_BY_NAME)


def pick(*names: str, required: tuple[str, ...] = ()) -> tuple[Input, ...]:
    """The options of these names, after --model."""
    return (MODEL, *(replace(_BY_NAME[name], required=name in required) for name in names))


def shape_of(values: Values) -> Shape:
    """The shape that the options describe; raises UserError if it is none."""
    fields = {_BY_NAME[name].shape: values.found[name] for name in ALL if values.has(name)}
    return Shape(**fields)  # type: ignore[arg-type]


def preset_of(values: Values) -> Shape | None:
    """The shape of --model with what overrides it, or None where there is no --model."""
    if not values.has("model"):
        return None
    changed = {_BY_NAME[name].shape: values.found[name] for name in ALL if values.has(name)}
    return replace(MODELS[values.word("model")].shape, **changed)  # type: ignore[arg-type]


def sources(values: Values) -> tuple[str, ...]:
    """Where the figures of --model are printed; empty without one."""
    return (MODELS[values.word("model")].source,) if values.has("model") else ()
