"""What an id names: exercises, topics, stages, tracks, resources and planned exercises share what a person types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from mlsys_path.errors import UserError
from mlsys_path.language import N_, _, listed
from mlsys_path.roadmap import readings
from mlsys_path.roadmap.renaming import newest_reading

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap

Kind = Literal["exercise", "topic", "stage", "track", "resource", "planned", "reading"]
EVERY: tuple[Kind, ...] = get_args(Kind)
KINDS: tuple[Kind, ...] = EVERY[:-1]  # a reading is a part of a resource and has no record of its own
WORDS: dict[Kind, str] = {
    "exercise": N_("exercise"),
    "topic": N_("topic"),
    "stage": N_("stage"),
    "track": N_("track"),
    "resource": N_("resource"),
    "planned": N_("planned exercise"),
    "reading": N_("reading"),
}


def records(roadmap: Roadmap, kind: Kind) -> Mapping[str, Any]:
    """All records of a kind, by id; readings by name."""
    found: Mapping[str, Any] = getattr(roadmap, "planned" if kind == "planned" else kind + "s")
    return found


def kinds_of(roadmap: Roadmap, id_: str) -> list[tuple[Kind, str]]:
    """Everything that an id names, what it was renamed to included: kind and present id."""
    found: list[tuple[Kind, str]] = []
    for kind in KINDS:
        newest = roadmap.renames.newest(kind + "s", id_) if kind not in ("stage", "planned") else id_
        if newest in records(roadmap, kind):
            found.append((kind, newest))
    if len(names := _readings(roadmap, id_)) == 1:
        found.append(("reading", names[0]))
    return found


def _readings(roadmap: Roadmap, name: str) -> list[str]:
    """What a reading may be called besides its name: after a track that wants it too."""
    if "/" not in name:
        return []
    name = newest_reading(roadmap.renames, name)
    owner, _slash, resource = name.partition("/")
    return [name] if name in roadmap.readings else readings.of(roadmap, owner, resource) if resource else []


def identify(roadmap: Roadmap, id_: str, kind: Kind | None = None) -> tuple[Kind, str]:
    """The kind and present id of what an id names: an exercise before a topic before a resource, or of `kind`.

    Raises UserError, with the nearest id, when it names nothing.
    """
    found = [(k, newest) for k, newest in kinds_of(roadmap, id_) if kind in (None, k)]
    if found:
        return found[0]
    if len(names := _readings(roadmap, id_)) > 1:
        raise UserError(_("{id} has several parts: {names}").format(id=id_, names=listed(names)))
    import difflib

    every = dict.fromkeys(name for k in EVERY if kind in (None, k) for name in records(roadmap, k))
    near = difflib.get_close_matches(id_, every, n=1)
    hint = (
        _("did you mean {close!r}?").format(close=near[0]) if near else _("`mlsys-path search` finds words")
    )
    if kind:
        raise UserError(_("there is no {what} {id!r}: {hint}").format(what=_(WORDS[kind]), id=id_, hint=hint))
    raise UserError(_("nothing in the roadmap is called {id!r}: {hint}").format(id=id_, hint=hint))
