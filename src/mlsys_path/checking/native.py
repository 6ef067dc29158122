"""The `learner` fixture of compiled languages: builds the learner's sources and runs the programs, in the sandbox."""

from __future__ import annotations

import re
import sysconfig
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mlsys_path.checking.bench import Bench, harness_files
from mlsys_path.checking.box import Box
from mlsys_path.checking.execution import Completed, Session, demand_success, execute
from mlsys_path.checking.failures import CheckFailed, NotBuilt, Open
from mlsys_path.checking.precompiled import CannotPrecompile, precompile
from mlsys_path.checking.toolchains import TOOLCHAINS, compiler_words, sanitizer_report
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.emulation.program import EmulatedProgram
    from mlsys_path.checking.learner import Module, PythonLearner

Sanitizer = Literal["address", "undefined", "thread"]

BUILD_SECONDS = 120.0
# a learner's `__asan_default_options` cannot weaken what is set here
_SANITIZER_ENV = {
    "ASAN_OPTIONS": "exitcode=86:halt_on_error=1:detect_leaks=0:abort_on_error=0:log_path=stderr:detect_stack_use_after_return=1:verbosity=0:suppressions=",
    "UBSAN_OPTIONS": "exitcode=86:halt_on_error=1:print_stacktrace=1:log_path=stderr:silence_unsigned_overflow=1:suppressions=",
    "TSAN_OPTIONS": "exitcode=86:halt_on_error=1:log_path=stderr:suppressions=:report_bugs=1:report_thread_leaks=0",
}
_EVASION = re.compile(
    rb"no_sanitize|__(?:asan|tsan|ubsan|lsan|sanitizer)_|no_address_safety|disable_sanitizer"
)


class NativeLearner:
    """The learner's sources as the checks see them."""

    def __init__(self, bench: Bench, level: Level) -> None:
        self._bench = bench
        self._level = level
        self._toolchain = TOOLCHAINS[bench.exercise.language]
        self._python: PythonLearner | None = None

    def __repr__(self) -> str:
        return "learner"

    @property
    def _box(self) -> Box:
        return self._bench.box(self._level)

    def _start(self) -> None:
        """Have the files written, while the checks are still being collected."""
        self._bench.box(self._level)

    _load = _start

    def _finish(self) -> None:
        """Programs have no channel on which they could say something unasked; a Python process has."""
        if self._python is not None:
            self._python._finish()

    def _close(self) -> None:
        """Jobs end with the sandbox."""
        if self._python is not None:
            self._python._close()

    def build(
        self,
        *sources: str,
        flags: Sequence[str] = (),
        sanitize: Sanitizer | None = None,
        precompiled: Sequence[str] = (),
    ) -> Program:
        """A program from sources of `files` and `harness/`; built once per run for equal arguments.

        `precompiled` names headers of installed libraries that the learner's sources include first, from a cache of
        their parsed form.
        Raises CheckFailed with the compiler's words when it does not build.
        """
        key = (self._level, sources, tuple(flags), sanitize, tuple(precompiled))
        if key not in self._bench.builds:
            name = f"program{len(self._bench.builds)}"
            self._compile(sources, tuple(flags), sanitize, tuple(precompiled), name)
            self._bench.builds[key] = Program(self, name, sanitize)
        program: Program = self._bench.builds[key]
        return program

    def library(
        self, name: str, *sources: str, flags: Sequence[str] = (), precompiled: Sequence[str] = ()
    ) -> str:
        """A shared library NAME.so from sources, in the folder that programs are started from: its file's name.

        Built as `build` does, and once per run, as a failure stays one.
        """
        key = (self._level, "library", name)
        file = f"{name}.so"
        if key not in self._bench.builds:
            try:
                self._compile(sources, ("-fPIC", "-shared", *flags), None, tuple(precompiled), file)
                self._bench.builds[key] = file
            except CheckFailed as failure:
                self._bench.builds[key] = failure
        built: str | CheckFailed = self._bench.builds[key]
        if isinstance(built, CheckFailed):
            raise built
        return built

    def extension(
        self, name: str, *sources: str, flags: Sequence[str] = (), precompiled: Sequence[str] = ()
    ) -> Module:
        """A Python extension module from sources, by proxy, as Python-like languages have their modules."""
        headers = sysconfig.get_paths()["include"]
        self.library(name, *sources, flags=["-isystem", headers, *flags], precompiled=precompiled)
        return self.python._module(name, sources[0])

    @property
    def python(self) -> PythonLearner:
        """A Python process in the sandbox, for `harness`, `raises` and `restart` beside an extension module."""
        from mlsys_path.checking.learner import PythonLearner

        if self._python is None:
            self._python = PythonLearner(self._bench, self._level)
        return self._python

    def _precompiled(self, flags: Sequence[str], headers: Sequence[str]) -> list[str]:
        """The flags that use precompiled headers, which are made in time that is not the learner's."""
        began = time.monotonic()
        try:
            name = precompile(self._toolchain.compiler, [*self._toolchain.defaults, *flags], headers)
        except CannotPrecompile as problem:
            raise Open(_("the headers cannot be compiled here: {words}").format(words=problem)) from None
        finally:
            self._bench.extend(time.monotonic() - began)
        return ["-include", f"{self._box.sandbox.precompiled}/{name}"]

    def _compile(
        self,
        sources: Sequence[str],
        flags: Sequence[str],
        sanitize: Sanitizer | None,
        precompiled: Sequence[str],
        name: str,
    ) -> None:
        if sanitize:
            self._refuse_evasion(sources, flags)
            # the sanitizer's own report needs frame pointers, and must not be something to recover from
            flags = [*flags, f"-fsanitize={sanitize}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
        if precompiled:
            # a source of the harness would pay for what is in them, and has no use for it
            use = self._precompiled(flags, precompiled)
            own = {s: use if s in self._bench.exercise.files else [] for s in sources}
            argv = self._toolchain.build_apart(own, flags, name)
        else:
            argv = self._toolchain.build(sources, flags, name)
        if self._bench.on_gpu(self._level):
            # for the card that is here; what a check asks for by name stays
            argv = ["-arch=native" if a == "-arch=sm_90" else a for a in argv]
        done = self._invoke(argv, timeout=BUILD_SECONDS)
        if done.returncode != 0:
            mine = [n for n in self._bench.files if n not in harness_files(self._bench.folder)]
            raise NotBuilt(_("It does not build:\n{words}").format(words=compiler_words(done.stderr, mine)))

    def _refuse_evasion(self, sources: Sequence[str], flags: Sequence[str]) -> None:
        mine = [s for s in sources if s in self._bench.exercise.files]
        for source in mine:
            done = self._invoke(self._toolchain.preprocess(source, flags), timeout=BUILD_SECONDS)
            if found := _EVASION.search(done.stdout):
                raise CheckFailed(
                    _("{source} must not switch a sanitizer off ({word})").format(
                        source=source, word=found[0].decode()
                    )
                )

    def _invoke(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        return execute(self._box, argv, stdin, {}, timeout, data_limit=False)

    def emulate(self, *sources: str, flags: Sequence[str] = ()) -> EmulatedProgram:
        """A CUDA program from sources of `files` and `harness/` that runs on the CPU, under the emulation's eyes.

        Built once per run for equal arguments. Raises CheckFailed when it does not build or cannot be emulated.
        """
        from mlsys_path.checking.emulation.program import emulate

        key = (self._level, "emulate", sources, tuple(flags))
        if key not in self._bench.builds:
            try:
                self._bench.builds[key] = emulate(self, sources, flags)
            except CheckFailed as failure:
                self._bench.builds[key] = failure  # nor does it build for the next check
        program: EmulatedProgram | CheckFailed = self._bench.builds[key]
        if isinstance(program, CheckFailed):
            raise program
        return program

    def tool(self, name: str, *args: Any, stdin: bytes = b"") -> Completed:
        """A tool of the system over what was built: `learner.tool("objdump", "-d", program)`."""
        argv = [name, *(a._name if isinstance(a, Program) else str(a) for a in args)]
        return self._invoke(argv, timeout=BUILD_SECONDS, stdin=stdin)

    def traffic(self) -> int:
        """Bytes that have crossed the sandbox's loopback so far, counted by the kernel; raises Open without one."""
        return self._bench.traffic(self._level)

    def compile(self, source: str, *, target: str = "sm_90") -> Any:
        """The kernels of a CUDA source as the real compiler builds them for a target, with no GPU."""
        from mlsys_path.checking.cuda_kernels import compile_source

        return compile_source(self._invoke, self._box, source, target, self._bench.files)


class Program:
    """A built program in the sandbox."""

    def __init__(self, learner: NativeLearner, name: str, sanitize: Sanitizer | None) -> None:
        self._learner = learner
        self._name = name
        self._sanitize = sanitize

    def __repr__(self) -> str:
        return self._name

    def _argv(self, args: Sequence[Any], ranks: int | None) -> list[str]:
        argv = self._learner._toolchain.start(f"./{self._name}", [str(a) for a in args], ranks)
        # ThreadSanitizer's shadow wants the classic address-space layout
        return ["setarch", "-R", *argv] if self._sanitize == "thread" else argv

    def _data_limit(self) -> bool:
        # shadow memory, a GPU's mappings and an emulator's buffers are far larger than what is used of them
        bench = self._learner._bench
        return (
            self._sanitize is None
            and bench.exercise.language != "riscv"
            and not bench.on_gpu(self._learner._level)
        )

    def run(
        self,
        *args: Any,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
        ranks: int | None = None,
    ) -> Completed:
        """Run the program to its end.

        With `check`, a sanitizer's report, a signal or an exit code other than 0 is a failing verdict, as is a run of
        more than `timeout` seconds (with or without `check`).
        """
        learner = self._learner
        calls = learner._bench.calls
        calls.add("run", [*args, *([stdin] if stdin else [])], {})
        environment = {**_SANITIZER_ENV, **(env or {})} if self._sanitize else dict(env or {})
        done = execute(
            learner._box,
            self._argv(args, ranks),
            stdin,
            environment,
            timeout,
            data_limit=self._data_limit(),
            doing=calls.last,
        )
        # a sanitizer's report is told in the message, and its pages of shadow bytes to nobody
        learner._bench.output.add(re.split(rb"={20,}\n", done.stderr)[0] if self._sanitize else done.stderr)
        calls.returned(done.stdout[:2000])
        if check:
            self._demand_success(done)
        return done

    def _demand_success(self, done: Completed) -> None:
        bench = self._learner._bench
        if self._sanitize and (report := sanitizer_report(done.stderr, bench.exercise.files)):
            raise CheckFailed(report)
        demand_success(bench, done)

    def start(self, *args: Any, env: Mapping[str, str] | None = None, ranks: int | None = None) -> Session:
        """Start the program and leave it running, to be asked and timed."""
        environment = {**_SANITIZER_ENV, **(env or {})} if self._sanitize else dict(env or {})
        learner = self._learner
        return Session(learner._box, self._argv(args, ranks), environment, self._data_limit(), learner._bench)
