"""What looks at a Triton learner's code while it runs, by level: accesses, unwritten memory, bands, absent GPUs.

`correct`: every access of an interpreted kernel, poisoned memory, bands around what a check sends. `compiles`: words
for what needs a GPU. `gpu`: poisoned memory and bands on the device. `fast`: nothing, as it would be timed.

The learner's code shares this process and can take away what looks at it. Some of that is noticed; the rest shows in
the values that a check compares, which it cannot see.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

# at once, and not when needed: a file of the learner's may have one of these names
import bands
import guarding
import no_gpu
import poisoning
import quickening


class Watch:
    """What is in force in this process."""

    def __init__(self) -> None:
        self.bands: Any = None
        self.guard: Any = None
        self.settle_guard: Any = None  # bound while nobody else has been here
        self.notice = ""  # for the learner, once
        self.launched: list[str] = []  # kernels of the learner's, by name, since they were last asked for

    def sent(self, tensor: Any) -> Any:
        """A tensor that the check sends, as the learner's code gets it."""
        return self.bands.sent(tensor)

    def begin(self) -> None:
        """A new call begins."""
        if self.bands is not None:
            self.bands.forget()
        if self.notice:
            print(self.notice, file=sys.stderr)  # noqa: T201
            self.notice = ""

    def receiving(self, argument: int | str) -> None:
        """The tensors that are sent next are of this argument."""
        if self.bands is not None:
            self.bands.argument = argument

    def worst(self, error: BaseException) -> BaseException:
        """The error to tell of when a call raised one: a stray access that was caught explains what came after."""
        if self.guard is not None and self.guard.stray is not None:
            error, self.guard.stray = self.guard.stray, None
        return error

    def settle(self, operation: str, args: Sequence[Any]) -> None:
        """Raise what went wrong during a call that nobody has raised."""
        if self.settle_guard is not None:
            self.settle_guard()
        if self.bands is not None and (banded := self.bands.look()) is not None:
            own = banded.argument is None
            name = "" if own else parameter(operation, args, banded.argument)
            raise bands.BandDamaged({**self.bands.damage(banded), "argument": name, "own": int(own)})

    def launch(self, kernel: Any) -> None:
        """A kernel, given as the function that it is written as, is being launched."""
        if kernel.__code__.co_filename.startswith(_work()) and kernel.__name__ not in self.launched:
            self.launched.append(kernel.__name__)


_watch: Watch | None = None


def with_inputs(
    function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> tuple[Any, list[Any], dict[str, Any]]:
    """What a call returns, and what its arguments hold afterwards."""
    result = function(*args, **kwargs)
    clone = getattr(result, "clone", None)
    # the answer may be one of the arguments, which must not be sent twice
    return (clone() if clone else result), args, kwargs


def launched() -> list[str]:
    """The learner's own kernels that were launched since this was last asked."""
    watch = _watch or Watch()
    names, watch.launched = watch.launched, []
    return names


def _work() -> str:
    return os.environ.get("MLSYS_PATH_WORK", os.getcwd()) + "/"


def _count_launches(watch: Watch) -> None:
    """On a GPU: launches go through one method."""
    from triton.runtime.jit import JITFunction

    run = JITFunction.run

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        watch.launch(self.fn)
        return run(self, *args, **kwargs)

    JITFunction.run = counted


def start(level: str) -> Watch:
    """Put in force what a level asks for; a warm parent does so for its forks."""
    global _watch  # noqa: PLW0603
    if _watch is None:
        _watch = Watch()
        if level == "correct":
            _interpreted(_watch)
        elif level == "compiles":
            no_gpu.install()
        elif level == "gpu":
            _watch.bands = bands.Bands("cuda")
            poisoning.install(_watch.bands)
            _count_launches(_watch)
    return _watch


def _interpreted(watch: Watch) -> None:
    # before torch.empty is replaced
    watch.bands = bands.Bands("cpu")
    no_gpu.install()
    quickening.install()
    try:
        watch.guard = guarding.install(watch.launch)
        watch.settle_guard = watch.guard.settle
    except (AttributeError, TypeError, ImportError) as error:
        watch.notice = unguarded(error)
    poisoning.install()


def unguarded(why: object) -> str:
    """The line for a version of Triton whose interpreter is not the one that the guard knows."""
    import triton

    return (
        f"mlsys-path: the accesses of kernels are not checked, as the interpreter of Triton {triton.__version__} "
        f"is not as expected ({why}); wrong values are found as ever"
    )


def parameter(operation: str, args: Sequence[Any], index: int | str) -> str:
    """The name of an argument of a call, from its place in the request."""
    if isinstance(index, str):
        return index
    skipped = 1
    try:
        target = args[0]
        if operation == "callattr":
            target, skipped = getattr(target, args[1]), 2
        elif ":" in operation:
            # recording and the like: a target, a function, its arguments in one list
            return ""
        names = list(inspect.signature(target).parameters)
        return names[index - skipped]
    except (AttributeError, TypeError, ValueError, IndexError):
        return f"{index - skipped}"
