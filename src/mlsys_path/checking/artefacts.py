"""What the compiler made of a learner's kernels, kept in the cache until their files change: one file an exercise."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlsys_path import locations
from mlsys_path.checking.events import Compiled
from mlsys_path.checking.submission import Submission
from mlsys_path.exercises.folder import exercise_hash, hash_files
from mlsys_path.machine.inspect import module_version

MAX_CHARACTERS = 16 << 20  # of all IR of an exercise together


def _path(exercise: str) -> Path:
    return locations.cache_dir() / "ir" / f"{exercise}.json.gz"


def _key(submission: Submission) -> list[str]:
    """What the IR depends on."""
    return [hash_files(submission.files), exercise_hash(submission.folder), module_version("triton")]


def keep(submission: Submission, compiled: Iterable[Compiled]) -> None:
    """Keep the kernels of a run instead of those of an earlier one; a cache that cannot be written is none."""
    kernels, left = [], MAX_CHARACTERS
    for kernel in compiled:
        left -= sum(len(text) for _stage, text in kernel.ir)
        if left < 0:
            break
        kernels.append(asdict(kernel))
    if not kernels:
        return
    path = _path(submission.exercise.id)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_bytes(gzip.compress(json.dumps({"of": _key(submission), "kernels": kernels}).encode(), 3))
        fresh.replace(path)


def kept(submission: Submission) -> tuple[Compiled, ...]:
    """The kernels of exactly these files, when they were kept; none otherwise."""
    with contextlib.suppress(OSError, EOFError, ValueError, KeyError, TypeError):
        document: dict[str, Any] = json.loads(gzip.decompress(_path(submission.exercise.id).read_bytes()))
        if document["of"] == _key(submission):
            return tuple(_kernel(kernel) for kernel in document["kernels"])
    return ()


def _kernel(document: dict[str, Any]) -> Compiled:
    ir = tuple((str(stage), str(text)) for stage, text in document.pop("ir"))
    return Compiled(**document, ir=ir)
