"""The committed list of every exercise id there ever was: an id is never reused or removed.

Learners' databases name exercises by id; a reused id would turn an old pass into a pass of something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from pathlib import Path

from mlsys_path.errors import UserError
from mlsys_path.language import _

NAME = "registry.txt"
HEADER = """\
# Every exercise id, in order of registration. Ids are never reused or removed:
# learners' progress refers to them. `mlsys-path author new` appends, `author verify` checks.
"""


def registered(exercises: Path) -> list[str]:
    """The ids of an exercises folder's registry, in its order; raises UserError when it cannot be read."""
    path = exercises / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(_("{path}: cannot be read: {why}").format(path=path, why=error)) from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def register(exercises: Path, exercise_id: str) -> None:
    """Append an id; raises UserError when it is there already or the file cannot be written."""
    path = exercises / NAME
    if exercise_id in registered(exercises):
        raise UserError(
            _("{path}: {id} is registered already; ids are never reused").format(path=path, id=exercise_id)
        )
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else HEADER
        path.write_text(text.rstrip("\n") + f"\n{exercise_id}\n", encoding="utf-8")
    except OSError as error:
        raise UserError(_("{path}: cannot be written: {why}").format(path=path, why=error.strerror)) from None


def registry_problems(
    on_disk: Iterable[str], known: list[str], renamed: Container[str] = ()
) -> dict[str, str]:
    """What is wrong between the folders that are there and the registry: exercise id to message.

    An id that was renamed needs no folder of its own.
    """
    found = set(on_disk)
    problems = {name: _("is in registry.txt twice") for name, count in Counter(known).items() if count > 1}
    for name in known:
        if name not in found and name not in renamed:
            problems[name] = _(
                "is in registry.txt and has no folder: ids are never removed, put the exercise back"
            )
    for name in sorted(found - set(known)):
        problems[name] = _("is not in registry.txt: append its id (ids are forever)")
    return problems
