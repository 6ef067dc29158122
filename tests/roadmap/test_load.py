"""Loading, and the compiled index that may be stale, damaged or impossible to write."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema
import pytest
import yaml

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.schema import DIRECTORY, render, schemas


def loaded(tree):
    return load(tree.sources)


def index_files():
    return list((locations.cache_dir() / "index").glob("*.pickle"))


def test_exercises_come_in_path_order_with_their_place(tree):
    roadmap = loaded(tree)
    assert list(roadmap.exercises) == ["first", "second"]
    assert (roadmap.stage_of("second"), roadmap.topic_of("second")) == ("foundations", "caches")
    assert roadmap.folder("first") == tree.file("first").parent
    assert roadmap.unlocked(set()) == ["first"]
    assert roadmap.path_to("second", set()) == ["first", "second"]


def test_an_unknown_id_names_the_nearest(tree):
    with pytest.raises(UserError, match="there is no exercise 'secnd': did you mean 'second'"):
        loaded(tree).exercise("secnd")


def test_unsound_content_is_one_line_with_a_count(tree):
    tree.edit(
        tree.file("first"),
        lambda t: t.replace("difficulty: 2", "difficulty: 9").replace("minutes: 30", "minutes: 0"),
    )
    with pytest.raises(UserError) as info:
        loaded(tree)
    assert "exercise.yaml:6:1: difficulty" in str(info.value)
    assert "more: mlsys-path author verify --roadmap" in str(info.value)


def test_a_fresh_index_gives_the_same_roadmap_and_a_changed_file_another(tree):
    first = loaded(tree)
    assert len(index_files()) == 1
    assert loaded(tree) == first
    tree.edit(tree.file("first"), lambda t: t.replace("difficulty: 2", "difficulty: 5"))
    assert loaded(tree).exercises["first"].difficulty == 5
    tree.edit(tree.stage, lambda t: t.replace("[first, second]", "[second, first]"))
    assert list(loaded(tree).exercises) == ["second", "first"]


@pytest.mark.parametrize("damage", [b"", b"\x80\x05", b"not a pickle", b"\x80\x05\x8c\x03abc\x94."])
def test_a_damaged_index_is_made_again_silently(tree, damage):
    first = loaded(tree)
    (index,) = index_files()
    index.write_bytes(damage)
    assert loaded(tree) == first
    assert index.read_bytes() != damage


def test_a_truncated_index_is_made_again(tree):
    first = loaded(tree)
    (index,) = index_files()
    index.write_bytes(index.read_bytes()[:-20])
    assert loaded(tree) == first


def test_an_index_that_cannot_be_written_costs_nothing_but_time(tree, monkeypatch):
    locations.cache_dir().parent.mkdir(parents=True, exist_ok=True)
    locations.cache_dir().write_text("a file where the folder should be")
    assert list(loaded(tree).exercises) == ["first", "second"]


def test_a_fresh_index_needs_neither_yaml_nor_pydantic(tree):
    program = (
        "import sys; from mlsys_path.roadmap.load import load; load();"
        "print([m for m in ('yaml', 'pydantic', 'textual', 'torch', 'sqlite_utils', 'numpy') if m in sys.modules])"
    )
    environment = {
        **os.environ,
        "MLSYS_PATH_ROADMAP": str(tree.roadmap),
        "MLSYS_PATH_EXERCISES": str(tree.exercises),
    }

    def imported() -> str:
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert imported() != "[]"
    assert imported() == "[]"


def test_schemas_are_those_of_the_records():
    assert {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.json")} == {
        name: render(schema) for name, schema in schemas().items()
    }, "run `python -m mlsys_path.roadmap.schema`"


def test_our_yaml_fits_its_schemas():
    made = {name: json.loads((DIRECTORY / name).read_text(encoding="utf-8")) for name in schemas()}
    files = [
        *(("stage", p) for p in (locations.roadmap_dir() / "stages").glob("*.yaml")),
        *(("resources", p) for p in (locations.roadmap_dir() / "resources").glob("*.yaml")),
        *(("planned", p) for p in (locations.roadmap_dir() / "planned").glob("*.yaml")),
        *(("track", p) for p in (locations.roadmap_dir() / "tracks").glob("*.yaml")),
        *(("exercise", p) for p in locations.exercises_dir().glob("*/*/exercise.yaml")),
    ]
    assert len(files) > 20
    for kind, path in files:
        text = path.read_text(encoding="utf-8")
        jsonschema.Draft7Validator(made[f"{kind}.schema.json"]).validate(yaml.safe_load(text))
        assert f"{kind}.schema.json" in text.partition("\n")[0], f"{path} names its schema for editors"
