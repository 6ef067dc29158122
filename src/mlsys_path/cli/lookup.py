"""Finding a record by the id that somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mlsys_path.errors import UserError
from mlsys_path.language import _

Record = TypeVar("Record")


def find(records: Mapping[str, Record], record_id: str, what: str) -> Record:
    """The record of an id; raises UserError, with the nearest id, if there is none. `what` is its kind."""
    if record_id in records:
        return records[record_id]
    from difflib import get_close_matches

    near = get_close_matches(record_id, records, n=1, cutoff=0.5)
    hint = (
        _("did you mean {close!r}?").format(close=near[0])
        if near
        else ", ".join(records) or _("there are none")
    )
    raise UserError(_("there is no {what} {id!r}: {hint}").format(what=what, id=record_id, hint=hint))
