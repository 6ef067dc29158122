"""Stands before the compiler, as CMake's compiler launcher: gives a compile the precompiled header made for its flags.

    python -I -S pch_launcher.py SETTINGS COMPILER ARGUMENTS...

Standard library only, and none of it that is slow to import. A compile whose flags fewer than a handful of files share
gets none, as making one costs as much as it saves. A header made for other flags is never used: the flags are its name.
Whatever goes wrong with it costs time alone: the compiler then runs as it was asked to.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys

MIN_FILES = 4
SOURCES = (".cpp", ".cc", ".cxx")
_WITH_VALUE = ("-o", "-MF", "-MT", "-MQ")
_OF_THE_FILE = ("-MD", "-MMD", "-c")


def main() -> int:
    """Compile; the exit code is the compiler's."""
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    command = sys.argv[2:] + settings["append"]
    ccache = [settings["ccache"]] if settings["ccache"] else []
    extra = []
    try:
        if settings["headers"] and is_compile(command):
            extra = header_for(command, settings)
    except (OSError, ValueError) as error:
        # the compile itself must not fail for want of a header that only saves time
        sys.stderr.write(f"mlsys-path: no precompiled header: {error}\n")
    sys.stderr.flush()
    if not extra:
        os.execvp((ccache + command)[0], ccache + command)
    done = subprocess.run([*ccache, command[0], *extra, *command[1:]], capture_output=True, check=False)
    if done.returncode > 0 and refused(done.stderr):
        os.execvp((ccache + command)[0], ccache + command)
    sys.stdout.buffer.write(done.stdout)
    sys.stderr.buffer.write(done.stderr)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def is_compile(command: list[str]) -> bool:
    """Whether this compiles one C++ source."""
    return "-c" in command and command[command.index("-c") + 1].endswith(SOURCES)


def refused(said: bytes) -> bool:
    """Whether the compiler refused the header, and not the source."""
    words = (b"precompiled", b"PCH", b".pch'", b"file has been modified since")
    return any(word in said for word in words)


def flags_of(command: list[str], roots: tuple[str, ...]) -> list[str]:
    """What a header must have been made with: the flags, without what names the file and folders of the project.

    Folders in which headers are looked for count only where LLVM's or MLIR's could be found.
    """
    kept, skip = [], False
    for index, word in enumerate(command[1:], 1):
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        elif word in _OF_THE_FILE or (command[index - 1] == "-c"):
            continue
        elif word in ("-I", "-isystem", "-iquote"):
            skip = not within(command[index + 1], roots)
            kept += [] if skip else [word]
        elif word.startswith("-I"):
            kept += [word] if within(word[2:], roots) else []
        elif word.startswith("-D") and word.endswith("_EXPORTS"):
            continue  # of CMake, the target's own name
        else:
            kept.append(word)
    return kept


def within(folder: str, roots: tuple[str, ...]) -> bool:
    """Whether headers of LLVM could come from a folder."""
    real = os.path.realpath(folder)
    return any(
        real == root or os.path.isdir(os.path.join(real, name)) for root in roots for name in ("mlir", "llvm")
    )


def real(program: str) -> str:
    """The file of a program."""
    if "/" not in program:
        folders = os.environ.get("PATH", "").split(os.pathsep)
        named = (os.path.join(folder, program) for folder in folders)
        program = next((name for name in named if os.path.isfile(name)), program)
    return os.path.realpath(program)


def key_of(command: list[str], settings: dict) -> tuple[str, list[str]]:  # type: ignore[type-arg]
    """The name of the header for a command, and the flags to make it with."""
    flags = flags_of(command, tuple(settings["roots"]))
    compiler = real(command[0])
    stat = os.stat(compiler)
    told = json.dumps(
        [compiler, stat.st_size, stat.st_mtime_ns, flags, settings["headers"], settings["stamp"]]
    )
    return hashlib.sha256(told.encode()).hexdigest()[:20], flags


def header_for(command: list[str], settings: dict) -> list[str]:  # type: ignore[type-arg]
    """The arguments that bring the header; made by the first that needs it, while others wait."""
    key, flags = key_of(command, settings)
    folder = os.path.join(settings["folder"], key)
    header = os.path.join(folder, "all.h")
    clang = "clang" in os.path.basename(real(command[0]))
    made = header + (".pch" if clang else ".gch")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = os.path.join(folder, "state")
        known = _read(state)
        if known == "":
            known = (
                "few"
                if sharing(key, settings) < MIN_FILES
                else make(command[0], flags, header, made, settings)
            )
            with open(state + ".new", "w") as file:
                file.write(known)
            os.replace(state + ".new", state)
    if known != "made":
        return []
    return ["-include-pch", made] if clang else ["-include", header]


def sharing(key: str, settings: dict) -> int:  # type: ignore[type-arg]
    """How many files of this build would use a header."""
    database = "compile_commands.json"
    if not os.path.exists(database):
        return MIN_FILES  # not known: it is worth a try
    with open(database, encoding="utf-8") as file:
        entries = json.load(file)
    import shlex

    same = 0
    for entry in entries:
        words = shlex.split(entry["command"]) if "command" in entry else entry["arguments"]
        # behind this launcher, which stands in front of every compile
        compiler = words.index(sys.argv[1]) + 1 if sys.argv[1] in words else 0
        command = words[compiler:] + settings["append"]
        if is_compile(command) and key_of(command, settings)[0] == key:
            same += 1
            if same == MIN_FILES:
                break
    return same


def make(compiler: str, flags: list[str], header: str, made: str, settings: dict) -> str:  # type: ignore[type-arg]
    """Make a header: "made", or "refused" where it does not compile as a whole."""
    with open(header, "w", encoding="utf-8") as file:
        # a source that includes one of these first, and defines a macro for it, would find it included already
        file.write("".join(f'#include "{name}"\n' for name in settings["headers"]))
    command = [compiler, *flags, "-x", "c++-header", header, "-o", made + ".new"]
    if made.endswith(".pch"):
        # else ccache sees another header whenever it was made anew
        command += ["-Xclang", "-fno-pch-timestamp"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.buffer.write(b"mlsys-path: a precompiled header was refused:\n" + done.stderr[-2000:])
        return "refused"
    os.replace(made + ".new", made)
    return "made"


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
