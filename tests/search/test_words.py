"""How texts and queries are cut into words."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.search.words import expression, key, loosened, parse, plain, searchable


@pytest.fixture(scope="module")
def matches():
    """Whether a query finds a text, asked of FTS5 itself."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
    )

    def found(query, text):
        with connection:
            connection.execute("INSERT INTO words(words) VALUES ('delete-all')")
            connection.execute("INSERT INTO words(rowid, text) VALUES (1, ?)", (searchable(plain(text)),))
        words = parse(query)
        return bool(words) and bool(
            connection.execute("SELECT 1 FROM words WHERE words MATCH ?", (expression(words),)).fetchall()
        )

    yield found
    connection.close()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("并行", "数据并行与流水线"),
        ("显存", "GPU显存不够"),
        ("存", "显存"),
        ("GPU显存", "显存在 GPU 上"),
        ("KV 缓存", "用KV缓存解码"),
        ("缓存，并行", "并行访问缓存"),
        ("ＫＶ　ｃａｃｈｅ", "a KV cache"),
        ("𠮷野", "大𠮷野家"),
        ("カーネル", "GPUカーネル入門"),
        ("메모리", "공유 메모리"),
        ("all-reduce", "the all-reduce"),
        ("all-reduce", "AllReduce"),
        ("all reduce", "AllReduce"),
        ("allreduce", "an all-reduce"),
        ("All‑Reduce", "all-reduce"),
        ("ring-all-reduce", "ring-all-reduce"),
        ("ZeRO-3", "with ZeRO-3"),
        ("zero 3", "ZeRO-3"),
        ("zero3", "ZeRO-3"),
        ("int4", "INT4 weights"),
        ("C++", "written in C++20"),
        ("c++", "C++"),
        ("cpp", "C++"),
        ("CUDA C++", "C++ and CUDA"),
        ("Ｃ＋＋", "C++"),
        ("flash", "FlashAttention-2"),
        ("flashattention-2", "FlashAttention-2"),
        ("torch.compile", "torch.compile"),
        ("kv_cache", "kv_cache"),
        ("cafe", "a café"),
        ("CAFÉ", "a cafe"),
        ("kernels", "a kernel"),
        ("kernel fusion", "kernels and fusion"),
        ("caches", "a cache"),
        ("quanti", "quantisation"),
        ("lru-ca", "lru-cache"),
        ("soft hyphen", "soft hy\u00adphen"),
        ("don't", "don't"),
        ("3.5", "3.5"),
    ],
)
def test_found(matches, query, text):
    assert matches(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("并行", "并不行"),  # side by side, or not at all
        ("行并", "并行"),
        ("C++", "plain C"),
        ("c", "caches"),  # one letter begins too much
        ("3", "30"),
        ("ZeRO-3", "ZeRO-30"),
        ("3.5", "35"),
        ("cache misses", "cache"),
        ("quanti kernel", "quantisation of a kernel"),  # only the last word may be unfinished
        ("NOT cache", "cache"),
        ("cache OR lock", "a lock"),
    ],
)
def test_not_found(matches, query, text):
    assert not matches(query, text)


@pytest.mark.parametrize(
    "query",
    ["", " ", "***", '"', "。，！", "()", "- -", "\ud800", "\x00", "🙂", "…"],
)
def test_no_word_in_it(query):
    assert parse(query) == []


@pytest.mark.parametrize(
    "query",
    ['"', 'a"b', "NEAR(a b)", "a NEAR b", "id : a", "{id title}: a", "^a", "a*", "*a", "a AND", "OR", "NOT", "-a", "+",
     "a) OR (b", "'; DROP TABLE words; --", "a\x00b", "a\ud800b", "显\udfff存", "((((((((", "a" * 100_000, "a " * 10_000,
     "的" * 10_000, "a-" * 10_000, "\ufdfa" * 400],
    ids=lambda query: ascii(query[:16]),
)  # fmt: skip
def test_whatever_is_typed_is_data(matches, query):
    matches(query, "a b")


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_can_be_asked_for_and_holds_its_own_words(matches, text):
    assert plain(text).isprintable()
    for words in (parse(text), loosened(parse(text))):
        asked = expression(words, every=False)
        assert set(asked) - set('"*() ') <= {c for c in asked if c.isalnum()}
    matches(text, text)


@given(st.text(alphabet="ab-并行 .+C3'", max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_text_is_found_by_itself(matches, text):
    assert matches(text, text) == bool(parse(text))


@pytest.mark.parametrize("name", ["lru-cache", "LRU cache", "LRU Cache", "lrucache", "ＬＲＵ cache!"])
def test_a_name_is_the_same_however_it_is_written(name):
    assert key(name) == "lrucache"


def test_loosened_words_are_parts_without_those_that_every_text_has():
    def texts(query):
        return [" ".join(word.parts) for word in loosened(parse(query))]

    assert texts("how do I shard the all-reduce") == ["shard", "all reduce", "all", "reduce"]
    assert texts("减少显存") == ["减 少 显 存", "减 少", "少 显", "显 存"]
    assert texts("to be or") == ["to", "be", "or"]


def test_nothing_that_steers_a_terminal_is_left():
    assert plain("a\x1b[31mb\u202ec\u200bd\u2028e\ud800f\tg\u3000h") == "a [31mbcd e f g h"
