"""What a track consists of, a line each or as data: reading, exercises, and exercises that are not built yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mlsys_path.cli.layout import hours
from mlsys_path.cli.standing import Standing, note, word_label
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.language import _, current
from mlsys_path.roadmap.readings import address

if TYPE_CHECKING:
    from mlsys_path.progress.word import Word
    from mlsys_path.roadmap.itinerary import Item
    from mlsys_path.roadmap.load import Roadmap

LONGEST_ID = 30  # columns; titles need some too


def data(
    roadmap: Roadmap, items: Sequence[Item], found: Mapping[str, Standing], word: Word
) -> list[dict[str, Any]]:
    """Each item in JSON; `state` of an exercise is that of `list`, and `word` what the learner says."""
    return [_entry(roadmap, item, found, word) for item in items]


def _entry(roadmap: Roadmap, item: Item, found: Mapping[str, Standing], word: Word) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": item.kind,
        "id": item.id,
        "title": _title(roadmap, item),
        "topic": item.topic or None,
        "hours": hours(round(item.hours * 60)),
    }
    match item.kind:
        case "read":
            reading = roadmap.readings[item.name].reading
            entry |= {
                "parts": reading.parts[current()],
                "reading": item.name,
                "url": address(roadmap, reading),
                "word": word.of("reading", item.name) or None,
            }
        case "exercise":
            entry |= {"state": found[item.id].state, "word": found[item.id].word}
        case "planned":
            entry |= {"state": "planned"}
    return entry


def show(roadmap: Roadmap, items: Sequence[Item], found: Mapping[str, Standing], word: Word) -> None:
    """Print a line for each: how the learner stands, id, how long it takes, title or parts."""
    rows = [(_label(item, found, word), item, _("{n:g} h").format(n=round(item.hours, 2))) for item in items]
    label_width = max((cells(click.unstyle(label)) for label, _item, _fact in rows), default=0)
    id_width = min(max((len(item.id) for item in items), default=0), LONGEST_ID)
    time_width = max((cells(time) for _label, _item, time in rows), default=0)
    for label, item, time in rows:
        gap = " " * (label_width - cells(click.unstyle(label)))
        head = f"  {label}{gap}  {pad(cut(item.id, id_width), id_width)}  {pad(time, time_width)}  "
        text = _what(roadmap, item, found)
        click.echo((head + cut(text, max(columns() - cells(click.unstyle(head)), 10))).rstrip())


def _label(item: Item, found: Mapping[str, Standing], word: Word) -> str:
    match item.kind:
        case "exercise":
            return found[item.id].label()
        case "planned":
            return style("… " + _("planned"), dim=True)
        case _read:
            return word_label(word.of("reading", item.name))


def _title(roadmap: Roadmap, item: Item) -> str:
    if item.kind == "read":
        return roadmap.resources[item.id].title[current()]
    return (roadmap.exercises.get(item.id) or roadmap.planned[item.id]).title[current()]


def _what(roadmap: Roadmap, item: Item, found: Mapping[str, Standing]) -> str:
    # of something to read the id says what it is
    if item.kind == "read" and item.parts:
        return item.parts[current()]
    title = _title(roadmap, item)
    return title + note(found[item.id]) if item.kind == "exercise" else title
