"""`learner.emulate`: CUDA sources as a program of the CPU, run under the emulation's eyes."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlsys_path.checking.bench import harness_files
from mlsys_path.checking.emulation import build, messages
from mlsys_path.checking.emulation.edits import CannotEmulate
from mlsys_path.checking.emulation.places import Places
from mlsys_path.checking.emulation.report import BadReport, Report, read_report
from mlsys_path.checking.emulation.rewrite import kernels_of, rewrite
from mlsys_path.checking.failures import CheckFailed, NotBuilt, Open
from mlsys_path.checking.show import clean
from mlsys_path.language import _

if TYPE_CHECKING:
    from mlsys_path.checking.execution import Completed
    from mlsys_path.checking.native import NativeLearner

EXIT_WITH_ERROR = 87
_EVASION = re.compile(
    r"\bmlsys(?:_\w+|\s*::)|\bnamespace\s+mlsys\b|MLSYS_\w+|__(?:tsan|ubsan|wrap|real)_\w+|no_sanitize\w*"
)


@dataclass(frozen=True)
class Emulated:
    """An emulated run that has ended; `error` is what the emulation found wrong, in words, or ""."""

    stdout: bytes
    stderr: bytes
    returncode: int
    seconds: float
    report: Report = field(repr=False)
    error: str = ""


def emulate(learner: NativeLearner, sources: Sequence[str], flags: Sequence[str]) -> EmulatedProgram:
    """Build sources of `files` and `harness/` against the emulation.

    Raises CheckFailed with the compiler's words when they do not build, or with what cannot be emulated.
    """
    bench = learner._bench
    texts = {
        name: data.decode("utf-8", "replace")
        for name, data in bench.all_files().items()
        if name.endswith(build.SOURCE_SUFFIXES)
    }
    texts = _included(texts, sources)
    harness = harness_files(bench.folder)
    mine = [name for name in texts if name in bench.files and name not in harness]
    for name in mine:
        if found := _EVASION.search(texts[name]):
            raise CheckFailed(_("{source} must not contain `{word}`").format(source=name, word=found[0]))
    kernels = kernels_of(texts)
    rewritten: dict[str, bytes] = {}
    for name, text in texts.items():
        try:
            body = rewrite(text, kernels)
        except CannotEmulate as problem:
            if name not in mine:
                raise
            line = messages.line_text(texts, name, problem.line)
            raise CheckFailed(f"{problem}\n  {name}:{problem.line}: {line}") from None
        # a quotation mark in a name was refused when the exercise was read
        rewritten[f"{build.FOLDER}/source/{name}"] = f'#line 1 "{PurePosixPath(name).name}"\n{body}'.encode()
    try:
        support = build.support_files()
    except build.NoCompiler as problem:
        raise Open(str(problem)) from None
    box = learner._box
    if not bench.builds.get("emulation"):
        box.write(support)
        bench.builds["emulation"] = True
    box.write(rewritten)
    program = f"program{len(bench.builds)}"
    done = learner._invoke(build.command(sources, flags, program), timeout=90)
    if done.returncode != 0:
        words = build.compiler_words(done.stderr, mine, texts)
        raise NotBuilt(_("It does not build:\n{words}").format(words=words))
    places = Places(learner, program, texts, mine)
    return EmulatedProgram(learner, program, messages.Teller(texts, kernels, places))


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)


def _included(texts: Mapping[str, str], sources: Sequence[str]) -> dict[str, str]:
    """Those files that sources consist of: themselves, and what they include."""
    found: dict[str, str] = {}
    waiting = [name for name in sources if name in texts]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = texts[name]
            beside = PurePosixPath(name).parent
            named = _INCLUDE.findall(texts[name])
            waiting += [n for i in named for n in (i, str(beside / i)) if n in texts]
    return {name: texts[name] for name in texts if name in found}


class EmulatedProgram:
    """A built program whose kernels run on the CPU."""

    def __init__(self, learner: NativeLearner, name: str, teller: messages.Teller) -> None:
        self._learner = learner
        self._name = name
        self._teller = teller
        self._runs = 0
        # the order of blocks and warps: the same for all runs of this check, so that a counterexample stays one
        self._seed = secrets.randbits(48)

    def __repr__(self) -> str:
        return self._name

    def run(
        self,
        *args: Any,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
        launch_errors: bool = False,
    ) -> Emulated:
        """Run the program to its end.

        With `check`, whatever the emulation finds wrong, a signal or an exit code other than 0 is a failing verdict.
        A launch that CUDA would refuse is one too, unless `launch_errors` leaves it to the program's own asking.
        """
        from mlsys_path.checking.execution import demand_success, execute

        learner = self._learner
        bench, box = learner._bench, learner._box
        bench.calls.add("run", [*args, *([stdin] if stdin else [])], {})
        self._runs += 1
        report_name = f"{build.FOLDER}/{self._name}-{self._runs}.json"
        left = min(timeout or float("inf"), box.deadline - time.monotonic(), bench.exercise.limits.seconds)
        environment = {
            **(env or {}),
            "MLSYS_REPORT": report_name,
            "MLSYS_SEED": str(self._seed),
            "MLSYS_SECONDS": f"{max(0.2, 0.9 * left - 0.2):.3f}",
            "MLSYS_LAUNCH_ERRORS": "return" if launch_errors else "fail",
        }
        argv = [f"./{self._name}", *(str(a) for a in args)]
        done = execute(box, argv, stdin, environment, timeout, data_limit=False, doing=bench.calls.last)
        bench.output.add(done.stderr)
        bench.calls.returned(done.stdout[:2000])
        report = self._report(done, report_name)
        error = self._teller.tell(report.error) if report.error else ""
        if check:
            if error:
                raise CheckFailed(error)
            demand_success(bench, done)
        return Emulated(done.stdout, done.stderr, done.returncode, done.seconds, report, error)

    def _report(self, done: Completed, name: str) -> Report:
        try:
            return read_report(self._learner._box.read(name), self._teller.places.shown)
        except OSError:
            if done.returncode in (0, EXIT_WITH_ERROR):
                raise CheckFailed(_("The program ended without a report of its kernels")) from None
            return Report()
        except BadReport as problem:
            raise CheckFailed(
                _("The report of the program's kernels cannot be read: {words}").format(
                    words=clean(str(problem), 200)
                )
            ) from None
