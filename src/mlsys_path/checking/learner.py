"""The `learner` fixture of Python-like languages: the learner's modules by proxy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlsys_path.checking import poison
from mlsys_path.checking.bench import Bench
from mlsys_path.checking.failures import CheckFailed, LearnerError, MissingName, Open
from mlsys_path.checking.remote import Link, Remote, Request
from mlsys_path.checking.worker.wire import ProtocolError
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.triton_kernels import CompiledKernel

# what hypothesis and pytest look for on any object
_PROTOCOLS = frozenset(
    {
        "execute_example",
        "setup_example",
        "teardown_example",
        "hypothesis_internal_is_this_a_mock_check",
        "_pytestfixturefunction",
    }
)


@dataclass
class Raised:
    """What `raises` caught."""

    type: str = ""
    message: str = ""


@dataclass(frozen=True)
class PerRank:
    """An argument of `ranks` that differs from rank to rank."""

    values: tuple[Any, ...]


class Module:
    """One module in the learner's process; its functions and classes are looked up once."""

    def __init__(self, learner: PythonLearner, name: str, file: str) -> None:
        self._learner = learner
        self._name = name
        self._file = file
        self._link: Link | None = None
        self._handle: Any = None
        self._found: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in _PROTOCOLS:
            raise AttributeError(name)
        link = self._learner._link()
        if self._link is not link:
            self._handle = link.apply("import", (self._name,), doing=f"import {self._name}")
            self._link, self._found = link, {}
        if name not in self._found:
            try:
                value = link.apply("getattr", (self._handle, name), doing=f"{self._name}.{name}")
            except LearnerError as error:
                if error.kind != "AttributeError":
                    raise
                raise MissingName(
                    _("{file} does not define `{name}`").format(file=self._file, name=name)
                ) from None
            if not isinstance(value, Remote):
                return value
            value._name = name
            self._found[name] = value
        return self._found[name]


class PythonLearner:
    """The learner's code as the checks see it; a worker is started when first needed and after one has died."""

    def __init__(self, bench: Bench, level: Level) -> None:
        self._bench = bench
        self._level = level
        self._running: Link | None = None
        self._loading: Request | None = None
        self._modules: dict[str, Module] = {}
        self._is_triton = bench.exercise.language == "triton"
        first = bench.exercise.files[0]
        self._main = self._module(PurePosixPath(first).stem, first)

    def __repr__(self) -> str:
        return "learner"

    def _module(self, name: str, file: str) -> Module:
        if name not in self._modules:
            self._modules[name] = Module(self, name, file)
        return self._modules[name]

    def _link(self) -> Link:
        if self._running is None or not self._running.alive:
            if self._running is not None:
                self._running.close()
            box = self._bench.box(self._level)
            device = self._device()
            # what looks at the code while it runs depends on the level
            watched = {"MLSYS_PATH_LEVEL": str(self._level)} if self._is_triton else {}
            self._running = Link(box, watched, device, self._bench.calls, data_limit=device is None)
        return self._running

    def _device(self) -> str | None:
        """Where the worker puts tensors: None leaves them where they are."""
        return "cuda" if self._level in (Level.GPU, Level.FAST) and self._bench.on_gpu(self._level) else None

    def _start(self) -> Request:
        """Begin to load the learner's module, while the checks are still being collected."""
        doing = _("the import of {file}").format(file=self._main._file)
        self._loading = self._link().request("import", (self._main._name,), doing=doing)
        return self._loading

    def _load(self) -> None:
        """Load the learner's module: a fixture does so before it draws the seeds of a check."""
        loading = self._loading or self._start()
        self._loading = None
        poison.expect(self._is_triton and self._level in (Level.CORRECT, Level.GPU))
        self._link().answer(loading)
        if self._is_triton:
            # launches of an earlier check are none of this one's
            self._link().apply("watching:launched", ())

    def _finish(self) -> None:
        if self._running is not None:
            self._running.finish()

    def _close(self) -> None:
        if self._running is not None:
            self._running.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._main, name)

    def module(self, name: str) -> Module:
        """Another module of the learner's files."""
        return self._module(name, f"{name.replace('.', '/')}.py")

    def harness(self, name: str) -> Module:
        """A module of the exercise's `harness/`, run beside the learner's code."""
        return self._module(name, f"harness/{name}.py")

    def restart(self) -> None:
        """End the worker: the next use starts a fresh one."""
        self._close()

    @contextlib.contextmanager
    def raises(self, name: str) -> Iterator[Raised]:
        """Demand that the calls inside raise the exception class `name` or a subclass of it."""
        caught = Raised()
        try:
            yield caught
        except LearnerError as error:
            if name not in error.classes:
                raise
            caught.type, caught.message = error.kind, error.message
        else:
            last = self._bench.calls.last
            raise CheckFailed(_("{call} should raise {name}").format(call=last, name=name))

    def per_rank(self, values: Sequence[Any]) -> PerRank:
        """An argument of `ranks` that differs from rank to rank."""
        return PerRank(tuple(values))

    def ranks(self, n: int, module: str, function: str, *args: Any) -> list[Any]:
        """What `function(rank, *args)` of a harness module returned in each of `n` processes, by rank."""
        rows = [[a.values[r] if isinstance(a, PerRank) else a for a in args] for r in range(n)]
        calls = self._bench.calls
        shown = [list(a.values) if isinstance(a, PerRank) else a for a in args]
        calls.add(f"{n} × {function}", shown, {})
        result = self._link().apply("ranks:run", (n, module, function, rows), doing=calls.last)
        if not isinstance(result, list) or len(result) != n:
            raise CheckFailed(_("not every rank returned a result"))
        calls.returned(result)
        return result

    def traffic(self) -> int:
        """Bytes that have crossed the sandbox's loopback so far, counted by the kernel; raises Open without one."""
        return self._bench.traffic(self._level)

    def compile(
        self, function: str, *args: Any, target: str = "cuda:90", kernel: str | None = None, **kwargs: Any
    ) -> list[CompiledKernel]:
        """Compile every Triton kernel of the learner's that `function(*args)` launches, with no GPU.

        `target` is "cuda:80", "cuda:90" or "cuda:100"; one that the installed Triton does not know is open. With
        `kernel` those of this name alone. Fails the check when there is none.
        """
        from mlsys_path.checking.triton_kernels import compile_recorded

        if not self._is_triton:
            raise Open(_("only Triton kernels are compiled this way"))
        if self._level is Level.CORRECT:
            raise ValueError("compile() is for checks of the level compiles: here kernels are interpreted")
        handle = getattr(self._main, function)
        calls = self._bench.calls
        calls.add(function, args, kwargs)
        recorded = self._link().apply("recording:record", (target, handle, args, kwargs), doing=calls.last)
        return compile_recorded(self._bench, recorded, target, function=function, kernel=kernel)

    def keeps_inputs(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """What `function` returns; fails the check when an array or tensor that it was given holds something else after."""
        from mlsys_path.checking.testing import _library, assert_close

        handle = getattr(self._main, function)
        calls = self._bench.calls
        calls.add(function, args, kwargs)
        done = self._link().apply("watching:with_inputs", (handle, list(args), kwargs), doing=calls.last)
        if not isinstance(done, tuple) or len(done) != 3 or len(done[1]) != len(args):
            raise ProtocolError("an answer is malformed")
        result, after, after_named = done
        calls.returned(result)
        pairs = [(str(i), before, now) for i, (before, now) in enumerate(zip(args, after, strict=True))]
        pairs += [(name, before, after_named.get(name)) for name, before in kwargs.items()]
        for name, before, now in pairs:
            if _library(before):
                what = _("argument {name} of `{function}` after the call").format(
                    name=name, function=function
                )
                assert_close(now, before, rtol=0, atol=0, what=what)
        return result

    def demand_launch(self, kernel: str | None = None) -> None:
        """Fail unless a Triton kernel of the learner's, of this name if one is given, was launched in this check, or since
        the last such call in it.

        For checks at the levels `correct` and `gpu`.
        """
        names = self._link().apply("watching:launched", ())
        if not isinstance(names, list):
            names = []
        if kernel is not None and kernel not in names:
            raise CheckFailed(
                _("`{call}` launches no kernel called `{kernel}`").format(
                    call=self._bench.calls.last.partition("(")[0], kernel=kernel
                ),
                got=", ".join(str(n) for n in names[:8]),
                expected=kernel,
            )
        if not names:
            raise CheckFailed(
                _("`{call}` launches no Triton kernel of yours").format(
                    call=self._bench.calls.last.partition("(")[0]
                )
            )
