"""`author new`: a complete folder for an exercise, of which the author still has to write what only they can.

The templates hold a small task that works: the solution passes, the starter fails, so that an author changes
something that runs. What is left to write is marked, and `author verify` lists it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.exercises.registry import register, registered
from mlsys_path.language import _
from mlsys_path.roadmap.model import AdapterName

TEMPLATES = Path(__file__).with_name("templates")
# language: the learner's file's suffix, seconds and megabytes that a run may take
_LANGUAGES: dict[AdapterName, tuple[str, int, int]] = {
    "python": (".py", 20, 1024),
    "c": (".c", 30, 1024),
    "cpp": (".cpp", 30, 1024),
    "riscv": (".c", 60, 2048),
    "mpi": (".c", 60, 2048),
    "opencl": (".py", 30, 4096),
    "cuda": (".cu", 60, 4096),
    "triton": (".py", 30, 4096),
    "distributed": (".py", 60, 8192),
}
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def scaffold(exercises: Path, name: str, language: AdapterName, stages: Collection[str]) -> Path:
    """Make `<stage>/<id>` below an exercises folder and register the id; returns the exercise's folder.

    `stages` are the ids of all stages that there are.

    Raises UserError for a name that is none or is taken, and when the folder cannot be written.
    """
    stage, _slash, exercise_id = name.partition("/")
    if stage not in stages or not _ID.fullmatch(exercise_id):
        raise UserError(
            _("{name!r}: give STAGE/ID, a stage of {stages} and an id such as ring-allreduce").format(
                name=name, stages=", ".join(stages)
            )
        )
    folder = exercises / stage / exercise_id
    if exercise_id in registered(exercises) or any(exercises.glob(f"*/{exercise_id}")):
        raise UserError(
            _("{id}: there is or was such an exercise; ids are never reused").format(id=exercise_id)
        )
    suffix, seconds, memory_mb = _LANGUAGES[language]
    module = exercise_id.replace("-", "_")
    filled = {
        "@ID@": exercise_id,
        "@LANGUAGE@": language,
        "@MODULE@": module,
        "@FILE@": module + suffix,
        "@SECONDS@": str(seconds),
        "@MEMORY@": str(memory_mb),
        "@CHECKS@": (TEMPLATES / language / "checks.yaml.txt").read_text(encoding="utf-8").rstrip("\n"),
    }
    try:
        for path, text in [*_templates(TEMPLATES / "every"), *_templates(TEMPLATES / language)]:
            if path == "checks.yaml":
                continue
            target = folder / _fill(path, filled)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_fill(text, filled), encoding="utf-8")
    except OSError as error:
        raise UserError(
            _("{path}: cannot be written: {why}").format(path=error.filename or folder, why=error.strerror)
        ) from None
    register(exercises, exercise_id)
    return folder


def _templates(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(root.rglob("*.txt")):
        yield path.relative_to(root).as_posix().removesuffix(".txt"), path.read_text(encoding="utf-8")


def _fill(text: str, filled: dict[str, str]) -> str:
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text
