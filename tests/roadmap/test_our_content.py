"""What our own roadmap promises a reader, beyond being sound: nothing is missing in either language, and all is reachable."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass

import pytest

from mlsys_path import calculators, language
from mlsys_path.language import LANGUAGES, Text
from mlsys_path.roadmap import itinerary, pages, readings
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.model import PAST
from mlsys_path.roadmap.names import KINDS, records
from mlsys_path.roadmap.sources import ours

from .expected_ids import EXERCISES, OTHER_RESOURCES, SEEDS

STAGES = ("foundations", "os", "parallel", "cuda", "dlsys", "compilers", "llm", "distributed", "inference")
CJK = re.compile("[\u4e00-\u9fff]")
TRACKS = (
    "kernel-engineer",
    "ai-compiler-engineer",
    "distributed-training-engineer",
    "inference-engineer",
    "triton-from-source",
    "first-gpu-without-a-gpu",
    "systems-refresher",
    "twelve-weeks",
    "reading-path",
)


@pytest.fixture(scope="module")
def roadmap():
    return load([ours()])


def texts(record, path=()):
    """Every bilingual text of a record, with where it stands."""
    if isinstance(record, Text):
        yield path, record
    elif is_dataclass(record):
        for field in fields(record):
            yield from texts(getattr(record, field.name), (*path, field.name))
    elif isinstance(record, tuple):
        for i, item in enumerate(record):
            yield from texts(item, (*path, i))
    elif isinstance(record, dict):
        for key, item in record.items():
            yield from texts(item, (*path, key))


def headings(markdown):
    return [line.split(" ")[0] for line in markdown.splitlines() if re.match("#+ ", line)]


def calc_lines(markdown):
    return re.findall(r"^```calc\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)


def test_the_stages_are_there_in_order(roadmap):
    assert tuple(roadmap.stages) == STAGES


def test_every_text_is_there_in_both_languages(roadmap):
    for kind in KINDS:
        for id_, record in records(roadmap, kind).items():
            for path, text in texts(record):
                where = (kind, id_, *path)
                assert text.en.strip() and text.zh.strip(), where
                assert not CJK.search(text.en) or "title" in path or "term" in path, where
                if path[-1] not in ("title", "term", "parts", "unit", "text"):
                    assert CJK.search(text.zh), where
                assert "  " not in text.en.strip().replace("\n", ""), where


@pytest.mark.parametrize("stage_id", STAGES)
def test_a_stage_says_why_what_first_what_at_its_end_and_whether_to_skip_it(roadmap, stage_id):
    stage = roadmap.stages[stage_id]
    assert stage.why
    assert stage.before
    assert 3 <= len(stage.outcomes) <= 8
    assert len(stage.diagnostic) == 3
    assert sum(bool(question.answer) for question in stage.diagnostic) >= 2, "numbers, drawn at random"
    assert 6 <= len(stage.topics) <= 12


def test_a_topic_says_what_to_read_to_do_and_to_explain(roadmap):
    for topic in roadmap.topics.values():
        assert topic.reads, topic.id
        assert len(topic.explain) >= 3, topic.id
        assert len(topic.terms) >= 3, topic.id


def test_topics_build_on_what_comes_before_them(roadmap):
    order = list(roadmap.stages)
    for topic in roadmap.topics.values():
        at = order.index(roadmap.topic_stage[topic.id])
        for before in topic.requires:
            assert order.index(roadmap.topic_stage[before]) <= at, (topic.id, before)


def test_every_expected_resource_is_there_and_complete(roadmap):
    assert not set(SEEDS + OTHER_RESOURCES) - set(roadmap.resources)
    for resource in roadmap.resources.values():
        assert resource.status, resource.id
        assert resource.checked, resource.id
        assert resource.licence, resource.id
        assert resource.hours > 0, resource.id


def test_what_is_past_says_what_of_it_is_still_worth_learning(roadmap):
    past = [resource for resource in roadmap.resources.values() if resource.state in PAST]
    assert {"bagua", "aitemplate", "clip-as-service"} <= {resource.id for resource in past}
    assert all(resource.worth for resource in past)


def test_a_part_that_is_one_paper_of_several_leads_to_that_paper(roadmap):
    for reading in readings.all_of(roadmap):
        first = re.match(r"[^;,.]*?\(arXiv:(\d+\.\d+)\)", reading.parts.en)
        if first and len(roadmap.resources[reading.resource].urls) > 1:
            assert readings.address(roadmap, reading) == f"https://arxiv.org/abs/{first[1]}", reading.parts.en


def test_no_reading_of_a_track_is_lost(roadmap):
    for track in roadmap.tracks.values():
        said = {(step.read.resource, step.read.parts) for step in track.steps if step.read}
        shown = {(item.id, item.parts) for item in itinerary.of_track(roadmap, track)}
        assert said <= shown, track.id


def test_every_resource_is_read_for_a_topic(roadmap):
    read = {reading.resource for topic in roadmap.topics.values() for reading in topic.reads}
    assert not set(roadmap.resources) - read


def test_a_part_takes_no_longer_than_the_whole(roadmap):
    for topic in roadmap.topics.values():
        for reading in topic.reads:
            assert reading.hours <= roadmap.resources[reading.resource].hours, (topic.id, reading.resource)


def test_every_seed_is_reachable_from_a_stage_a_topic_and_a_track(roadmap):
    in_tracks = {
        item.id
        for track in roadmap.tracks.values()
        for item in itinerary.of_track(roadmap, track)
        if item.kind == "read"
    }
    assert not set(SEEDS) - in_tracks
    assert not set(SEEDS) - {item.id for item in itinerary.of_path(roadmap) if item.kind == "read"}


def test_every_expected_exercise_has_its_place(roadmap):
    assert not set(EXERCISES) - set(roadmap.exercises) - set(roadmap.planned)
    placed = [name for topic in roadmap.topics.values() for name in topic.exercises]
    assert len(placed) == len(set(placed))
    assert not set(EXERCISES) - set(placed)


def test_the_tracks_are_there_and_each_can_be_walked(roadmap):
    assert not set(TRACKS) - set(roadmap.tracks)
    for track in roadmap.tracks.values():
        assert track.goal, track.id
        assert roadmap.track_exercises(track.id), track.id


def test_a_track_has_what_a_topic_builds_on_before_it_or_says_that_it_takes_it_for_granted(roadmap):
    for track in roadmap.tracks.values():
        order = itinerary.topics_of_track(roadmap, track)
        granted = itinerary.taken_for_granted(roadmap, track)
        for at, topic in enumerate(order):
            later = set(roadmap.topics[topic].requires) - set(order[:at]) - set(granted)
            assert not later, (track.id, topic)
        page = pages.track(roadmap, track.id)
        assert all(f"`{topic}`" in page for topic in granted)


def test_no_page_says_of_what_is_built_that_it_is_planned(roadmap):
    for topic_id in roadmap.topics:
        for name in LANGUAGES:
            file = pages.page_file(roadmap, topic_id, name)
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            for exercise in roadmap.exercises:
                for words in (f"`{exercise}` (planned)", f"`{exercise}`（计划中）"):
                    assert words not in text, (file.name, exercise)


def test_pages_exist_in_both_languages_with_the_same_sections_and_calculations(roadmap):
    found = 0
    for topic_id in roadmap.topics:
        files = [pages.page_file(roadmap, topic_id, name) for name in LANGUAGES]
        if not any(file.is_file() for file in files):
            continue
        found += 1
        english, chinese = (file.read_text(encoding="utf-8") for file in files)
        assert headings(english) == headings(chinese), topic_id
        assert calc_lines(english) == calc_lines(chinese), topic_id
        assert "$$" not in english, f"{topic_id}: formulas are read in a terminal"
    assert found >= 10
    known = {
        file.name
        for name in LANGUAGES
        for t in roadmap.topics
        for file in [pages.page_file(roadmap, t, name)]
    }
    strays = {file.name for file in (ours().roadmap / "pages").glob("*.md")} - known
    assert not strays


def test_every_topic_of_distributed_training_has_a_page_that_calculates(roadmap):
    for topic in roadmap.stages["distributed"].topics:
        assert pages.page_file(roadmap, topic.id, "en").is_file(), topic.id
    text = "".join(
        pages.page_file(roadmap, topic.id, "en").read_text(encoding="utf-8")
        for topic in roadmap.stages["distributed"].topics
    )
    assert len(calc_lines(text)) >= 8


@pytest.mark.parametrize("name", LANGUAGES)
def test_everything_can_be_shown(roadmap, name):
    language.use(name)
    try:
        for kind in ("topic", "stage", "track", "resource", "planned"):
            for id_ in records(roadmap, kind):
                assert getattr(pages, kind)(roadmap, id_).startswith("# "), id_
    finally:
        language.use("en")


def test_the_calculators_of_pages_are_those_that_there_are():
    assert "```calc" not in calculators.expand("```calc\nmemory --params 7.5e9 --dp 64 --zero 3\n```\n")
