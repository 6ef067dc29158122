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
    digest = hashlib.sha256()
    for path in paths:
        try:
            info = os.stat(path)
        except OSError:
            digest.update(f"{path}\0missing\0".encode())
        else:
            digest.update(f"{path}\0{info.st_mtime_ns}\0{info.st_size}\0".encode())
    return digest.hexdigest()


def record_files(content: Sequence[Source]) -> Iterator[str]:
    """All YAML files, and the records' own source."""
    here = os.path.dirname(__file__)
    for module in _RECORDS:
        yield os.path.join(here, module)
    for source in content:
        if source.pack:
            yield os.fspath(source.pack)
        yield os.path.join(source.roadmap, "renames.yaml")
        for kind in ("stages", "additions", "resources", "planned", "tracks"):
            folder = os.path.join(source.roadmap, kind)
            yield from (os.path.join(folder, name) for name in _names(folder) if name.endswith(".yaml"))
        for folder in _exercise_folders(source):
            yield f"{folder}/exercise.yaml"


def text_files(content: Sequence[Source]) -> Iterator[str]:
    """All lessons, and all pages of topics."""
    for source in content:
        folder = os.path.join(source.roadmap, "pages")
        yield from (os.path.join(folder, name) for name in _names(folder) if name.endswith(".md"))
        for folder in _exercise_folders(source):
            for name in LESSONS.values():
                yield f"{folder}/{name}"


def _exercise_folders(source: Source) -> Iterator[str]:
    for stage in _names(os.fspath(source.exercises)):
        folder = os.path.join(source.exercises, stage)
        for name in _names(folder):
            yield f"{folder}/{name}"


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry for entry in os.listdir(folder) if not entry.startswith((".", "_")))
    except OSError:
        return []
