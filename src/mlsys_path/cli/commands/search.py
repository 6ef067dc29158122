"""`search`: words in everything that there is to read, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.terminal import cells, columns, cut, pad, style
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.roadmap.names import KINDS, WORDS, Kind
from mlsys_path.search import LIMIT, ask
from mlsys_path.search.words import parse, plain

if TYPE_CHECKING:
    from mlsys_path.search import Answer, Hit

_NARROWEST = 20  # columns of a snippet, however narrow the terminal


@click.command(
    "search",
    help=_(
        "Find words in exercises, lessons, topics, stages, tracks and resources, in both languages at once."
    ),
)
@click.argument("words", nargs=-1, metavar="WORDS...")
@click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True, help=_("Only of this kind; may be repeated.")
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=LIMIT,
    help=_("At most this many; {n} without it.").format(n=LIMIT),
)
@json_option
def search_command(words: tuple[str, ...], kinds: tuple[Kind, ...], limit: int, as_json: bool) -> None:
    """Print what was found, or the object."""
    query = " ".join(plain(" ".join(words)).split())
    if not parse(query):
        raise UserError(_("nothing to search for: `mlsys-path search WORDS` needs a word"))
    labels = {kind: _("planned") if kind == "planned" else _(WORDS[kind]) for kind in KINDS}
    width = max(columns() - _margin(labels), _NARROWEST)
    answer = ask(query, kinds=kinds or None, limit=limit, width=width)
    if as_json:
        hits = [_entry(hit) for hit in answer.hits]
        print_json({"query": query, "hits": hits, "relaxed": answer.relaxed})
    elif answer.hits:
        _print(answer, labels, limit)
    else:
        _print_nearest(query, answer, labels, kinds)


def _entry(hit: Hit) -> dict[str, object]:
    """One hit in JSON."""
    return {
        "kind": hit.kind,
        "id": hit.id,
        "title": hit.title,
        "snippet": hit.snippet,
        "marks": [list(span) for span in hit.marks],
        "language": hit.language,
        "score": round(hit.score, 3),
    }


def _print(answer: Answer, labels: dict[Kind, str], limit: int) -> None:
    if answer.relaxed:
        click.echo(_("Nothing has all of this. With parts of it:") + "\n")
    _rows(answer.hits, labels)
    end = (
        _("These are the best {n}: `--limit` shows more.")
        if len(answer.hits) == limit
        else _("Found: {n}. `mlsys-path show ID` opens one.")
    )
    click.echo("\n" + end.format(n=len(answer.hits)))
    for near in answer.nearest[:1]:
        click.echo(_("Did you mean {title}? `mlsys-path show {id}`").format(title=near.title, id=near.id))


def _print_nearest(query: str, answer: Answer, labels: dict[Kind, str], kinds: tuple[Kind, ...]) -> None:
    """What to do next where nothing was found."""
    if answer.nearest:
        click.echo(_("Nothing has {query!r}. Did you mean this?").format(query=query) + "\n")
        _rows(answer.nearest, labels)
        near = answer.nearest[0]
        click.echo("\n" + _("`mlsys-path show {id}` opens it.").format(id=near.id))
    elif kinds:
        click.echo(_("Nothing of this kind has {query!r}: leave out --kind.").format(query=query))
    else:
        text = _("Nothing has {query!r}. `mlsys-path roadmap` shows all that there is.")
        click.echo(text.format(query=query))


def _rows(hits: Sequence[Hit], labels: dict[Kind, str]) -> None:
    margin = _margin(labels)
    width = max(len(hit.id) for hit in hits)
    for hit in hits:
        head = f"{pad(labels[hit.kind], margin)}{pad(hit.id, width)}  "
        click.echo(head + cut(hit.title, max(columns() - cells(head), 10)))
        if hit.snippet:
            click.echo(" " * margin + _marked(hit))


def _margin(labels: dict[Kind, str]) -> int:
    return 2 + max(map(cells, labels.values()))


def _marked(hit: Hit) -> str:
    """The snippet with its words in bold."""
    text, at = "", 0
    for start, end in hit.marks:
        text += hit.snippet[at:start] + style(hit.snippet[start:end], bold=True)
        at = end
    return text + hit.snippet[at:]
