"""Records the Triton kernels that a host function launches, with no GPU: each is compiled for a target, none is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Benchmarker:
    """What an autotuner would time with; with one configuration left it is never called."""


class _Driver:
    """Stands for a GPU of the target's kind, as far as Triton asks before it compiles."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def get_current_target(self) -> Any:
        """The target that kernels are compiled for."""
        return self._target

    def get_current_device(self) -> int:
        """The number of the only device."""
        return 0

    def get_current_stream(self, _device: int | None = None) -> int:
        """The default stream."""
        return 0

    def get_active_torch_device(self) -> Any:
        """Where tensors live: there is no GPU, so on the CPU."""
        import torch

        return torch.device("cpu")

    def get_benchmarker(self) -> Any:
        """Nothing is ever timed here."""
        return _Benchmarker()

    def get_device_interface(self) -> Any:
        """torch's interface of the device."""
        import torch

        return torch.cpu


def parse_target(text: str) -> Any:
    """A GPUTarget from "cuda:90"."""
    from triton.backends.compiler import GPUTarget

    backend, _, arch = text.partition(":")
    return GPUTarget(backend, int(arch), 32)


def record(
    target: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[dict[str, Any]]:
    """The kernels that `function(*args, **kwargs)` launches: name, TTIR and launch options of each."""
    from triton.runtime import driver
    from triton.runtime.autotuner import Autotuner
    from triton.runtime.jit import JITFunction

    driver.set_active(_Driver(parse_target(target)))
    kernels: list[dict[str, Any]] = []
    original, bench = JITFunction.run, Autotuner._bench

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        kernel = original(self, *args, **{**kwargs, "warmup": True})
        meta = kernel.metadata
        options = {name: getattr(meta, name) for name in ("num_warps", "num_stages", "num_ctas") if hasattr(meta, name)}
        kernels.append({"name": str(meta.name), "ttir": str(kernel.asm["ttir"]), "options": options})
        return kernel

    JITFunction.run = run
    Autotuner._bench = lambda *_args, **_kwargs: 0.0
    try:
        function(*args, **kwargs)
    finally:
        JITFunction.run, Autotuner._bench = original, bench
    return kernels
