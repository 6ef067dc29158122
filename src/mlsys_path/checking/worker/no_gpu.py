"""What stands for a GPU where there is none: questions that need one get a clear word, and autotuners do not time."""

from __future__ import annotations

from typing import Any


class NoGpu(RuntimeError):
    """The learner's code asked for a GPU at a level that runs without one."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: there is no GPU at this level; ask when a kernel is launched, and of the device of its tensors"
        )
        self.details = {"kind": "no gpu", "what": what}


class NoDriver:
    """Triton's driver of a machine without a GPU: it knows that tensors live on the CPU, and nothing else."""

    def get_active_torch_device(self) -> Any:
        """Where tensors live."""
        import torch

        return torch.device("cpu")

    def get_current_device(self) -> int:
        """The number of the only device."""
        return 0

    def get_benchmarker(self) -> Any:
        """Nothing is ever timed here."""

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise NoGpu("triton.testing.do_bench")

        return refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NoGpu(f"triton.runtime.driver.active.{name}")


def install() -> None:
    """Let this process's Triton and torch say that there is no GPU."""
    import torch
    from triton.runtime import driver
    from triton.runtime.autotuner import Autotuner

    driver.set_active(NoDriver())

    def untimed(*_args: Any, **_kwargs: Any) -> float:
        # all are as quick: the first configuration that the key and the pruning leave is taken
        return 0.0

    Autotuner._bench = untimed

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise NoGpu("torch.cuda")

    torch.cuda._lazy_init = refuse
