"""What comes first: the exercise with which the tasks go on, and what is to be read before it. Pure.

Suggestions are exercises and tasks are reading too; whoever shows both must not say two things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlsys_path.language import Text, _, current

if TYPE_CHECKING:
    from mlsys_path.progress.suggest import Suggestion
    from mlsys_path.progress.tasks import Task
    from mlsys_path.roadmap.load import Roadmap


@dataclass(frozen=True, slots=True)
class Unread:
    """Something to read before an exercise."""

    resource: str
    parts: Text | None
    hours: float
    topic: str


def lead(roadmap: Roadmap, suggestions: Sequence[Suggestion], tasks: Sequence[Task]) -> list[Suggestion]:
    """The suggestions, the first of them as the tasks have it: their first exercise, after the reading before it.

    Who has begun to try what failed last is not sent back to the books.
    """
    if not suggestions or not tasks or suggestions[0].reason_kind == "failed":
        return list(suggestions)
    at = next((number for number, task in enumerate(tasks) if task.kind == "exercise"), len(tasks))
    wanted = tasks[at].id if at < len(tasks) else suggestions[0].exercise
    first = next((each for each in suggestions if each.exercise == wanted), suggestions[0])
    unread = [Unread(task.id, task.parts, round(task.minutes / 60, 2), task.topic) for task in tasks[:at]]
    rest = [each for each in suggestions if each is not first]
    return [replace(first, read_first=read_first(roadmap, unread)), *rest]


def read_first(roadmap: Roadmap, unread: Sequence[Unread]) -> str:
    """One sentence on what is to be read; nothing for nothing."""
    if not unread:
        return ""
    first = unread[0]
    topics = {each.topic for each in unread}
    of_one = first.topic in roadmap.topics and len(topics) == 1
    if len(unread) == 1:
        text = (
            _("Read first: “{resource}”, {parts} ({hours}), for the topic “{topic}”.")
            if of_one
            else _("Read first: “{resource}”, {parts} ({hours}).")
        )
    else:
        text = (
            _(
                "Read first: “{resource}”, {parts} ({hours}), and {n} more, {all} in all, for the topic “{topic}”."
            )
            if of_one
            else _("Read first: “{resource}”, {parts} ({hours}), and {n} more, {all} in all.")
        )
    return text.format(
        resource=roadmap.resources[first.resource].title[current()],
        parts=first.parts[current()].rstrip(".。") if first.parts else "",
        hours=_("{n:g} h").format(n=first.hours),
        n=len(unread) - 1,
        all=_("{n:g} h").format(n=round(sum(each.hours for each in unread), 2)),
        topic=roadmap.topics[first.topic].title[current()] if of_one else "",
    )
