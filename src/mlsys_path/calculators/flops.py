"""The arithmetic of training and inference: FLOPs per token, utilization, and how long a run takes."""

from __future__ import annotations

from dataclasses import dataclass

from mlsys_path.calculators.checks import at_least_zero, count, one_of, positive, ratio

RECOMPUTATION = ("none", "selective", "full")
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class TokenFlops:
    """FLOPs for one token."""

    matmul: float  # forward, by parameters
    attention: float  # forward, of queries with keys and of scores with values

    @property
    def forward(self) -> float:
        """Of a forward pass."""
        return self.matmul + self.attention

    @property
    def training(self) -> float:
        """Of a forward pass and a backward pass, which takes twice as much: the model FLOPs."""
        return 3 * self.forward

    def hardware(self, recompute: str) -> float:
        """Training, and what is computed a second time: nothing, the attention itself, or the whole forward pass."""
        again = {"none": 0.0, "selective": self.attention, "full": self.forward}
        return self.training + again[one_of("recompute", recompute, RECOMPUTATION)]


def per_token(
    params: float, *, layers: int = 0, width: float = 0, seq: int = 0, causal: bool = False
) -> TokenFlops:
    """FLOPs per token: forward 2·N + 4·L·s·w, training three times that, 6·N + 12·L·s·w.

    Each parameter multiplies and adds once per token. Attention adds 2·s·w for QKᵀ and 2·s·w for the product with V
    in each layer, w being heads·head_dim; half of it if only what a causal mask leaves is counted.

    Args:
        params: N, those that take part in products (active ones, of a mixture of experts).
        layers: L; 0 leaves the attention term out.
        width: w, the width of all heads together.
        seq: s, the length of the sequence in tokens.
        causal: count half of the scores.

    Returns:
        FLOPs.

    Raises:
        UserError: params not above 0, a negative number elsewhere.

    Source: Kaplan et al. 2020 (arXiv:2001.08361), §2.1; Chowdhery et al. 2022 (arXiv:2204.02311), appendix B, which
    counts the full square of scores as is the default here.
    """
    positive("params", params)
    count("layers", layers, least=0)
    count("seq", seq, least=0)
    at_least_zero("width", width)
    attention = 4.0 * layers * seq * width
    return TokenFlops(2.0 * params, attention / 2 if causal else attention)


def training(params: float, tokens: float) -> float:
    """FLOPs to train N parameters on D tokens, 6·N·D; the attention's own products are left out.

    Args:
        params: N.
        tokens: D.

    Returns:
        FLOPs.

    Raises:
        UserError: a number not above 0.

    Source: Kaplan et al. 2020 (arXiv:2001.08361), §2.1; Brown et al. 2020 (arXiv:2005.14165), appendix D.
    """
    return 6.0 * positive("params", params) * positive("tokens", tokens)


def seconds(flops: float, gpus: int, rate: float) -> float:
    """How long a number of FLOPs takes: flops / (gpus · rate).

    With the hardware FLOPs of full recomputation, 8·N·D, this is 8·T·P / (n·X) of Narayanan et al.

    Args:
        flops: to be done.
        gpus: that share them.
        rate: FLOP/s that each achieves.

    Returns:
        Seconds.

    Raises:
        UserError: a number not above 0.

    Source: Narayanan et al. 2021 (arXiv:2104.04473), eq. 4.
    """
    return positive("flops", flops) / (count("gpus", gpus) * positive("rate", rate))


def achieved_rate(peak: float, utilization: float) -> float:
    """FLOP/s that a device achieves: peak · utilization.

    Args:
        peak: FLOP/s of the device.
        utilization: MFU, between 0 and 1.

    Returns:
        FLOP/s.

    Raises:
        UserError: a peak not above 0, a utilization not between 0 and 1.

    Source: the definition of MFU in Chowdhery et al. 2022 (arXiv:2204.02311), §4.1.
    """
    return positive("peak", peak) * ratio("mfu", utilization)


def utilization(flops_per_token: float, throughput: float, gpus: int, peak: float) -> float:
    """Share of the peak that a measured throughput is: flops per token · tokens/s / (gpus · peak).

    With model FLOPs it is MFU, with hardware FLOPs HFU. More than 1 is not refused: it says that a number is wrong.

    Args:
        flops_per_token: of training, or of a forward pass.
        throughput: tokens/s of all GPUs together.
        gpus: number of GPUs.
        peak: FLOP/s of one.

    Returns:
        A ratio.

    Raises:
        UserError: a number not above 0.

    Source: Chowdhery et al. 2022 (arXiv:2204.02311), §4.1 and appendix B.
    """
    work = positive("flops per token", flops_per_token) * positive("throughput", throughput)
    return work / (count("gpus", gpus) * positive("peak", peak))
