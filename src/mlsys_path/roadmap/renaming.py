"""The earlier ids of what was renamed: learners' databases and workspaces still say them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mlsys_path.roadmap.model import Renames

Renamed = Literal["exercises", "topics", "resources", "tracks"]


def earlier(renames: Renames, kind: Renamed, id_: str) -> tuple[str, ...]:
    """Every id that `id_` had before, the one before it first."""
    names: dict[str, str] = getattr(renames, kind)
    found: list[str] = []
    layer = [id_]
    while layer:
        layer = [old for new in layer for old, to in names.items() if to == new]
        found += layer
    return tuple(found)


def newest_reading(renames: Renames, name: str) -> str:
    """The present name of a reading: of the topic or track, and of the resource."""
    owner, resource, *rest = name.split("/")
    owner = renames.newest("tracks", renames.newest("topics", owner))
    return "/".join((owner, renames.newest("resources", resource), *rest))


def newest_of(renames: Renames | None, kind: Renamed) -> Callable[[str], str]:
    """What turns an id of a kind into its present one; without renames each is its own."""
    return (lambda id_: id_) if renames is None else lambda id_: renames.newest(kind, id_)
