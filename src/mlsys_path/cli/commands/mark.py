"""`mark`: what the learner says that they have read or know. It is their word, and shown as that."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from mlsys_path import language
from mlsys_path.cli.completing import markable_ids
from mlsys_path.cli.output import json_option, print_json
from mlsys_path.cli.standing import said
from mlsys_path.errors import UserError
from mlsys_path.language import _, ngettext
from mlsys_path.progress.records import CLAIM_KINDS
from mlsys_path.progress.word import SHOWN, Word
from mlsys_path.roadmap import itinerary
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.names import WORDS, Kind, identify, kinds_of, records

if TYPE_CHECKING:
    from mlsys_path.progress.records import ClaimKind, ClaimWord
    from mlsys_path.roadmap.load import Roadmap


@click.command(
    "mark",
    help=_(
        "Say that you have read or know something, or take it back with none: `next`, `plan` and tracks leave it "
        "out, and it is shown as your word, never as passed. TOPIC/RESOURCE is what a topic wants read of a resource."
    ),
)
@click.argument("record_id", metavar="ID", shell_complete=markable_ids)
@click.argument("word", type=click.Choice(["read", "known", "none"]))
@click.option(
    "--kind",
    type=click.Choice(CLAIM_KINDS),
    help=_("What it is, where an exercise, a topic and a resource have the same id."),
)
@json_option
def mark_command(record_id: str, word: ClaimWord, kind: Kind | None, as_json: bool) -> None:
    """Remember the word and say what follows from it."""
    from mlsys_path.progress.store import Store

    roadmap = load()
    claimed, subject = _subject(roadmap, record_id, word, kind)
    title = records(roadmap, claimed)[subject].title[language.current()]
    changes = word != "none" or bool(said(roadmap).of(claimed, subject))
    if changes:
        with Store.open() as store:
            store.claim(claimed, subject, word)
    held = said(roadmap)
    if as_json:
        holds = held.of(claimed, subject) or None
        print_json({"kind": claimed, "id": subject, "title": title, "word": holds, "stored": changes})
        return
    what = _("“{title}” ({kind} {id})").format(title=title, kind=_(WORDS[claimed]), id=subject)
    if not changes:
        click.echo(_("{what}: you have said nothing of it that could be taken back.").format(what=what))
    elif word == "none":
        click.echo(_("{what}: your word is taken back.").format(what=what))
    else:
        shown = _(SHOWN["known" if word == "known" else "read"])
        click.echo(_("{what}: {word}.").format(what=what, word=shown))
        click.echo(_consequence(roadmap, held, claimed, subject))


def _subject(roadmap: Roadmap, record_id: str, word: ClaimWord, kind: Kind | None) -> tuple[ClaimKind, str]:
    """What an id names that this can be said of. Raises UserError."""
    first, subject = identify(roadmap, record_id, kind)
    for each, present in kinds_of(roadmap, record_id):
        sayable = each in CLAIM_KINDS and (word != "read" or each != "exercise")
        if sayable and kind in (None, each):
            return cast("ClaimKind", each), present
    match first:
        case "track":
            text = _("{id} is a track: mark the stages, topics or resources of it that you know")
        case "planned":
            text = _("{id} is planned and not built yet: there is nothing in it to know")
        case _exercise:
            text = _("{id} is an exercise, which nobody knows by reading: say `known`, or solve it")
    raise UserError(text.format(id=subject))


def _consequence(roadmap: Roadmap, word: Word, kind: ClaimKind, subject: str) -> str:
    """What `next` and `plan` leave out from now on: of a thing, as it is after the word was stored."""
    if kind == "reading":
        return _("`mlsys-path plan` and `next` leave it out.")
    if kind == "resource":
        topics = sum(subject in (r.resource for r in topic.reads) for topic in roadmap.topics.values())
        return ngettext(
            "`mlsys-path plan` and `next` leave out its reading, in {n} topic.",
            "`mlsys-path plan` and `next` leave out its reading, in {n} topics.",
            topics,
        ).format(n=topics)
    if kind == "exercise":
        return _("`mlsys-path next` and `plan` leave it out, and it does not count as passed.")
    chosen = [topic.id for topic in roadmap.stages[subject].topics] if kind == "stage" else [subject]
    exercises = [
        item.id
        for topic in chosen
        for item in itinerary.of_topic(roadmap, topic)
        if item.kind == "exercise" and item.id in word.known
    ]
    if word.of(kind, subject) == "read" or not exercises:
        return _("`mlsys-path plan` and `next` leave out its reading.")
    return ngettext(
        "`mlsys-path next` and `plan` leave out its reading and {n} exercise, which does not count as passed.",
        "`mlsys-path next` and `plan` leave out its reading and {n} exercises, which do not count as passed.",
        len(exercises),
    ).format(n=len(exercises))
