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


class _Recorded(Exception):
    def __init__(self, ttir: str, options: Any) -> None:
        super().__init__()
        self.ttir = ttir
        self.options = {
            n: getattr(options, n) for n in ("num_warps", "num_stages", "num_ctas") if hasattr(options, n)
        }


def record(
    target: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[dict[str, Any]]:
    """The kernels that `function(*args, **kwargs)` launches: TTIR and launch options of each."""
    from triton.compiler.compiler import make_backend
    from triton.runtime import driver
    from triton.runtime.autotuner import Autotuner
    from triton.runtime.jit import JITFunction

    gpu = parse_target(target)
    driver.set_active(_Driver(gpu))
    backend = type(make_backend(gpu))
    original, bench, add_stages = JITFunction.run, Autotuner._bench, backend.add_stages
    kernels: list[dict[str, Any]] = []

    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **{**kwargs, "warmup": True})
        except _Recorded as recorded:
            kernels.append({"ttir": recorded.ttir, "options": recorded.options})

    def stop_after_ttir(self: Any, stages: dict[str, Any], options: Any, *rest: Any) -> None:
        add_stages(self, stages, options, *rest)
        make = stages["ttir"]

        def make_and_stop(module: Any, metadata: Any) -> Any:
            raise _Recorded(str(make(module, metadata)), options)

        stages["ttir"] = make_and_stop

    JITFunction.run, Autotuner._bench, backend.add_stages = run, lambda *_a, **_k: 0.0, stop_after_ttir
    try:
        function(*args, **kwargs)
    finally:
        JITFunction.run, Autotuner._bench, backend.add_stages = original, bench, add_stages
    return kernels
