"""What a shell offers after TAB: ids with their titles. A problem offers nothing rather than an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlsys_path import language

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


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
    """Ids of everything that `show` can show; resources come last, and after a slash a topic's reading."""
    return _readings(incomplete) or [
        item
        for kind in ("exercises", "topics", "stages", "tracks", "resources")
        for item in _of(kind, incomplete)
    ]


def markable_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of everything that one can say to have read or to know; after a slash a topic's or track's reading."""
    return _readings(incomplete) or [
        item for kind in ("stages", "topics", "exercises", "resources") for item in _of(kind, incomplete)
    ]


def exercise_ids_or_paths(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Exercise ids, and folders where no id begins so."""
    from click.shell_completion import CompletionItem

    return _of("exercises", incomplete) or [CompletionItem(incomplete, type="dir")]


def _readings(incomplete: str) -> list[CompletionItem]:
    return _of("readings", incomplete) if "/" in incomplete else []


def _of(kind: str, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from mlsys_path.mentoring.received import load

    try:
        records = getattr(load(), kind)
    except Exception:
        return []
    return [
        CompletionItem(name, help=record.title[language.current()])
        for name, record in records.items()
        if name.startswith(incomplete)
    ]
