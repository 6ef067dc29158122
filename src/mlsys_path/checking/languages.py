"""The table of languages: which learner proxy a check gets, and what its sandbox has imported.

Adding a language touches this file, and `machine.requirements` for what it needs of a machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.sandbox import Profile
from mlsys_path.levels import Level
from mlsys_path.roadmap.model import AdapterName, Exercise

if TYPE_CHECKING:
    from mlsys_path.checking.bench import Bench


def _python(bench: Bench, level: Level) -> Any:
    from mlsys_path.checking.learner import PythonLearner

    return PythonLearner(bench, level)


def _native(bench: Bench, level: Level) -> Any:
    from mlsys_path.checking.native import NativeLearner

    return NativeLearner(bench, level)


# Triton's compiler in a sandbox of its own: it is given IR as text, and never runs learners' code
TRITON_COMPILER = Profile(
    ("triton", "triton.compiler", "compiling"),
    # what ptxas says of a kernel is heard when it runs, and not when the result is found in a cache
    (("MLSYS_PATH_ROLE", "compiler"), ("TRITON_ALWAYS_COMPILE", "1")),
)


@dataclass(frozen=True)
class Adapter:
    """How exercises of one language are run."""

    learner: Callable[[Bench, Level], Any]
    preload: tuple[str, ...] = ()
    gpu_levels: frozenset[Level] = frozenset()
    environment: Callable[[Level], dict[str, str]] = lambda _level: {}
    own_network: bool = False  # talks TCP on the loopback, which only a network of its own may allow
    trusted: Mapping[Level, tuple[Profile, ...]] = field(
        default_factory=dict
    )  # sandboxes without learners' code

    def profile(self, exercise: Exercise, level: Level) -> Profile:
        """The warm parent that checks of a level want."""
        preload = tuple(dict.fromkeys([*self.preload, *exercise.needs.python])) if self.preload else ()
        environment = tuple(sorted(self.environment(level).items()))
        return Profile(preload, environment, gpu=level in self.gpu_levels)

    def profiles(self, exercise: Exercise, level: Level) -> tuple[Profile, ...]:
        """Every warm parent that checks of a level want, the learner's first."""
        own = self.profile(exercise, level)
        return (own, *self.trusted.get(level, ()))


_GPU = frozenset({Level.GPU, Level.FAST})
_NUMPY = ("numpy", "safetensors")


def _triton_environment(level: Level) -> dict[str, str]:
    # the choice between interpreter and compiler is made when triton is imported
    return {"TRITON_INTERPRET": "1"} if level is Level.CORRECT else {}


def _mpi_environment(level: Level) -> dict[str, str]:
    return {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        # TCP, so that the kernel's counters of the loopback see every byte
        "OMPI_MCA_btl": "tcp,self",
        "OMPI_MCA_btl_tcp_if_include": "lo",
        "OMPI_MCA_oob_tcp_if_include": "lo",
        "OMPI_MCA_pml": "ob1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_plm_rsh_agent": "",
        "OMPI_MCA_plm": "isolated",
    }


ADAPTERS: dict[AdapterName, Adapter] = {
    "python": Adapter(_python, _NUMPY),
    "triton": Adapter(
        _python,
        (*_NUMPY, "torch", "triton", "warm_triton"),
        _GPU,
        environment=_triton_environment,
        trusted={Level.COMPILES: (TRITON_COMPILER,)},
    ),
    "opencl": Adapter(_python, (*_NUMPY, "pyopencl")),
    "distributed": Adapter(
        _python,
        (*_NUMPY, "torch", "torch.distributed"),
        environment=lambda _level: {"GLOO_SOCKET_IFNAME": "lo", "TORCH_CPP_LOG_LEVEL": "ERROR"},
        own_network=True,
    ),
    "c": Adapter(_native),
    "cpp": Adapter(_native),
    "riscv": Adapter(_native),
    "mpi": Adapter(_native, environment=_mpi_environment, own_network=True),
    "cuda": Adapter(_native, gpu_levels=_GPU),
}
