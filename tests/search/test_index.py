"""The index that may be stale, damaged, made twice at once, or impossible to write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.search import index


def test_it_is_made_once(tree, builds):
    assert tree.ids("lru") == tree.ids("lru") == ["lru-cache"]
    assert tree.ids("缓存", "zh")
    assert len(builds) == 1
    assert tree.index().parent == locations.cache_dir() / "index"


@pytest.mark.parametrize(
    "name",
    [
        "exercises/memory/spinlock/README.md",
        "exercises/memory/spinlock/README.zh.md",
        "roadmap/pages/caches.md",
        "roadmap/pages/caches.zh.md",
        "roadmap/pages/parallel-training.md",
    ],
)
def test_a_changed_lesson_or_page_is_found(tree, builds, name):
    assert tree.ids("platypus 鸭嘴兽") == []
    tree.write(name, "A platypus, 鸭嘴兽.\n")
    assert tree.ids("platypus 鸭嘴兽") == [name.split("/")[2].removesuffix(".md").removesuffix(".zh")]
    assert len(builds) == 2


def test_changed_yaml_is_found(tree, builds):
    tree.ids("lru")
    tree.exercise("lru-cache", "A platypus", "鸭嘴兽")
    assert tree.ids("platypus") == tree.ids("鸭嘴兽") == ["lru-cache"]
    assert len(builds) == 2


def test_files_that_were_renamed_or_removed_are_found_no_more(tree):
    pages = tree.root / "roadmap" / "pages"
    assert tree.ids("roofline") == ["caches"]
    (pages / "caches.md").rename(pages / "parallel-training.md")
    assert tree.ids("roofline") == ["parallel-training"]
    (pages / "parallel-training.md").unlink()
    assert tree.ids("roofline") == []
    lesson = tree.root / "exercises" / "memory" / "spinlock" / "README.md"
    lesson.rename(lesson.with_name("NOTES.md"))
    assert tree.ids("tortoises") == ["lru-cache"]


def test_an_exercise_whose_folder_was_renamed(tree):
    folder = tree.root / "exercises" / "memory" / "spinlock"
    assert tree.ids("spinlock") == ["spinlock"]
    folder.rename(folder.with_name("ticket-lock"))
    for name in ("exercises/memory/ticket-lock/exercise.yaml", "roadmap/stages/01.yaml"):
        tree.write(name, (tree.root / name).read_text(encoding="utf-8").replace("spinlock", "ticket-lock"))
    tree.write(
        "roadmap/renames.yaml", "exercises: {spinlock: ticket-lock}\ntopics: {}\nresources: {}\ntracks: {}\n"
    )
    assert tree.ids("ticket-lock")[0] == tree.ids("spinlock")[0] == "ticket-lock"


def test_an_index_of_another_version_is_made_again(tree, builds, monkeypatch):
    tree.ids("lru")
    monkeypatch.setattr(index, "__version__", "99")
    assert tree.ids("lru") == ["lru-cache"]
    assert len(builds) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 4096, b"not a database", b"SQLite format 3\0" + b"\xff" * 4080]
)
def test_a_damaged_index_is_made_again_silently(tree, builds, damage):
    tree.ids("lru")
    tree.index().write_bytes(damage)
    assert tree.ids("lru") == ["lru-cache"]
    assert len(builds) == 2
    assert tree.index().read_bytes() != damage


def test_damage_anywhere_costs_no_more_than_time(tree, builds):
    expected = tree.ids("cache 缓存"), tree.ids("tortoise")
    whole = tree.index().read_bytes()
    for at in range(0, len(whole), 1024):
        tree.index().write_bytes(whole[:at] + b"\xa5" * 512 + whole[at + 512 :])
        # what is found may be less where a text was hit that nothing else tells from one
        for query in ("cache 缓存", "tortoise", "spinlok"):
            tree.ask(query)
    for at in (100, 5000, len(whole) - 1000):
        tree.index().write_bytes(whole[:at])
        assert (tree.ids("cache 缓存"), tree.ids("tortoise")) == expected
    assert len(builds) > 3


@pytest.mark.parametrize("table", ["words", "records", "names", "made_of"])
def test_a_table_that_has_gone(tree, builds, table):
    tree.ids("lru")
    with sqlite3.connect(tree.index()) as connection:
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    assert tree.ids("lru") == ["lru-cache"]
    assert len(builds) == 2


def test_records_that_have_gone(tree, builds):
    tree.ids("lru")
    with sqlite3.connect(tree.index()) as connection:
        connection.execute("DELETE FROM records")
    connection.close()
    assert tree.ids("lru") == ["lru-cache"]
    assert len(builds) == 2


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tree, builds):
    locations.cache_dir().parent.mkdir(parents=True, exist_ok=True)
    locations.cache_dir().write_text("a file where the folder should be")
    assert tree.ids("lru") == tree.ids("lru") == ["lru-cache"]
    assert tree.ids("乌龟", "zh")
    assert len(builds) == 3


def test_a_disk_that_is_full_costs_nothing_but_time(tree, monkeypatch):
    original = index._fill
    failures = []

    def fill(connection, *args):
        if connection.execute("PRAGMA database_list").fetchone()[2]:
            failures.append(1)
            raise sqlite3.OperationalError("database or disk is full")
        original(connection, *args)

    monkeypatch.setattr(index, "_fill", fill)
    assert tree.ids("lru") == ["lru-cache"]
    assert failures
    assert [file for file in (locations.cache_dir() / "index").iterdir() if file.suffix != ".pickle"] == []


def test_an_interrupted_build_leaves_nothing(tree, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "_fill", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tree.ids("lru")
    assert [file for file in (locations.cache_dir() / "index").iterdir() if file.suffix != ".pickle"] == []


def test_a_python_without_fts5_says_so(tree, monkeypatch):
    monkeypatch.setattr(index, "_SCHEMA", index._SCHEMA.replace("fts5", "fts5x"))
    with pytest.raises(UserError, match="has no FTS5"):
        tree.ids("lru")


def test_unsound_content_is_the_same_line_as_everywhere(tree):
    tree.write("roadmap/renames.yaml", "exercises: 1\n")
    with pytest.raises(UserError, match=r"renames\.yaml"):
        tree.ids("lru")


def test_many_processes_that_make_it_at_once(tree):
    program = "from mlsys_path.search import search; print([hit.id for hit in search('lru')])"
    environment = {
        **os.environ,
        "MLSYS_PATH_ROADMAP": str(tree.root / "roadmap"),
        "MLSYS_PATH_EXERCISES": str(tree.root / "exercises"),
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate() for process in running] == [("['lru-cache']\n", "")] * 4
    left = [file.suffix for file in (locations.cache_dir() / "index").iterdir()]
    assert sorted(left) == [".pickle", ".search"]


def test_an_index_in_use_may_be_replaced(tree, builds):
    tree.ids("lru")
    with index.opened(tree.sources) as connection:
        tree.write("roadmap/pages/caches.md", "A platypus.\n")
        assert tree.ids("platypus") == ["caches"]
        shutil.rmtree(locations.cache_dir())
        (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
    assert count == len(tree.ids("the caches memory", limit=100)) + 2 or count > 5
    assert len(builds) == 3


def test_a_fresh_index_needs_neither_the_roadmap_nor_yaml_nor_pydantic(tree):
    program = (
        "import sys; from mlsys_path.search import search; search('lru');"
        "print([m for m in ('yaml', 'pydantic', 'textual', 'torch', 'annotated_types', 'mlsys_path.roadmap.load',"
        " 'difflib', 'tempfile') if m in sys.modules])"
    )
    environment = {
        **os.environ,
        "MLSYS_PATH_ROADMAP": str(tree.root / "roadmap"),
        "MLSYS_PATH_EXERCISES": str(tree.root / "exercises"),
    }

    def imported() -> str:
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert imported() != "[]"
    assert imported() == "[]"
