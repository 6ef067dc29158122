"""The roadmap as outline, graph and pages: everything is there, and foreign words cannot break the format."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from mlsys_path import language
from mlsys_path.errors import UserError
from mlsys_path.roadmap import drawing, itinerary, pages
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.names import identify
from mlsys_path.roadmap.sources import ours

PLANNED = """\
planned:
  - id: later
    title: {en: Later, zh: 以后}
    summary: {en: Not yet., zh: 尚未}
    language: c
    hardware: cpu
    difficulty: 1
    minutes: 90
    requires: [first]
"""


@pytest.fixture
def roadmap(tree):
    (tree.roadmap / "planned").mkdir()
    (tree.roadmap / "planned" / "all.yaml").write_text(PLANNED, encoding="utf-8")
    tree.edit(
        tree.stage,
        lambda t: (
            t.replace("[first, second]", "[first, second, later]")
            + "  - id: locks\n    title: {en: 'Locks \"and\" #1', zh: 锁}\n    summary: {en: L, zh: 锁}\n    requires: [caches]\n"
        ),
    )
    return load(tree.sources)


def test_the_outline_has_every_topic_and_exercise_and_says_what_is_planned(roadmap):
    lines = list(drawing.outline(roadmap, roadmap.stages.values(), lambda _kind, _id: "new"))
    assert lines == [
        "Foundations  (foundations)",
        "├─ Caches  (caches)  1 reading",
        "│  ├─ first  new",
        "│  ├─ second  new",
        "│  └─ later  planned",
        '└─ Locks "and" #1  (locks)',
    ]


def test_graphviz_takes_it(roadmap, tmp_path):
    text = drawing.dot(roadmap, roadmap.stages.values())
    assert '"caches" -> "locks";' in text
    assert 'label="Locks \\"and\\" #1"' in text
    assert text.count("{") == text.count("}")
    if program := shutil.which("dot"):
        subprocess.run([program, "-Tsvg", "-o", tmp_path / "out.svg"], input=text.encode(), check=True)


def test_mermaid_labels_are_quoted(roadmap):
    text = drawing.mermaid(roadmap, roadmap.stages.values())
    assert text.startswith("flowchart LR\n")
    assert 'topic-locks["Locks #quot;and#quot; #35;1"]' in text
    assert "topic-caches --> topic-locks" in text


def test_data_says_what_is_built(roadmap):
    (stage,) = drawing.data(roadmap, roadmap.stages.values())["stages"]
    assert [(e["id"], e["built"]) for e in stage["topics"][0]["exercises"]] == [
        ("first", True),
        ("second", True),
        ("later", False),
    ]
    assert stage["topics"][0]["reads"] == [
        {
            "resource": "a-book",
            "parts": "Chapter 1",
            "hours": 2,
            "reading": "caches/a-book",
            "optional": False,
            "url": "https://example.org/book",
        }
    ]


def test_our_own_graph_has_every_edge_between_topics():
    roadmap = load([ours()])
    edges = set(re.findall(r'^  "(.+?)" -> "(.+?)";$', drawing.dot(roadmap, roadmap.stages.values()), re.M))
    assert edges == {(before, t.id) for t in roadmap.topics.values() for before in t.requires}


def test_a_topics_page_says_what_to_read_and_to_do(roadmap):
    page = pages.topic(roadmap, "caches")
    assert "- `a-book`: A book. Chapter 1 (2 h). <https://example.org/book>" in page
    assert "- `later`: Later (planned)" in page
    said = pages.topic(roadmap, "caches", lambda kind, id_: "read" if id_ == "caches/a-book" else "")
    assert "Chapter 1 (2 h; read)." in said


def test_a_part_may_have_an_address_of_its_own(tree):
    tree.edit(tree.stage, lambda t: t.replace("hours: 2}", "hours: 2, url: 'https://example.org/1'}"))
    again = "{read: {resource: a-book, parts: {en: Chapter 1, zh: 第 1 章}, hours: 2}}"
    tree.edit(tree.track, lambda t: t.replace("{exercise: first}", again))
    roadmap = load(tree.sources)
    assert "- `a-book`: A book. Chapter 1 (2 h). <https://example.org/1>" in pages.topic(roadmap, "caches")
    assert "<https://example.org/1>" in pages.reading(roadmap, "caches/a-book")
    # where a track repeats the part it is the same part
    assert "Chapter 1 (2 h). <https://example.org/1>" in pages.track(roadmap, "short")


def test_a_topics_longer_text_follows_with_its_calculations(roadmap, tree):
    (tree.roadmap / "pages").mkdir()
    file = tree.roadmap / "pages" / "caches.md"
    file.write_text("## How much\n\n```calc\nmemory --params 7.5e9 --dp 64 --zero 3\n```\n", encoding="utf-8")
    page = pages.topic(roadmap, "caches")
    assert "mlsys-path calc memory --params 7.5e9" in page
    assert "```calc" not in page
    file.write_text("```calc\nmemry --params 7.5e9\n```\n", encoding="utf-8")
    with pytest.raises(UserError, match="memry"):
        pages.topic(roadmap, "caches")


def test_a_resources_page_says_what_matters_for_which_topic(roadmap):
    page = pages.resource(roadmap, "a-book")
    assert "Caches (`caches`): Chapter 1 (2 h)" in page
    assert "were not looked at" in page


def test_a_track_is_as_long_as_its_parts(roadmap):
    page = pages.track(roadmap, "short")
    assert "0 h of reading and 1 h of exercises: 1 week at 8 h a week." in page
    assert "## 1. `first`: first" in page


def test_the_pages_are_in_the_language_in_use(roadmap):
    language.use("zh")
    try:
        assert pages.stage(roadmap, "foundations").startswith("# 基础\n")
    finally:
        language.use("en")


def test_a_planned_exercise_says_that_there_is_nothing_to_start(roadmap):
    assert "is not built yet" in pages.planned(roadmap, "later")
    with pytest.raises(UserError, match="later is planned and not built yet"):
        roadmap.exercise("later")


class TestIdentify:
    def test_an_exercise_comes_before_a_topic_before_a_resource(self, roadmap):
        twins = replace(roadmap, resources={**roadmap.resources, "first": roadmap.resources["a-book"]})
        assert identify(twins, "first") == ("exercise", "first")
        assert identify(twins, "first", "resource") == ("resource", "first")

    def test_what_names_nothing_is_told_the_nearest(self, roadmap):
        with pytest.raises(
            UserError, match="nothing in the roadmap is called 'cahces': did you mean 'caches'"
        ):
            identify(roadmap, "cahces")
        with pytest.raises(UserError, match="there is no topic 'first'"):
            identify(roadmap, "first", "topic")


class TestItinerary:
    def test_a_topic_is_read_before_it_is_done(self, roadmap):
        assert [(i.kind, i.id, i.hours) for i in itinerary.of_topic(roadmap, "caches")] == [
            ("read", "a-book", 2),
            ("exercise", "first", 0.5),
            ("exercise", "second", 0.5),
            ("planned", "later", 1.5),
        ]

    def test_each_thing_comes_once_however_often_a_track_names_it(self, roadmap):
        track = roadmap.tracks["short"]
        again = replace(track, steps=(*track.steps, *track.steps))
        assert itinerary.of_track(roadmap, again) == itinerary.of_track(roadmap, track)

    def test_what_is_optional_is_shown_with_its_topic_and_is_no_part_of_a_way(self, tree):
        tree.edit(tree.stage, lambda t: t.replace("hours: 2}", "hours: 2, optional: true}"))
        roadmap = load(tree.sources)
        assert "Chapter 1 (2 h; if you want more)." in pages.topic(roadmap, "caches")
        assert [i.optional for i in itinerary.of_topic(roadmap, "caches")][:1] == [True]
        assert "read" not in {i.kind for i in itinerary.of_path(roadmap)}

    def test_the_whole_path_is_every_topic(self, roadmap):
        assert itinerary.of_path(roadmap) == itinerary.of_topic(roadmap, "caches")
