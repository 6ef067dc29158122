"""Compiles rewritten sources against the emulation, in the sandbox; the runtime itself once a machine, outside."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mlsys_path import locations
from mlsys_path.checking.show import clean
from mlsys_path.language import _

HERE = Path(__file__).resolve().parent
FOLDER = ".emulation"  # in the sandbox's work folder
SOURCE_SUFFIXES = (".cu", ".cuh", ".h", ".hpp", ".cpp", ".cc", ".inl")

# -O1, as nvcc too keeps in registers what it may; no splitting of structures, so that a float4 stays one access;
# the instrumentation of accesses without any sanitizer's library: the runtime has definitions of its own
FLAGS = (
    "-std=c++17", "-O1", "-g1", "-w", "-pthread", "-fno-tree-sra", "-fno-ipa-sra", "-fstack-clash-protection", "-fsanitize=thread", "-fsanitize=bounds",
    "--param", "tsan-distinguish-volatile=1", "-fdiagnostics-color=never", "-fno-diagnostics-show-caret",
    f"-I{FOLDER}/include", f"-I{FOLDER}/source", "-include", "cuda_runtime.h", "-x", "c++",
)  # fmt: skip
_WRAPPED = ("memcpy", "memmove", "memset", "_exit", "_Exit", "__assert_fail")
LINK = ("-no-pie", "-pthread", *(f"-Wl,--wrap={name}" for name in _WRAPPED))
_RUNTIME_FLAGS = ("-std=c++17", "-O2", "-fno-pie", "-pthread")
MAX_LINES = 24


class NoCompiler(Exception):
    """The runtime cannot be built here; the message says why."""


@cache
def support_files() -> dict[str, bytes]:
    """What the sandbox needs beside the sources, by name in the work folder: the headers and the built runtime."""
    headers = {
        f"{FOLDER}/include/{path.relative_to(HERE / 'cuda').as_posix()}": path.read_bytes()
        for path in sorted((HERE / "cuda").rglob("*"))
        if path.is_file()
    }
    return {**headers, f"{FOLDER}/runtime.o": runtime_object()}


def runtime_object() -> bytes:
    """The compiled runtime, from the cache when it is there.

    Raises NoCompiler.
    """
    folder = locations.cache_dir() / "emulation"
    kept = folder / f"{_key()}.o"
    if kept.is_file():
        return kept.read_bytes()
    with tempfile.TemporaryDirectory(prefix="mlsys-path-") as scratch:
        built = Path(scratch) / "runtime.o"
        _compile_runtime(built)
        data = built.read_bytes()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{_key()}.{os.getpid()}"
            partial.write_bytes(data)
            partial.replace(kept)
        except OSError:
            pass  # built anew the next time
    return data


def _compile_runtime(built: Path) -> None:
    source = HERE / "runtime" / "all.cpp"
    # its own copies of memory are not accesses of the program
    rename = [f"--redefine-sym={name}=__real_{name}" for name in ("memcpy", "memmove", "memset")]
    # older compilers lack some of the flags that sources are compiled with
    probe = [*(f for f in FLAGS if not f.startswith("-I")), f"-I{HERE / 'cuda'}", "-fsyntax-only", os.devnull]
    for command in (
        ["g++", *probe],
        ["g++", *_RUNTIME_FLAGS, "-c", str(source), "-o", str(built)],
        ["objcopy", *rename, str(built)],
    ):
        if shutil.which(command[0]) is None:
            raise NoCompiler(_("{tool} is not there").format(tool=command[0]))
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        if done.returncode != 0:
            words = done.stderr.decode("utf-8", "replace").strip()
            raise NoCompiler(
                _("the CUDA emulation needs g++ 11 or newer: {words}").format(words=words[-600:])
            )


@cache
def _key() -> str:
    digest = hashlib.sha256(" ".join(_RUNTIME_FLAGS).encode())
    if compiler := shutil.which("g++"):
        version = subprocess.run([compiler, "-v"], capture_output=True, timeout=60, check=False)
        digest.update(version.stderr)
    for part in ("cuda", "runtime"):
        for path in sorted((HERE / part).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def command(sources: Sequence[str], flags: Sequence[str], program: str) -> list[str]:
    """The command that compiles sources side by side and links them; errors come in the order of the sources."""
    lines = []
    objects = []
    for number, source in enumerate(sources):
        made = f"{FOLDER}/{program}-{number}"
        objects.append(f"{made}.o")
        argv = ["g++", *FLAGS, *flags, "-c", f"{FOLDER}/source/{source}", "-o", f"{made}.o"]
        lines.append(f"{shlex.join(argv)} 2>{made}.err & p{number}=$!")
    lines.append("code=0")
    lines += [f"wait $p{number} || code=1" for number in range(len(sources))]
    lines += [f"cat {FOLDER}/{program}-{number}.err >&2" for number in range(len(sources))]
    link = ["g++", *LINK, f"{FOLDER}/runtime.o", *objects, "-o", program]
    lines.append(f"[ $code = 0 ] && exec {shlex.join(link)}")
    lines.append("exit $code")
    return ["sh", "-c", "\n".join(lines)]


_PLACE = re.compile(r"^(?:\S*/)?([^\s/:]+):(\d+)(?::\d+)?: (?:fatal )?(error|note): ")
_UNDEFINED = re.compile(r"undefined reference to `(.+?)'")


def compiler_words(stderr: bytes, mine: Sequence[str], texts: Mapping[str, str]) -> str:
    """What a build says of the learner's lines, each with its text."""
    lines = clean(stderr.decode("utf-8", "replace")).splitlines()
    if (missing := dict.fromkeys(_UNDEFINED.findall("\n".join(lines)))) and not any(
        _PLACE.match(x) for x in lines
    ):
        return "\n".join(_("no file defines {name}").format(name=name) for name in missing)
    out: list[str] = []
    for wanted in (tuple(mine), tuple(texts)):
        for line in lines:
            place = _PLACE.match(line)
            if place and place[1] in wanted and place[3] == "error":
                out.append(line.rpartition(f"{FOLDER}/source/")[2])
                if text := _line(texts.get(place[1], ""), int(place[2])):
                    out.append(f"    {text}")
        if out:
            break
    out = out or lines
    return "\n".join(out[:MAX_LINES] + (["…"] if len(out) > MAX_LINES else []))


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
