"""The `learner` fixture of compiled languages: builds the learner's sources and runs the programs, in the sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlsys_path.checking.bench import Bench, harness_files
from mlsys_path.checking.box import MAX_ANSWER, Box, Ended
from mlsys_path.checking.failures import CheckFailed, LearnerDied, RunOver
from mlsys_path.checking.show import clean
from mlsys_path.checking.toolchains import TOOLCHAINS, compiler_words, sanitizer_report
from mlsys_path.language import _
from mlsys_path.levels import Level

if TYPE_CHECKING:
    from mlsys_path.checking.emulation.program import EmulatedProgram

Sanitizer = Literal["address", "undefined", "thread"]

BUILD_SECONDS = 60.0
# a learner's `__asan_default_options` cannot weaken what is set here
_SANITIZER_ENV = {
    "ASAN_OPTIONS": "exitcode=86:halt_on_error=1:detect_leaks=0:abort_on_error=0:log_path=stderr:detect_stack_use_after_return=1:verbosity=0:suppressions=",
    "UBSAN_OPTIONS": "exitcode=86:halt_on_error=1:print_stacktrace=1:log_path=stderr:silence_unsigned_overflow=1:suppressions=",
    "TSAN_OPTIONS": "exitcode=86:halt_on_error=1:log_path=stderr:suppressions=:report_bugs=1:report_thread_leaks=0",
}
_EVASION = re.compile(
    rb"no_sanitize|__(?:asan|tsan|ubsan|lsan|sanitizer)_|no_address_safety|disable_sanitizer"
)


@dataclass(frozen=True)
class Completed:
    """A program that has ended; `returncode` is negative for a signal, as in `subprocess`."""

    stdout: bytes
    stderr: bytes
    returncode: int
    seconds: float
    cpu_seconds: float = 0.0
    peak_kb: int = 0


class NativeLearner:
    """The learner's sources as the checks see them."""

    def __init__(self, bench: Bench, level: Level) -> None:
        self._bench = bench
        self._level = level
        self._toolchain = TOOLCHAINS[bench.exercise.language]

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
        """Programs have no channel on which they could say something unasked."""

    def _close(self) -> None:
        """Jobs end with the sandbox."""

    def build(self, *sources: str, flags: Sequence[str] = (), sanitize: Sanitizer | None = None) -> Program:
        """A program from sources of `files` and `harness/`; built once per run for equal arguments.

        Raises CheckFailed with the compiler's words when it does not build.
        """
        key = (self._level, sources, tuple(flags), sanitize)
        if key not in self._bench.builds:
            self._bench.builds[key] = self._compile(sources, tuple(flags), sanitize)
        program: Program = self._bench.builds[key]
        return program

    def _compile(self, sources: Sequence[str], flags: Sequence[str], sanitize: Sanitizer | None) -> Program:
        name = f"program{len(self._bench.builds)}"
        if sanitize:
            self._refuse_evasion(sources, flags)
            # the sanitizer's own report needs frame pointers, and must not be something to recover from
            flags = [*flags, f"-fsanitize={sanitize}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
        argv = self._toolchain.build(sources, flags, name)
        if self._bench.on_gpu(self._level):
            argv = [a.replace("-arch=sm_90", "-arch=native") for a in argv]  # for the card that is here
        done = self._invoke(argv, timeout=BUILD_SECONDS)
        if done.returncode != 0:
            mine = [n for n in self._bench.files if n not in harness_files(self._bench.folder)]
            raise CheckFailed(
                _("It does not build:\n{words}").format(words=compiler_words(done.stderr, mine))
            )
        return Program(self, name, sanitize)

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

    def tool(self, name: str, *args: Any) -> Completed:
        """A binary-inspection tool over built programs: `learner.tool("objdump", "-d", program)`."""
        argv = [name, *(a._name if isinstance(a, Program) else str(a) for a in args)]
        return self._invoke(argv, timeout=BUILD_SECONDS)

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


class Session:
    """A running program that answers what it is sent; the clock is the checker's."""

    def __init__(
        self, box: Box, argv: Sequence[str], env: Mapping[str, str], data_limit: bool, bench: Bench
    ) -> None:
        self._box = box
        self._bench = bench
        stdin_read, self._stdin = os.pipe()
        self._stdout, stdout_write = os.pipe()
        self._stderr, stderr_write = os.pipe()
        for fd in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(fd, False)
        try:
            self._job = box.execute(
                argv, (stdin_read, stdout_write, stderr_write), env, data_limit=data_limit
            )
        finally:
            for fd in (stdin_read, stdout_write, stderr_write):
                os.close(fd)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program."""
        for fd in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._box.kill(self._job)

    def ask(self, data: bytes, *, read: int | None = None) -> tuple[bytes, float]:
        """Send bytes; the answer, one line or `read` bytes, and the seconds until all of it was here."""
        calls = self._bench.calls
        calls.add("ask", [data], {})
        if select.select([self._stdout], [], [], 0)[0] and os.read(self._stdout, 1):
            raise CheckFailed(_("The program answered before it was asked"))
        answer = bytearray()
        pending = memoryview(data)
        began = time.perf_counter()
        while (len(answer) < read) if read is not None else (not answer.endswith(b"\n")):
            remaining = self._box.deadline - time.monotonic()
            if remaining <= 0:
                self._box.kill(self._job)
                raise self._box.over(calls.last)
            writing = [self._stdin] if pending else []
            readable, writable, _x = select.select([self._stdout, self._stderr], writing, [], remaining)
            if writable:
                with contextlib.suppress(BrokenPipeError, BlockingIOError):
                    pending = pending[os.write(self._stdin, pending[: 1 << 16]) :]
            if self._stderr in readable and (text := os.read(self._stderr, 1 << 16)):
                self._bench.output.add(text)
            if self._stdout in readable:
                part = os.read(self._stdout, 1 << 20)
                if not part:
                    raise self._box.died(self._job, calls.last)
                answer += part
                if len(answer) > MAX_ANSWER:
                    raise CheckFailed(_("The program printed more than {mb} MB").format(mb=MAX_ANSWER >> 20))
        seconds = time.perf_counter() - began
        calls.returned(bytes(answer[:2000]))
        return bytes(answer), seconds


def demand_success(bench: Bench, done: Completed) -> None:
    """Raise for a program that a signal has ended, or that ended with an exit code other than 0."""
    if done.returncode < 0 or done.returncode >= 128:
        # a shell, mpirun and qemu report a child's signal as 128 + its number
        number = done.returncode if done.returncode < 0 else 128 - done.returncode
        raise LearnerDied.of(number, "", bench.calls.last, bench.exercise.limits)
    if done.returncode != 0:
        words = clean(done.stderr.decode("utf-8", "replace").strip()[-600:])
        message = _("The program ended with exit code {code}").format(code=done.returncode)
        raise CheckFailed(f"{message}\n{words}" if words else message)


def execute(
    box: Box,
    argv: Sequence[str],
    stdin: bytes,
    env: Mapping[str, str],
    timeout: float | None,
    *,
    data_limit: bool,
    doing: str = "",
) -> Completed:
    """Run a program in a sandbox to its end; raises RunOver, LearnerDied at a limit, CheckFailed past `timeout`."""
    stdin_read, stdin_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    began = time.perf_counter()
    try:
        job = box.execute(argv, (stdin_read, out_write, err_write), env, data_limit=data_limit)
    finally:
        for fd in (stdin_read, out_write, err_write):
            os.close(fd)
    until = min(box.deadline, time.monotonic() + timeout if timeout else box.deadline)
    streams = {out_read: bytearray(), err_read: bytearray()}
    try:
        ended = _transfer(box, job, stdin_write, stdin, streams, until)
    finally:
        for fd in (stdin_write, out_read, err_read):
            with contextlib.suppress(OSError):
                os.close(fd)
    seconds = time.perf_counter() - began
    if ended is None:
        box.kill(job)
        if time.monotonic() >= box.deadline:
            raise box.over(doing)
        limit = _("The program was not done within {seconds:g} s").format(seconds=timeout)
        raise CheckFailed(f"{limit}: {doing}" if doing else limit)
    if ended.reason:
        raise LearnerDied.of(ended.status, ended.reason, doing, box.limits)
    return Completed(
        bytes(streams[out_read]), bytes(streams[err_read]), ended.status, seconds, ended.cpu, ended.peak_kb
    )


def _transfer(
    box: Box, job: int, stdin_fd: int, stdin: bytes, streams: dict[int, bytearray], until: float
) -> Ended | None:
    """Feed stdin and collect both outputs until the program has ended; None when time ran out."""
    pending = memoryview(stdin)
    stdin_open = True
    for fd in (stdin_fd, *streams):
        os.set_blocking(fd, False)
    reading = set(streams)
    while True:
        if stdin_open and not pending:
            os.close(stdin_fd)
            stdin_open = False
        ended = box.ended(job)
        remaining = until - time.monotonic()
        if remaining <= 0 and ended is None:
            return None
        # once it has ended, take what is there: a descendant may hold the pipes open for ever
        watched: list[Any] = [*reading, box.control]
        ready, writable, _x = select.select(
            watched, [stdin_fd] if stdin_open else [], [], 0 if ended else min(remaining, 3600)
        )
        if writable:
            try:
                pending = pending[os.write(stdin_fd, pending[: 1 << 16]) :]
            except BrokenPipeError:
                pending = memoryview(b"")
        for fd in reading & set(ready):
            part = os.read(fd, 1 << 18)
            if not part:
                reading.discard(fd)
            streams[fd] += part
            if len(streams[fd]) > MAX_ANSWER:
                box.kill(job)
                raise CheckFailed(_("The program printed more than {mb} MB").format(mb=MAX_ANSWER >> 20))
        if ended and not (reading & set(ready)):
            return ended


__all__ = ["Completed", "NativeLearner", "Program", "RunOver", "Session", "execute"]
