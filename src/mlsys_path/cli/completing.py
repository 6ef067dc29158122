"""What a shell offers after TAB: ids with their titles. A problem offers nothing rather than an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from mlsys_path import language

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _items(records: Mapping[str, Any] | Iterable[Any], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    found = records.values() if isinstance(records, Mapping) else records
    return [
        CompletionItem(record.id, help=record.title[language.current()])
        for record in found
        if record.id.startswith(incomplete)
    ]


def exercise_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Exercise ids that begin with what was typed."""
    return _of("exercises", incomplete)


def stage_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stage ids that begin with what was typed."""
    return _of("stages", incomplete)


def track_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Track ids that begin with what was typed."""
    return _of("tracks", incomplete)


def any_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of everything that `show` can show; resources come last."""
    return [
        item
        for kind in ("exercises", "topics", "stages", "tracks", "resources")
        for item in _of(kind, incomplete)
    ]


def exercise_ids_or_paths(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Exercise ids, and folders where no id begins so."""
    from click.shell_completion import CompletionItem

    return _of("exercises", incomplete) or [CompletionItem(incomplete, type="dir")]


def _of(kind: str, incomplete: str) -> list[CompletionItem]:
    from mlsys_path.roadmap.load import load

    try:
        return _items(getattr(load(), kind), incomplete)
    except Exception:  # noqa: BLE001  (a traceback in the middle of a command line helps nobody)
        return []
