"""Finding a record by the id that somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from mlsys_path.errors import UserError
from mlsys_path.language import _, listed

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Track

Record = TypeVar("Record")


def find(records: Mapping[str, Record], record_id: str, what: str) -> Record:
    """The record of an id; raises UserError, with the nearest id, if there is none. `what` is its kind."""
    if record_id in records:
        return records[record_id]
    from difflib import get_close_matches

    near = get_close_matches(record_id, records, n=1, cutoff=0.5)
    hint = (
        _("did you mean {close!r}?").format(close=near[0]) if near else listed(records) or _("there are none")
    )
    raise UserError(_("there is no {what} {id!r}: {hint}").format(what=what, id=record_id, hint=hint))


def find_track(roadmap: Roadmap, track_id: str) -> Track:
    """The track of an id, or of one that was renamed; raises UserError, with the nearest id, if there is none."""
    return find(roadmap.tracks, roadmap.renames.newest("tracks", track_id), _("track"))
