"""Records the Triton kernels that a host function launches, with no GPU: each is compiled for a target, none is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from no_gpu import NoDriver

# what of a launch decides the code, beside the kernel's TTIR; given back to the compiler as far as they are plain
_OPTIONS = (
    "num_warps", "num_stages", "num_ctas", "maxnreg", "enable_fp_fusion", "enable_reflect_ftz", "launch_pdl",
    "launch_cooperative_grid", "ptx_options", "minRegAutoWS", "maxRegAutoWS",
)  # fmt: skip


class _Driver(NoDriver):  # type: ignore[misc]
    """Stands for a GPU of the target's kind, as far as Triton asks before it compiles."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def get_current_target(self) -> Any:
        """The target that kernels are compiled for."""
        return self._target

    def get_current_device(self) -> int:
        """Another device for each target, as Triton keeps what it knows of a kernel by device."""
        return int(self._target.arch)

    def get_current_stream(self, _device: int | None = None) -> int:
        """The default stream."""
        return 0


def parse_target(text: str) -> Any:
    """A GPUTarget from "cuda:90"."""
    from triton.backends.compiler import GPUTarget

    backend, _, arch = text.partition(":")
    return GPUTarget(backend, int(arch), 32)


class _Recorded(Exception):
    def __init__(self, ttir: str, options: Any) -> None:
        super().__init__()
        self.ttir = ttir
        values = {name: getattr(options, name, None) for name in _OPTIONS}
        self.options = {n: v for n, v in values.items() if isinstance(v, (int, str))}


def record(
    target: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[dict[str, Any]]:
    """The kernels that `function(*args, **kwargs)` launches: TTIR and launch options of each, and how often.

    `own` says that the kernel is written in the learner's files, and not taken from a library.
    """
    from triton.compiler.compiler import make_backend
    from triton.runtime import driver
    from triton.runtime.autotuner import Autotuner
    from triton.runtime.jit import JITFunction

    gpu = parse_target(target)
    backend = type(make_backend(gpu))
    original, bench, add_stages = JITFunction.run, Autotuner._bench, backend.add_stages
    before = driver._active
    work = os.environ.get("MLSYS_PATH_WORK", os.getcwd()) + "/"
    kernels: dict[Any, dict[str, Any]] = {}

    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **{**kwargs, "warmup": True})
        except _Recorded as recorded:
            key = (recorded.ttir, *sorted(recorded.options.items()))
            own = self.fn.__code__.co_filename.startswith(work)
            fresh = {"ttir": recorded.ttir, "options": recorded.options, "own": own, "launches": 0}
            kernels.setdefault(key, fresh)["launches"] += 1

    def stop_after_ttir(self: Any, stages: dict[str, Any], options: Any, *rest: Any) -> None:
        add_stages(self, stages, options, *rest)
        make = stages["ttir"]

        def make_and_stop(module: Any, metadata: Any) -> Any:
            raise _Recorded(str(make(module, metadata)), options)

        stages["ttir"] = make_and_stop

    JITFunction.run, Autotuner._bench, backend.add_stages = run, lambda *_a, **_k: 0.0, stop_after_ttir
    driver.set_active(_Driver(gpu))
    try:
        function(*args, **kwargs)
    finally:
        JITFunction.run, Autotuner._bench, backend.add_stages = original, bench, add_stages
        driver._active = before
    return list(kernels.values())
