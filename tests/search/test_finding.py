"""What is found, in which order, and what is shown of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsys_path import language
from mlsys_path.roadmap.names import KINDS
from mlsys_path.search import search


@pytest.mark.parametrize(
    ("query", "kind", "id_"),
    [
        ("lru", "exercise", "lru-cache"),
        ("hash-table", "exercise", "lru-cache"),  # a concept
        ("淘汰最旧", "exercise", "lru-cache"),  # the title of a check
        ("tortoise", "exercise", "lru-cache"),  # the lesson
        ("乌龟", "exercise", "spinlock"),
        ("定长队列", "planned", "ring-buffer"),
        ("arithmetic differ", "topic", "caches"),  # a summary
        ("伪共享", "topic", "caches"),  # a term
        ("prefetching", "topic", "caches"),  # what to be able to explain
        ("roofline", "topic", "caches"),  # its page
        ("屋顶线", "topic", "caches"),
        ("bottleneck", "stage", "memory"),  # an outcome
        ("等带宽", "stage", "memory"),  # why
        ("pointers", "stage", "memory"),  # what to know before
        ("hermit", "track", "short"),  # a goal
        ("eviction", "track", "short"),  # a note
        ("zebra", "resource", "a-book"),  # an address
        ("second edition", "resource", "a-book"),  # its status
        ("cafe", "resource", "a-book"),  # what it is worth
        ("存储器山", "resource", "a-book"),  # the part of it that a topic wants read
        ("book 书籍", "resource", "a-book"),  # its kind, in either language
    ],
)
@pytest.mark.parametrize("lang", language.LANGUAGES)
def test_a_record_is_found_by_either_language_whichever_is_shown(tree, query, kind, id_, lang):
    hits = tree.ask(query, lang).hits
    assert (kind, id_) in [(hit.kind, hit.id) for hit in hits]
    titles = {"en": "A ring buffer", "zh": "环形缓冲区"}
    assert all(hit.title == titles[lang] for hit in hits if hit.id == "ring-buffer")


@pytest.mark.parametrize("secret", ["giveaway", "泄底", "abracadabra", "芝麻开门", "password", "lazy"])
def test_hints_diagnostics_and_wrong_solutions_are_not_given_away(tree, secret):
    assert tree.ask(secret).hits == ()


@pytest.mark.parametrize("query", ["显存", "并行"])
def test_a_word_of_two_characters(tree, query):
    (hit,) = tree.ask(query, "zh").hits
    assert hit.id == "parallel-training"


@pytest.mark.parametrize(
    "query", ["all-reduce", "allreduce", "zero-3", "ZeRO 3", "flash attention", "flashattention"]
)
def test_words_that_people_write_in_different_ways(tree, query):
    assert tree.ids(query) == ["parallel-training"]


def test_all_words_must_be_there_in_one_language_or_the_other(tree):
    assert tree.ids("LRU 淘汰") == ["lru-cache"]
    assert tree.ids("乌龟 tortoises spinlock") == ["spinlock"]
    assert not tree.ask("LRU 淘汰").relaxed


def test_a_chinese_line_that_is_wrapped_is_one_line(tree):
    (hit,) = tree.ask("它的行会折断", "zh").hits
    assert hit.snippet == "一页可以很长，它的行会折断。"
    assert [hit.snippet[a:b] for a, b in hit.marks] == ["它的行会折断"]


def test_one_hit_for_each_record(tree):
    ids = tree.ids("the")
    assert len(ids) == len(set(ids)) > 2


@pytest.mark.parametrize("query", ["lru-cache", "LRU cache", "lrucache", "LRU-Cache", "least-recently-used"])
def test_what_is_called_so_comes_first_by_an_earlier_id_too(tree, query):
    tree.exercise("aaa", "LRU cache, lru-cache, LRU", "LRU 缓存")
    tree.write(
        "roadmap/stages/01.yaml",
        (tree.root / "roadmap/stages/01.yaml").read_text().replace("[lru-cache, ", "[aaa, lru-cache, "),
    )
    hit, *_rest = tree.ask(query).hits
    assert (hit.kind, hit.id, hit.snippet) == ("exercise", "lru-cache", "About lru-cache.")


def test_a_title_counts_more_than_a_term_and_that_more_than_a_lesson(tree):
    tree.write("exercises/memory/spinlock/README.md", "# A spin lock\n\n" + "locality " * 50)
    assert tree.ids("locality")[:2] == ["caches", "spinlock"]
    tree.write("exercises/memory/spinlock/README.md", "# A spin lock\n\n" + "sharing " * 50)
    assert tree.ids("sharing") == ["caches", "spinlock"]


def test_what_is_built_comes_before_what_is_planned(tree):
    tree.exercise("ring-queue", "A ring buffer", "环形缓冲区")
    tree.write(
        "roadmap/stages/01.yaml",
        (tree.root / "roadmap/stages/01.yaml")
        .read_text()
        .replace("[lru-cache, ", "[ring-queue, lru-cache, "),
    )
    assert tree.ids("ring") == ["ring-queue", "ring-buffer"]
    assert tree.ids("环形") == ["ring-queue", "ring-buffer"]
    assert tree.ids("ring-buffer") == ["ring-buffer", "ring-queue"]


def test_only_of_some_kinds_and_only_so_many(tree):
    assert {hit.kind for hit in tree.ask("cache 缓存").hits} >= {"exercise", "topic"}
    assert {hit.kind for hit in tree.ask("cache", kinds=["topic"]).hits} == {"topic"}
    assert {hit.kind for hit in tree.ask("cache", kinds=["topic", "exercise"]).hits} == {"topic", "exercise"}
    assert tree.ask("lru-cache", kinds=["topic"]).relaxed
    assert tree.ask("cache", kinds=[]).hits == ()
    assert len(tree.ids("cache", limit=1)) == 1
    assert tree.ids("cache", limit=0) == []


def test_words_are_relaxed_when_nothing_has_them_all(tree):
    answer = tree.ask("how does prefetching help tortoises")
    assert answer.relaxed
    assert {hit.id for hit in answer.hits} == {"caches", "lru-cache", "spinlock"}
    answer = tree.ask("怎样节省显存占用", "zh")
    assert (answer.relaxed, answer.hits[0].id) == (True, "parallel-training")
    assert not tree.ask("prefetching").relaxed


@pytest.mark.parametrize(
    ("query", "id_"),
    [
        ("lru-cahce", "lru-cache"),
        ("spinlok", "spinlock"),
        ("localitty", "caches"),
        ("bufer", "ring-buffer"),
        ("自选锁", "spinlock"),
    ],
)
def test_the_nearest_name_when_nothing_is_found(tree, query, id_):
    tree.write(
        "roadmap/stages/01.yaml",
        (tree.root / "roadmap/stages/01.yaml").read_text().replace("Caches and locality", "Locality"),
    )
    answer = tree.ask(query, "zh")
    if answer.hits:
        assert answer.relaxed
    else:
        assert answer.nearest[0].id == id_


def test_nothing_at_all(tree):
    for query in ("", " ", "***", "\ud800", "qzxvw"):
        assert tree.ask(query).hits == tree.ask(query).nearest == ()


def test_the_line_is_of_the_language_in_use_where_that_has_the_words(tree):
    (hit,) = tree.ask("ZeRO-3", "zh").hits
    assert (hit.language, hit.snippet[slice(*hit.marks[0])]) == ("zh", "ZeRO-3")
    (hit,) = tree.ask("ZeRO-3", "en").hits
    assert (hit.language, hit.snippet[slice(*hit.marks[0])]) == ("en", "ZeRO-3")
    (hit,) = tree.ask("伪共享", "en").hits
    # the English text of a term says its Chinese name too
    assert (hit.language, hit.title) == ("en", "Caches and locality")
    (hit,) = tree.ask("折断", "en").hits
    assert (hit.language, hit.title) == ("zh", "Caches and locality")


def test_nothing_from_the_content_steers_a_terminal(tree):
    tree.write(
        "exercises/memory/spinlock/README.md", "# A lock\n\nhidden\x1b[31m \x9b2J \u202e text \x07 beeps\n"
    )
    tree.write(
        "roadmap/resources/all.yaml",
        (tree.root / "roadmap/resources/all.yaml")
        .read_text(encoding="utf-8")
        .replace("en: A book on C++", r'en: "A \e[2J book\nof\u202e C++"'),
    )
    (hit,) = tree.ask("hidden").hits
    assert hit.snippet == "hidden [31m  2J  text   beeps"
    hit, *_rest = tree.ask("a-book").hits
    assert hit.title == "A  [2J book of C++"


def test_search_is_over_all_sources_in_the_language_in_use(tree, monkeypatch):
    monkeypatch.setenv("MLSYS_PATH_ROADMAP", str(tree.root / "roadmap"))
    monkeypatch.setenv("MLSYS_PATH_EXERCISES", str(tree.root / "exercises"))
    language.use("zh")
    (hit,) = search("hermit", kinds=KINDS, limit=3)
    assert (hit.kind, hit.id, hit.title, hit.language) == ("track", "short", "捷径", "en")


@given(
    query=st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
    lang=st.sampled_from(language.LANGUAGES),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_an_error(tree, query, lang):
    for hit in (answer := tree.ask(query, lang)).hits + answer.nearest:
        assert hit.snippet.isprintable()
        assert all(0 <= a < b <= len(hit.snippet) for a, b in hit.marks)
