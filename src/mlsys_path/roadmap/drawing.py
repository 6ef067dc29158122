"""The roadmap as a drawing: an outline, a graph for Graphviz, a flowchart for Mermaid, plain data. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mlsys_path.language import _, current, ngettext
from mlsys_path.roadmap.page_lines import silent
from mlsys_path.roadmap.readings import address, part_of

if TYPE_CHECKING:
    from mlsys_path.roadmap.load import Roadmap
    from mlsys_path.roadmap.model import Stage, Topic

Word = Callable[[str, str], str]


def outline(roadmap: Roadmap, stages: Iterable[Stage], word: Word = silent) -> Iterator[str]:
    """Stages, topics, and what belongs to each topic, a line each, drawn with branches."""
    for stage in stages:
        yield _("{title}  ({id})").format(title=stage.title[current()], id=stage.id)
        for i, topic in enumerate(stage.topics):
            last = i == len(stage.topics) - 1
            named = _("{title}  ({id})").format(title=topic.title[current()], id=topic.id)
            yield f"{'└─' if last else '├─'} {named}{_facts(topic)}"
            stem = "   " if last else "│  "
            for k, name in enumerate(topic.exercises):
                branch = "└─" if k == len(topic.exercises) - 1 else "├─"
                yield f"{stem}{branch} {name}{_state(roadmap, name, word)}"


def dot(roadmap: Roadmap, stages: Iterable[Stage]) -> str:
    """The topics' graph in the DOT language; an edge goes from what comes first to what builds on it."""
    chosen = list(stages)
    lines = ["digraph roadmap {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    for stage in chosen:
        lines.append(f"  subgraph {_quoted('cluster_' + stage.id)} {{")
        lines.append(f"    label={_quoted(stage.title[current()])};")
        lines += [f"    {_quoted(t.id)} [label={_quoted(t.title[current()])}];" for t in stage.topics]
        lines.append("  }")
    lines += [f"  {_quoted(before)} -> {_quoted(after)};" for before, after in _edges(chosen)]
    return "\n".join([*lines, "}"])


def mermaid(roadmap: Roadmap, stages: Iterable[Stage]) -> str:
    """The topics' graph as a Mermaid flowchart."""
    chosen = list(stages)
    lines = ["flowchart LR"]
    for stage in chosen:
        lines.append(f"  subgraph stage-{stage.id}[{_label(stage.title[current()])}]")
        lines += [f"    topic-{t.id}[{_label(t.title[current()])}]" for t in stage.topics]
        lines.append("  end")
    lines += [f"  topic-{before} --> topic-{after}" for before, after in _edges(chosen)]
    return "\n".join(lines)


def data(roadmap: Roadmap, stages: Iterable[Stage]) -> dict[str, Any]:
    """Stages, topics and exercises with what each requires."""
    return {
        "stages": [
            {
                "id": stage.id,
                "title": stage.title[current()],
                "summary": stage.summary[current()],
                "requires": list(stage.requires),
                "topics": [_topic(roadmap, topic) for topic in stage.topics],
            }
            for stage in stages
        ]
    }


def _topic(roadmap: Roadmap, topic: Topic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "title": topic.title[current()],
        "summary": topic.summary[current()],
        "requires": list(topic.requires),
        "reads": [
            {
                "resource": r.resource,
                "parts": r.parts[current()],
                "hours": r.hours,
                "reading": roadmap.reading_names[part_of(r)],
                "optional": r.optional,
                "url": address(roadmap, r),
            }
            for r in topic.reads
        ],
        "exercises": [
            {
                "id": name,
                "built": name in roadmap.exercises,
                "requires": list((roadmap.exercises.get(name) or roadmap.planned[name]).requires),
            }
            for name in topic.exercises
        ],
    }


def _edges(stages: list[Stage]) -> Iterator[tuple[str, str]]:
    shown = {topic.id for stage in stages for topic in stage.topics}
    for stage in stages:
        for topic in stage.topics:
            yield from ((before, topic.id) for before in topic.requires if before in shown)


def _facts(topic: Topic) -> str:
    if not topic.reads:
        return ""
    return "  " + ngettext("{n} reading", "{n} readings", len(topic.reads)).format(n=len(topic.reads))


def _state(roadmap: Roadmap, name: str, word: Word) -> str:
    said = word("exercise", name) if name in roadmap.exercises else _("planned")
    return f"  {said}" if said else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(text: str) -> str:
    # Mermaid has no escape for a quote inside a quoted label but the entity
    return '"' + text.replace("#", "#35;").replace('"', "#quot;") + '"'
