"""An exercise's folder and a learner's copy of its files: reading, hashing, and what is refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.language import Language, _
from mlsys_path.roadmap.model import Exercise

MAX_FILES = 200
MAX_BYTES = 8 << 20
_SKIPPED = (
    "__pycache__",
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".idea",
    ".vscode",
)
_HASHED = ("exercise.yaml", "checks", "harness")


def read_files(folder: Path) -> dict[str, bytes]:
    """Every regular file below a folder, by relative POSIX name; hidden files, caches and links are left out.

    Raises UserError when there is no such folder, or when its files are too many, too large or unreadable.
    """
    if not folder.is_dir():
        raise UserError(_("{folder}: no such folder").format(folder=folder))
    files: dict[str, bytes] = {}
    total = 0
    for path in _walk(folder):
        try:
            total += path.stat().st_size
            if total > MAX_BYTES or len(files) >= MAX_FILES:
                raise UserError(
                    _(
                        "{folder}: more than {n} files or {mb} MB: keep only what the exercise needs there"
                    ).format(folder=folder, n=MAX_FILES, mb=MAX_BYTES >> 20)
                )
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
        except OSError as error:
            raise UserError(
                _("{path}: cannot be read: {why}").format(path=path, why=error.strerror)
            ) from None
    return files


def _walk(folder: Path) -> Iterable[Path]:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name in _SKIPPED or entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def hash_files(files: Mapping[str, bytes]) -> str:
    """A SHA-256 over names and contents, independent of order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{len(name)}:{name}:{len(files[name])}:".encode())
        digest.update(files[name])
    return digest.hexdigest()


def exercise_hash(folder: Path) -> str:
    """A hash of all that decides a verdict: the spec, the checks and the harness."""
    files: dict[str, bytes] = {}
    for name in _HASHED:
        path = folder / name
        if path.is_dir():
            files |= {f"{name}/{inner}": data for inner, data in read_files(path).items()}
        elif path.is_file():
            files[name] = path.read_bytes()
    return hash_files(files)


def missing_files(exercise: Exercise, files: Mapping[str, bytes]) -> list[str]:
    """The files that the learner should edit and that are not there."""
    return [name for name in exercise.files if name not in files]


def lesson(folder: Path, language: Language) -> str:
    """The lesson's Markdown in a language; raises UserError when the exercise lacks it."""
    name = "README.zh.md" if language == "zh" else "README.md"
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            _("{path}: cannot be read: {why}").format(path=folder / name, why=error.strerror)
        ) from None
