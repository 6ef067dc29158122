"""Model states in training: parameters, gradients and optimizer, sharded by ZeRO's stages."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import count, one_of, positive
from mlsys_path.errors import UserError
from mlsys_path.language import _

STAGES = ("0", "1", "2", "3")

# precision -> bytes of a parameter, of a gradient, of the master copy, and of an optimizer's value
PRECISIONS: dict[str, tuple[int, int, int, int]] = {
    "mixed": (2, 2, 4, 4),
    "fp32": (4, 4, 0, 4),
    "bf16": (2, 2, 0, 2),
}
# optimizer -> values that it keeps for a parameter, and their bytes where these are its own
OPTIMIZERS: dict[str, tuple[int, int | None]] = {
    "adam": (2, None),
    "adam8bit": (2, 1),
    "momentum": (1, None),
    "sgd": (0, None),
}


@dataclass(frozen=True, slots=True)
class ModelStates:
    """Bytes on one device."""

    parameters: float
    gradients: float
    optimizer: float  # with the fp32 copy of the parameters

    @property
    def total(self) -> float:
        """All three."""
        return self.parameters + self.gradients + self.optimizer


def bytes_per_parameter(
    optimizer: str = "adam", precision: str = "mixed", gradient_bytes: int | None = None
) -> tuple[int, int, int]:
    """Bytes of a parameter, of its gradient, and of all that the optimizer keeps for it.

    Mixed-precision Adam: 2 + 2 + 12, the last being a copy of the parameter, momentum and variance in fp32.

    Args:
        optimizer: `adam`, `adam8bit` (both moments in 8 bits), `momentum` or `sgd`.
        precision: `mixed` (16 bits and a copy in fp32), `fp32` throughout, or `bf16` throughout.
        gradient_bytes: of a gradient, where it is not that of the precision: 4 where Megatron accumulates in fp32.

    Returns:
        Three numbers of bytes.

    Raises:
        UserError: an unknown name, or a gradient of other than 1, 2 or 4 bytes.

    Source: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), §3.1; Dettmers et al. 2022 (arXiv:2110.02861).
    """
    parameter, gradient, master, value = PRECISIONS[one_of("precision", precision, tuple(PRECISIONS))]
    values, own = OPTIMIZERS[one_of("optimizer", optimizer, tuple(OPTIMIZERS))]
    if gradient_bytes is not None:
        if gradient_bytes not in (1, 2, 4):
            raise UserError(_("gradient_bytes is {value}: it is 1, 2 or 4").format(value=gradient_bytes))
        gradient = gradient_bytes
    return parameter, gradient, master + values * (value if own is None else own)


def model_states(
    params: float,
    *,
    dp: int = 1,
    stage: int = 0,
    optimizer: str = "adam",
    precision: str = "mixed",
    gradient_bytes: int | None = None,
) -> ModelStates:
    """Bytes of the model states on one device.

    With Ψ parameters, K bytes of optimizer and N devices: stage 0 (2 + 2 + K)·Ψ; 1 shards the optimizer,
    4·Ψ + K·Ψ/N; 2 the gradients too, 2·Ψ + (2 + K)·Ψ/N; 3 everything, (4 + K)·Ψ/N.

    Args:
        params: Ψ, those of one model-parallel rank.
        dp: N, the data-parallel degree that shards.
        stage: of ZeRO, 0 to 3; FSDP's full sharding is 3.
        optimizer: as of `bytes_per_parameter`.
        precision: as of `bytes_per_parameter`.
        gradient_bytes: as of `bytes_per_parameter`.

    Returns:
        Bytes; activations, buffers and fragmentation come on top.

    Raises:
        UserError: a number below 1, or an unknown stage, optimizer or precision.

    Source: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), §5 and Figure 1.
    """
    positive("params", params)
    count("dp", dp)
    one_of("zero", str(stage), STAGES)
    parameter, gradient, kept = bytes_per_parameter(optimizer, precision, gradient_bytes)
    return ModelStates(
        parameters=parameter * params / (dp if stage >= 3 else 1),
        gradients=gradient * params / (dp if stage >= 2 else 1),
        optimizer=kept * params / (dp if stage >= 1 else 1),
    )


def gathered(layer_params: float, *, precision: str = "mixed", prefetch: int = 1) -> float:
    """Bytes of whole layers that ZeRO-3 and FSDP hold for a moment: one in use, and those fetched ahead.

    Args:
        layer_params: parameters of the largest unit that is gathered at once.
        precision: as of `bytes_per_parameter`.
        prefetch: units that are fetched ahead.

    Returns:
        Bytes: (1 + prefetch) · layer_params · bytes of a parameter.

    Raises:
        UserError: a number of parameters not above 0, a negative prefetch, an unknown precision.

    Source: Zhao et al. 2023, PyTorch FSDP (arXiv:2304.11277), §3: the peak is the shards and the largest units
    unsharded.
    """
    positive("layer_params", layer_params)
    count("prefetch", prefetch, least=0)
    return (1 + prefetch) * layer_params * bytes_per_parameter(precision=precision)[0]


def traffic(params: float, *, dp: int, stage: int, precision: str = "mixed") -> float:
    """Bytes that a rank sends per step to synchronize: 2·Ψ elements, and 3·Ψ in stage 3, by rings.

    Stages 0 to 2 reduce-scatter gradients and all-gather what was updated; stage 3 gathers parameters for the forward
    and once more for the backward pass, and reduce-scatters gradients. Each pass sends (N - 1)/N of the elements.

    Args:
        params: Ψ.
        dp: N, the data-parallel degree.
        stage: of ZeRO.
        precision: as of `bytes_per_parameter`.

    Returns:
        Bytes for one micro-batch.

    Raises:
        UserError: as of `model_states`.

    Source: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), §7.
    """
    positive("params", params)
    count("dp", dp)
    one_of("zero", str(stage), STAGES)
    passes = 3 if stage == 3 else 2
    return passes * (dp - 1) / dp * params * bytes_per_parameter(precision=precision)[0]
