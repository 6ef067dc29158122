"""Whether content has changed: files by their time and size, hashed, and where what was made of them is kept.

An index of content carries the stamp of the files that it was made of, and is fresh while theirs is the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mlsys_path import locations
from mlsys_path.language import Language
from mlsys_path.roadmap.sources import Source

LESSONS: dict[Language, str] = {"en": "README.md", "zh": "README.zh.md"}
_RECORDS = ("model.py", "content.py", "references.py", "questions.py")


def index_file(base: Source, suffix: str) -> Path:
    """Where an index of a suffix is kept of the content of which `base` is the first source."""
    name = hashlib.sha256(f"{base.roadmap}\0{base.exercises}".encode()).hexdigest()[:24]
    return locations.cache_dir() / "index" / (name + suffix)


def stamp(paths: Iterable[str]) -> str:
    """A hash over names, times and sizes of files, be they there or not."""
    seen = []
    stat = os.stat
    for path in paths:
        try:
            info = stat(path)
        except OSError:
            seen.append(f"{path}\0missing")
        else:
            seen.append(f"{path}\0{info.st_mtime_ns}\0{info.st_size}")
    return hashlib.sha256("\0".join(seen).encode("utf-8", "surrogateescape")).hexdigest()


def record_files(content: Sequence[Source]) -> Iterator[str]:
    """All YAML files, and the records' own source."""
    return _files(content, ["exercise.yaml"])


def all_files(content: Sequence[Source]) -> Iterator[str]:
    """The same with all lessons, and all pages of topics."""
    yield from _files(content, ["exercise.yaml", *LESSONS.values()])
    for source in content:
        yield from _inside(os.path.join(source.roadmap, "pages"), ".md")


def _files(content: Sequence[Source], of_exercises: Sequence[str]) -> Iterator[str]:
    here = os.path.dirname(__file__)
    for module in _RECORDS:
        yield os.path.join(here, module)
    for source in content:
        if source.pack:
            yield os.fspath(source.pack)
        yield os.path.join(source.roadmap, "renames.yaml")
        for kind in ("stages", "additions", "resources", "planned", "tracks"):
            yield from _inside(os.path.join(source.roadmap, kind), ".yaml")
        for stage in _names(os.fspath(source.exercises)):
            folder = os.path.join(source.exercises, stage)
            for name in _names(folder):
                for file in of_exercises:
                    yield f"{folder}/{name}/{file}"


def _inside(folder: str, suffix: str) -> Iterator[str]:
    return (os.path.join(folder, name) for name in _names(folder) if name.endswith(suffix))


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry for entry in os.listdir(folder) if not entry.startswith((".", "_")))
    except OSError:
        return []
