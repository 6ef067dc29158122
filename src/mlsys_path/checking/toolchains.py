"""How each compiled language is built and started, and what of a compiler's or sanitizer's words is for the learner."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlsys_path.checking.show import clean
from mlsys_path.language import _

MAX_LINES = 24
_WARNINGS = ("-Wall", "-Wextra", "-g", "-O1", "-pthread", "-fdiagnostics-color=never", "-I.")


@dataclass(frozen=True)
class Toolchain:
    """A compiler with its default flags, and the command that starts what it builds."""

    compiler: tuple[str, ...]
    defaults: tuple[str, ...]
    runner: tuple[str, ...] = ()
    trailing: tuple[str, ...] = ()

    def build(self, sources: Sequence[str], flags: Sequence[str], output: str) -> list[str]:
        """The command that builds `output`; later flags win over the defaults."""
        return [*self.compiler, *self.defaults, *flags, *sources, "-o", output, *self.trailing]

    def build_apart(
        self, sources: Mapping[str, Sequence[str]], flags: Sequence[str], output: str
    ) -> list[str]:
        """The command that compiles sources side by side, each with more flags of its own, and links them.

        What the compiler says comes in the order of the sources.
        """
        lines, objects = [], []
        for number, (source, own) in enumerate(sources.items()):
            made = f"{output}-{number}"
            objects.append(f"{made}.o")
            argv = [*self.compiler, *self.defaults, *flags, *own, "-c", source, "-o", f"{made}.o"]
            lines.append(f"{shlex.join(argv)} 2>{shlex.quote(made)}.err & p{number}=$!")
        lines.append("code=0")
        lines += [f"wait $p{number} || code=1" for number in range(len(sources))]
        lines += [f"cat {shlex.quote(output)}-{number}.err >&2" for number in range(len(sources))]
        lines.append(f"[ $code = 0 ] && exec {shlex.join(self.build(objects, flags, output))}")
        return ["sh", "-c", "\n".join([*lines, "exit 1"])]

    def preprocess(self, source: str, flags: Sequence[str]) -> list[str]:
        """The command that prints a source after the preprocessor."""
        return [*self.compiler, *self.defaults, *flags, "-E", "-P", source]

    def start(self, program: str, args: Sequence[str], ranks: int | None) -> list[str]:
        """The command that starts a program."""
        if self.runner[:1] == ("mpirun",):
            return [*self.runner, "-np", str(ranks or 1), program, *args]
        return [*self.runner, program, *args]


TOOLCHAINS: dict[str, Toolchain] = {
    "c": Toolchain(("gcc",), ("-std=c17", "-D_GNU_SOURCE", *_WARNINGS), trailing=("-lm",)),
    "cpp": Toolchain(("g++",), ("-std=c++20", *_WARNINGS)),
    "riscv": Toolchain(
        ("riscv64-unknown-elf-gcc",),
        (
            "-march=rv64imac_zicsr", "-mabi=lp64", "-mcmodel=medany", "-ffreestanding", "-nostdlib", "-static",
            "-Wall", "-Wextra", "-g", "-O1", "-fdiagnostics-color=never", "-I.",
        ),
        runner=(
            "qemu-system-riscv64", "-machine", "virt", "-bios", "none", "-m", "64", "-display", "none",
            "-monitor", "none", "-serial", "stdio", "-no-reboot", "-kernel",
        ),
    ),
    "mpi": Toolchain(("mpicc",), ("-std=c17", "-D_GNU_SOURCE", *_WARNINGS), ("mpirun", "--oversubscribe", "--bind-to", "none"), ("-lm",)),
    "cuda": Toolchain(("nvcc",), ("-std=c++17", "-arch=sm_90", "-lineinfo", "-O2", "-I.")),
}  # fmt: skip


def compiler_words(stderr: bytes, mine: Sequence[str]) -> str:
    """The part of a compiler's output that is about the learner's files, in a screenful."""
    lines = clean(stderr.decode("utf-8", "replace")).splitlines()
    keep = [
        i for i, line in enumerate(lines) if any(line.startswith(f"{n}:") or f" {n}:" in line for n in mine)
    ]
    errors = [i for i in keep if "error" in lines[i] or "undefined reference" in lines[i]]
    start = (errors or keep or [0])[0]
    shown = lines[start : start + MAX_LINES]
    if len(lines) > start + MAX_LINES:
        shown.append("…")
    return "\n".join(shown)


_SANITIZERS = re.compile(r"(?:ERROR|WARNING): (Address|Thread)Sanitizer: (.+)")
_UNDEFINED = re.compile(r"^(?:\./)?(\S+?):(\d+):\d+: runtime error: (.+)$", re.MULTILINE)
_FRAME = re.compile(
    r"#\d+ (?:0x[0-9a-f]+ in )?(.+?) (?:\S*/)?([^\s/:]+):(\d+)(?::\d+)?(?: .*)?$", re.MULTILINE
)


def sanitizer_report(stderr: bytes, mine: Sequence[str]) -> str:
    """A sanitizer's report in a few lines: what it found, and the learner's lines that led there; "" for none."""
    text = clean(stderr.decode("utf-8", "replace"))
    if found := _UNDEFINED.search(text):
        file, line, what = found.groups()
        return _("UndefinedBehaviorSanitizer: {what}\n  at {file}:{line}").format(
            what=what, file=file.rpartition("/")[2], line=line
        )
    if not (found := _SANITIZERS.search(text)):
        return ""
    kind = found.group(2).split(" (pid")[0].split(" on address")[0].split(" on unknown")[0]
    frames = [(f, name, n) for f, name, n in _FRAME.findall(text[found.start() :]) if name in mine]
    lines = [f"{found.group(1)}Sanitizer: {kind}"]
    lines += [f"  {name}:{n} in {function}" for function, name, n in dict.fromkeys(frames)][:6]
    return "\n".join(lines)
