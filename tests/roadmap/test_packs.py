"""Content packs: layered over ours, conflicts told by both files, ids renamed and never lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.roadmap import sources
from mlsys_path.roadmap.check import problems
from mlsys_path.roadmap.load import load
from mlsys_path.roadmap.names import identify

from .conftest import exercise

PACK = "id: our-group\ntitle: {en: Our group, zh: 我们组}\n"
ADDITION = """\
stage: foundations
topics:
  - id: our-topic
    title: {en: Ours, zh: 我们的}
    summary: {en: What we add, zh: 我们补充的}
    requires: [caches]
    reads: [{resource: a-book, parts: {en: All, zh: 全部}, hours: 1}]
    exercises: [third]
"""
TRACK = """\
id: our-track
title: {en: Ours, zh: 我们的}
summary: {en: Ours, zh: 我们的}
steps: [{topic: our-topic}, {exercise: first}]
"""


@pytest.fixture
def pack(tmp_path):
    """A pack that adds a topic, an exercise and a track to the stage of the tree."""
    root = tmp_path / "pack"
    files = {
        "pack.yaml": PACK,
        "roadmap/additions/ours.yaml": ADDITION,
        "roadmap/tracks/ours.yaml": TRACK,
        "exercises/foundations/third/exercise.yaml": exercise("third", "[second]"),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def told(tree, *packs):
    return [str(p) for p in problems([*tree.sources, *(sources.pack(p) for p in packs)])]


def test_a_pack_adds_topics_exercises_and_tracks(tree, pack):
    roadmap = load([*tree.sources, sources.pack(pack)])
    assert list(roadmap.exercises) == ["first", "second", "third"]
    assert [topic.id for topic in roadmap.stages["foundations"].topics] == ["caches", "our-topic"]
    assert roadmap.track_exercises("our-track") == ("third", "first")
    assert roadmap.folder("third") == pack / "exercises" / "foundations" / "third"
    assert roadmap.packs["our-group"].title.zh == "我们组"


def test_a_pack_may_have_a_stage_of_its_own(tree, pack):
    stage = textwrap.dedent(
        """\
        id: robotics
        order: 10
        title: {en: Robotics, zh: 机器人}
        summary: {en: Ours, zh: 我们的}
        requires: [foundations]
        topics:
          - {id: arms, title: {en: Arms, zh: 机械臂}, summary: {en: A, zh: 甲}, exercises: [grip]}
        """
    )
    (pack / "roadmap/stages").mkdir()
    (pack / "roadmap/stages/10.yaml").write_text(stage, encoding="utf-8")
    (pack / "exercises/robotics/grip").mkdir(parents=True)
    (pack / "exercises/robotics/grip/exercise.yaml").write_text(exercise("grip"), encoding="utf-8")
    assert list(load([*tree.sources, sources.pack(pack)]).stages) == ["foundations", "robotics"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("exercises/foundations/third/exercise.yaml", "id: third", "id: first", "the exercise 'first' is in"),
        ("roadmap/additions/ours.yaml", "id: our-topic", "id: caches", "the topic 'caches' is in"),
        ("roadmap/tracks/ours.yaml", "id: our-track", "id: short", "the track 'short' is in"),
        ("roadmap/additions/ours.yaml", "stage: foundations", "stage: fundations", "ours.yaml:1:1: stage: there is no stage 'fundations'; did you mean 'foundations'?"),
        ("roadmap/additions/ours.yaml", "topics:", "topic:", "topic: unknown key; did you mean 'topics'?"),
        ("pack.yaml", "title:", "titel:", "pack.yaml:2:1: titel: unknown key; did you mean 'title'?"),
        ("pack.yaml", "our-group", "Our Group", "pack.yaml:1:1: id: an id has small letters"),
    ],
)  # fmt: skip
def test_each_conflict_is_told_with_its_place(tree, pack, file, old, new, expected):
    path = pack / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    lines = told(tree, pack)
    assert any(expected in line and str(pack) in line for line in lines), lines


def test_a_conflict_names_both_files(tree, pack):
    (pack / "roadmap/tracks/ours.yaml").write_text(TRACK.replace("our-track", "short"), encoding="utf-8")
    (line,) = told(tree, pack)
    assert str(pack / "roadmap/tracks/ours.yaml") in line
    assert str(tree.track) in line


def test_a_pack_that_has_gone_is_one_line(tree, tmp_path):
    (line,) = told(tree, tmp_path / "gone")
    assert "gone/pack.yaml: cannot be read: No such file" in line


def test_two_packs_of_one_id(tree, pack, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "pack.yaml").write_text(PACK, encoding="utf-8")
    assert any("the pack 'our-group' is in" in line for line in told(tree, pack, other))


class TestRenames:
    @staticmethod
    def write(tree, text):
        (tree.roadmap / "renames.yaml").write_text(text, encoding="utf-8")

    def test_an_old_id_stands_for_the_new_one(self, tree):
        self.write(tree, "exercises: {zeroth: former, former: first}\ntracks: {long: short}\n")
        roadmap = load(tree.sources)
        assert roadmap.exercise("zeroth").id == "first"
        assert identify(roadmap, "former") == ("exercise", "first")
        assert identify(roadmap, "long") == ("track", "short")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("exercises: {first: second}\n", "renames.yaml:1:13: exercises.first: 'first' is there: an id is never reused"),
            ("exercises: {old: frist}\n", "exercises.old: there is no 'frist'; did you mean 'first'?"),
            ("exercises: {a: b, b: a}\n", "a cycle: a -> b -> a"),
            ("exercise: {a: first}\n", "exercise: unknown key; did you mean 'exercises'?"),
            ("exercises: [a]\n", "renames.yaml:1:1: exercises"),
            ("[]\n", "renames.yaml:1:1"),
        ],
    )  # fmt: skip
    def test_each_mistake_is_told(self, tree, text, expected):
        self.write(tree, text)
        assert any(expected in line for line in told(tree)), told(tree)

    def test_yaml_that_says_the_old_id_is_told_the_new_one(self, tree):
        self.write(tree, "exercises: {former: first}\n")
        tree.edit(tree.track, lambda t: t.replace("exercise: first", "exercise: former"))
        assert any("there is no exercise 'former': it is called 'first' now" in line for line in told(tree))

    def test_two_sources_may_not_disagree(self, tree, pack):
        self.write(tree, "exercises: {former: first}\n")
        (pack / "roadmap/renames.yaml").write_text("exercises: {former: third}\n", encoding="utf-8")
        assert any("'former' is renamed to 'first' already" in line for line in told(tree, pack))


class TestSources:
    def test_ours_come_first_then_the_variable_then_what_was_added(self, monkeypatch, tmp_path):
        monkeypatch.setenv("MLSYS_PATH_PACKS", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
        sources.remember([str(tmp_path / "c"), str(tmp_path / "a")])
        roots = [source.root for source in sources.sources()]
        assert roots == [locations.roadmap_dir(), tmp_path / "a", tmp_path / "b", tmp_path / "c"]

    def test_a_list_that_cannot_be_read_is_one_line(self):
        locations.packs_path().mkdir(parents=True)
        with pytest.raises(UserError, match="cannot be read"):
            sources.sources()

    def test_a_list_that_cannot_be_written_is_one_line_and_stays(self):
        locations.packs_path().parent.parent.mkdir(parents=True, exist_ok=True)
        locations.packs_path().parent.write_text("a file where the folder should be")
        with pytest.raises(UserError, match="cannot be written"):
            sources.remember(["/x"])

    def test_an_installed_package_brings_its_pack(self, tree, pack, tmp_path, monkeypatch):
        """A wheel's entry point is read from its metadata; the answer is kept until something is installed."""
        site = tmp_path / "site-packages"
        module = site / "our_pack"
        site.mkdir()
        pack.rename(module)
        (module / "__init__.py").write_text("raise SystemExit('a pack is data: it is not imported')\n")
        info = site / "our_pack-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-pack\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[mlsys_path.packs]\nours = our_pack\n")
        program = "from mlsys_path.roadmap.load import load; print(*load().exercises)"
        monkeypatch.setenv("PYTHONPATH", str(site))
        monkeypatch.setenv("MLSYS_PATH_ROADMAP", str(tree.roadmap))
        monkeypatch.setenv("MLSYS_PATH_EXERCISES", str(tree.exercises))

        def exercises() -> str:
            done = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=False
            )
            assert not done.stderr
            return done.stdout.strip()

        assert exercises() == "first second third"
        assert exercises() == "first second third"
        (info / "entry_points.txt").unlink()
        info.rename(site / "gone-1.0.dist-info")
        assert exercises() == "first second"
