"""Precompiled headers of installed libraries, kept from run to run: their thousands of files are parsed once.

They are made here, on the trusted side, of headers that a check names and of nothing of the learner's; sandboxes see the
folder and cannot write to it. A compiler that does not like one ignores it, and reads the headers themselves.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mlsys_path import locations
from mlsys_path.checking.show import clean
from mlsys_path.language import _

HEADER = "headers.h"
SECONDS = 600.0  # a busy laptop parses MLIR's headers in one minute
KEPT_DAYS = 30.0  # they are some hundred MB each
_NAME = re.compile(r"[\w.+/-]+")
_SEEN = "seen.json"


class CannotPrecompile(Exception):
    """The headers cannot be compiled on this machine; the message says why."""


def folder() -> Path:
    """Where they are kept; a sandbox shows this folder, so that it is there from the start."""
    path = locations.cache_dir() / "precompiled"
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path


def precompile(compiler: Sequence[str], flags: Sequence[str], headers: Sequence[str]) -> str:
    """A header that includes `headers` and lies, precompiled, in the folder: its name relative to that.

    Made when there is none for this compiler and these flags, or when one of the files that it was made of has
    changed. Raises CannotPrecompile.
    """
    if odd := [name for name in headers if not _NAME.fullmatch(name)]:
        raise ValueError(f"not the name of a header: {odd[0]}")
    program = shutil.which(compiler[0])
    if program is None:
        raise CannotPrecompile(_("{tool} is not there").format(tool=compiler[0]))
    identity = [*_stamp(program), *compiler, *flags, "--", *headers]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    home = folder()
    try:
        with (home / f"{key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be at it
            if not _valid(home / key):
                _drop_old(home)
                _make(home / key, [*compiler, *flags], headers)
            os.utime(home / key / HEADER)
    except OSError as error:
        raise CannotPrecompile(f"{home}: {error.strerror}") from None
    return f"{key}/{HEADER}"


def _stamp(path: str) -> list[str | int]:
    real = os.path.realpath(path)
    status = Path(real).stat()
    return [real, status.st_size, status.st_mtime_ns]


def _valid(made: Path) -> bool:
    """Whether it is there, and each file that it was made of is as it was."""
    try:
        seen: dict[str, list[str | int]] = json.loads((made / _SEEN).read_text())
        return all(_stamp(path) == stamp for path, stamp in seen.items())
    except (OSError, ValueError):
        return False


def _make(made: Path, command: Sequence[str], headers: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(
        dir=made.parent, prefix="making-", ignore_cleanup_errors=True
    ) as scratch:
        source = Path(scratch) / HEADER
        source.write_text("".join(f"#include <{name}>\n" for name in headers))
        rules = Path(scratch) / "rules"
        try:
            done = subprocess.run(
                [*command, "-x", "c++-header", HEADER, "-MD", "-MF", rules.name, "-o", f"{HEADER}.gch"],
                cwd=scratch,
                # as in a sandbox: a variable of the user's could add folders of headers
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotPrecompile(_("the compiler was not done with the headers in time")) from None
        if done.returncode != 0:
            words = done.stderr.decode("utf-8", "replace")
            first = next((line for line in words.splitlines() if "error:" in line), words.strip())
            raise CannotPrecompile(clean(first.partition("error:")[2].strip() or first, 300))
        parts = rules.read_text().replace("\\\n", " ").partition(":")[2].split()
        (Path(scratch) / _SEEN).write_text(json.dumps({p: _stamp(p) for p in parts if Path(p).is_absolute()}))
        rules.unlink()
        shutil.rmtree(made, ignore_errors=True)
        Path(scratch).rename(made)


def _drop_old(home: Path) -> None:
    for used in home.glob(f"*/{HEADER}"):
        with contextlib.suppress(OSError):
            if time.time() - used.stat().st_mtime > KEPT_DAYS * 86400:
                shutil.rmtree(used.parent, ignore_errors=True)
