"""`roadmap`, `pack`, and `show` of what is no exercise."""

from __future__ import annotations

import json

import pytest

from .conftest import add_exercise, write

PLANNED = """\
planned:
  - id: add-much
    title: {en: Add much, zh: 加很多}
    summary: {en: Not yet., zh: 尚未}
    language: c
    hardware: cpu
    difficulty: 1
    minutes: 90
"""


class TestRoadmap:
    def test_the_outline(self, invoke):
        result = invoke("roadmap")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.splitlines() == [
            "Foundations  (foundations)",
            "└─ Adding  (adding)  1 reading",
            "   ├─ add-one",
            "   ├─ add-two  - blocked",
            "   └─ add-nowhere",
        ]

    @pytest.mark.parametrize(
        ("format_", "begins"), [("dot", "digraph roadmap {"), ("mermaid", "flowchart LR")]
    )
    def test_the_graph(self, invoke, format_, begins):
        result = invoke("roadmap", "--format", format_)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith(begins)

    def test_as_data(self, invoke):
        document = json.loads(invoke("roadmap", "--format", "json").stdout)
        assert document["schema"] == 1
        assert [e["id"] for e in document["stages"][0]["topics"][0]["exercises"]] == [
            "add-one",
            "add-two",
            "add-nowhere",
        ]

    def test_a_stage_that_there_is_not(self, invoke):
        result = invoke("roadmap", "--stage", "fundations")
        assert result.exit_code == 2
        assert "did you mean 'foundations'" in result.stderr

    def test_links_are_a_command_below_it(self, invoke):
        assert "--fresh" in invoke("roadmap", "check-links", "--help").stdout


class TestShow:
    @pytest.mark.parametrize(
        ("record", "words"),
        [
            ("foundations", ["# Foundations", "## Topics", "`adding`"]),
            ("adding", ["# Adding", "`a-book`: A book of sums. Chapter 1 (2 h)", "`add-one`: Add 1"]),
            ("a-book", ["# A book of sums", "book · active · English", "<https://example.org/sums>"]),
            ("arithmetic", ["# The arithmetic track", "`add-two`"]),
        ],
    )
    def test_everything_has_a_page(self, invoke, record, words):
        result = invoke("show", record)
        assert result.exit_code == 0, result.stderr
        for word in words:
            assert word in result.stdout

    def test_what_is_planned_says_so_and_cannot_be_started(self, invoke, content):
        write(content / "roadmap" / "planned" / "all.yaml", PLANNED)
        stage = content / "roadmap" / "stages" / "01-foundations.yaml"
        stage.write_text(stage.read_text().replace("add-nowhere]", "add-nowhere, add-much]"))
        assert "is not built yet" in invoke("show", "add-much").stdout
        result = invoke("start", "add-much")
        assert result.exit_code == 2
        assert "add-much is planned and not built yet" in result.stderr
        assert "add-much" not in invoke("list").stdout

    def test_a_kind_that_it_is_not(self, invoke):
        result = invoke("show", "adding", "--kind", "track")
        assert result.exit_code == 2
        assert "there is no track 'adding'" in result.stderr


class TestListOfOthers:
    @pytest.mark.parametrize(
        ("kind", "line"),
        [
            ("stage", "foundations  1 topic  Foundations"),
            ("topic", "adding  foundations  2 h  Adding"),
            ("resource", "a-book  book, active, 0 h  A book of sums"),
        ],
    )
    def test_a_line_each(self, invoke, kind, line):
        result = invoke("list", "--kind", kind)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.splitlines() == [line]

    def test_what_is_planned(self, invoke, content):
        write(content / "roadmap" / "planned" / "all.yaml", PLANNED)
        stage = content / "roadmap" / "stages" / "01-foundations.yaml"
        stage.write_text(stage.read_text().replace("add-nowhere]", "add-nowhere, add-much]"))
        assert invoke("list", "--kind", "planned").stdout.startswith("add-much  c           *")
        (entry,) = json.loads(invoke("list", "--kind", "planned", "--json").stdout)["planned"]
        assert (entry["id"], entry["topic"], entry["minutes"]) == ("add-much", "adding", 90)

    def test_of_a_stage_or_a_track(self, invoke):
        assert json.loads(invoke("list", "--kind", "topic", "--stage", "foundations", "--json").stdout)[
            "topics"
        ]
        assert json.loads(invoke("list", "--kind", "topic", "--track", "arithmetic", "--json").stdout) == {
            "schema": 1,
            "topics": [],
        }
        assert invoke("list", "--kind", "resource", "--track", "arithmetic").exit_code == 2

    def test_the_learners_word_is_there(self, invoke):
        invoke("mark", "a-book", "read")
        (entry,) = json.loads(invoke("list", "--kind", "resource", "--json").stdout)["resources"]
        assert "read" in entry["said"]

    def test_a_status_is_one_of_exercises(self, invoke):
        result = invoke("list", "--kind", "topic", "--status", "passed")
        assert result.exit_code == 2
        assert "--status is for exercises" in result.stderr


class TestPack:
    @pytest.fixture
    def pack(self, tmp_path):
        root = tmp_path / "pack"
        write(root / "pack.yaml", "id: ours\ntitle: {en: Ours, zh: 我们的}\n")
        write(
            root / "roadmap/additions/ours.yaml",
            "stage: foundations\ntopics:\n  - {id: more, title: {en: More, zh: 更多}, "
            "summary: {en: M, zh: 多}, exercises: [add-four]}\n",
        )
        add_exercise(root, "add-four", 4)
        return root

    def test_added_used_listed_removed(self, invoke, pack):
        result = invoke("pack", "add", str(pack))
        assert (result.exit_code, result.stdout) == (0, "“Ours” is in use: 1 exercise.\n"), result.stderr
        assert "add-four" in invoke("list").stdout
        assert invoke("start", "add-four").exit_code == 0
        (entry,) = json.loads(invoke("pack", "list", "--json").stdout)["packs"]
        assert entry == {"id": "ours", "title": "Ours", "folder": str(pack), "exercises": 1, "problems": 0}
        assert "1 exercise, 0 problems" in invoke("pack", "list").stdout
        assert invoke("pack", "remove", str(pack)).exit_code == 0
        assert "add-four" not in invoke("list").stdout
        assert "No content pack is in use" in invoke("pack", "list").stdout

    def test_an_exercise_of_a_pack_is_checked_like_ours(self, invoke, pack, home):
        invoke("pack", "add", str(pack))
        write(home / "workspace/add-four/add_four.py", "def add_four(number):\n    return number + 4\n")
        result = invoke("check", "add-four", "--json")
        assert json.loads(result.stdout)["results"][0]["verdict"] == "passed", result.output

    def test_what_does_not_go_together_is_not_added(self, invoke, pack):
        add_exercise(pack, "add-one", 1)
        result = invoke("pack", "add", str(pack))
        assert result.exit_code == 2
        assert "the exercise 'add-one' is in" in result.stderr
        assert "No content pack" in invoke("pack", "list").stdout

    @pytest.mark.parametrize("args", [("add", "nowhere"), ("remove", "nowhere"), ("add", "content")])
    def test_a_folder_that_is_no_pack(self, invoke, args):
        result = invoke("pack", *args)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1

    def test_twice_is_once(self, invoke, pack):
        invoke("pack", "add", str(pack))
        result = invoke("pack", "add", str(pack))
        assert result.exit_code == 2
        assert "is in use already" in result.stderr

    def test_a_pack_that_has_gone_can_be_removed(self, invoke, pack):
        invoke("pack", "add", str(pack))
        pack.rename(pack.with_name("elsewhere"))
        result = invoke("list")
        assert result.exit_code == 2
        assert "pack.yaml: cannot be read" in result.stderr
        assert invoke("pack", "remove", str(pack)).exit_code == 0
        assert invoke("list").exit_code == 0

    def test_an_author_makes_an_exercise_in_a_pack(self, invoke, pack):
        result = invoke("author", "new", "foundations/add-five", "--language", "python", "--pack", str(pack))
        assert result.exit_code == 0, result.stderr
        assert (pack / "exercises/foundations/add-five/exercise.yaml").is_file()
        assert (pack / "exercises/registry.txt").read_text().splitlines()[-1] == "add-five"
