"""`diagnose`: questions that differ from time to time, answered here or by a file; the result is a word and no proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlsys_path import language
from mlsys_path.cli.program import build
from mlsys_path.progress import queries

DIAGNOSTIC = """\
diagnostic:
  - id: sum
    ask: {en: "What is {a} and {b}?", zh: "{a} 加 {b} 等于几？"}
    draw: {a: [1, 2, 3, 4, 5], b: [10, 20, 30]}
    answer: "a + b"
    unit: {en: apples, zh: 个苹果}
    tolerance: 0
    because: {en: "Together they are {answer}.", zh: "合起来是 {answer}。"}
  - id: which
    ask: {en: Which is even?, zh: 哪个是偶数？}
    options:
      - {text: {en: two, zh: 二}, right: true}
      - {text: {en: three, zh: 三}}
      - {text: {en: five, zh: 五}}
    because: {en: Two halves are one., zh: 二的一半是一。}
"""


@pytest.fixture(autouse=True)
def _questions(content: Path) -> None:
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text() + DIAGNOSTIC)


@pytest.fixture
def answering(content: Path):
    """Run `diagnose foundations …` with this on stdin."""

    def run(stdin: str, *args: str, lang: str = "en"):
        language.use("en")
        return CliRunner().invoke(build(), ["--lang", lang, "diagnose", "foundations", *args], input=stdin)

    return run


def drawn(answering, seed: int = 7) -> dict:
    result = answering("", "--json", "--seed", str(seed))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def solved(answering, seed: int = 7) -> dict[str, str]:
    number, options = drawn(answering, seed)["questions"]
    values = number["values"]
    return {"sum": f"{values['a'] + values['b']:g}", "which": str(options["options"].index("two") + 1)}


class TestQuestions:
    def test_they_come_as_json_without_what_is_right(self, answering, home: Path):
        document = drawn(answering)
        assert (document["stage"], document["title"], document["seed"]) == ("foundations", "Foundations", 7)
        number, options = document["questions"]
        a, b = number["values"]["a"], number["values"]["b"]
        assert (number["kind"], number["unit"], number["options"]) == ("number", "apples", [])
        assert number["text"] == f"What is {a:g} and {b:g}?"
        assert (options["kind"], sorted(options["options"])) == ("options", ["five", "three", "two"])
        assert not {"right", "answer", "because"} & (number.keys() | options.keys())
        assert not (home / "progress.db").exists()

    def test_a_seed_draws_the_same_and_another_something_else(self, answering):
        assert drawn(answering, 7) == drawn(answering, 7)
        assert len({json.dumps(drawn(answering, seed)["questions"]) for seed in range(20)}) > 5

    def test_without_a_seed_one_is_drawn_and_said(self, answering):
        seeds = {json.loads(answering("", "--json").stdout)["seed"] for _ in range(3)}
        assert len(seeds) == 3
        seed = seeds.pop()
        assert drawn(answering, seed)["seed"] == seed

    def test_in_chinese(self, answering):
        result = answering("", "--json", "--seed", "7", lang="zh")
        assert "等于几" in json.loads(result.stdout)["questions"][0]["text"]


class TestConversation:
    def test_everything_right(self, answering):
        replies = solved(answering)
        result = answering(f"{replies['sum']}\n{replies['which']}\n", "--seed", "7")
        assert result.exit_code == 0, result.stderr
        text = result.stdout
        assert text.startswith("Foundations\n")
        assert "Question 1 of 2\n" in text
        assert "Answer in apples: " in text
        assert text.count("✓ right") == 2
        assert f"Together they are {replies['sum']}." in text
        assert "2 of 2: you can skip it: `mlsys-path mark foundations known`" in text
        assert "proves nothing" in text
        claim = queries.claims().diagnostics["foundations"]
        assert claim.score == (2, 2)
        assert claim.detail == {"right": 2, "of": 2, "seed": 7, "questions": {"sum": True, "which": True}}

    def test_a_result_passes_nothing_and_skips_nothing_by_itself(self, answering, invoke):
        replies = solved(answering)
        answering(f"{replies['sum']}\n{replies['which']}\n", "--seed", "7")
        assert json.loads(invoke("next", "--json").stdout)["suggestions"][0]["id"] == "add-one"
        document = json.loads(invoke("progress", "--json").stdout)
        assert (document["passes"], document["words"]) == (0, [])
        [diagnostic] = document["diagnostics"]
        assert (diagnostic["stage"], diagnostic["right"], diagnostic["of"]) == ("foundations", 2, 2)
        assert "2 of 2 questions right  foundations  Foundations" in invoke("progress").stdout
        assert invoke("show", "foundations").stdout.startswith("# Foundations (2 of 2 questions right)\n")

    def test_something_wrong_says_where_to_begin(self, answering):
        replies = solved(answering)
        result = answering(f"{replies['sum']}\n?\n", "--seed", "7")
        assert "✗ not right: two" in result.stdout
        assert "Two halves are one." in result.stdout
        assert "1 of 2: begin with the topic “Adding”: `mlsys-path show adding`" in result.stdout
        assert queries.claims().diagnostics["foundations"].score == (1, 2)

    def test_a_reply_of_the_wrong_form_is_asked_again_with_one_line(self, answering):
        replies = solved(answering)
        result = answering(f"many\n\n{replies['sum']}\n4\nx\n{replies['which']}\n", "--seed", "7")
        assert result.exit_code == 0
        assert result.stderr.count("\n") == 4
        assert "'many' is no number" in result.stderr
        assert result.stderr.count("answer with a number from 1 to 3") == 2
        assert queries.claims().diagnostics["foundations"].score == (2, 2)

    def test_the_end_of_the_input_stores_nothing(self, answering, home: Path):
        result = answering("1\n", "--seed", "7")
        assert result.exit_code == 2
        assert result.stderr == "mlsys-path: question 2 of 2 was not answered: nothing is stored\n"
        assert not (home / "progress.db").exists()

    def test_in_chinese(self, answering):
        result = answering("？\n？\n", "--seed", "7", lang="zh")
        assert result.exit_code == 0
        assert "等于几" in result.stdout
        assert "二的一半是一。" in result.stdout

    def test_a_database_that_cannot_be_read_is_met_before_anybody_has_answered(self, answering, home: Path):
        home.mkdir()
        (home / "progress.db").write_bytes(b"this is no database" * 100)
        result = answering("1\n1\n")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1


class TestAnswers:
    def test_they_are_graded_and_kept(self, answering, tmp_path: Path):
        file = tmp_path / "answers.json"
        file.write_text(json.dumps(solved(answering)))
        result = answering("", "--seed", "7", "--answers", str(file))
        document = json.loads(result.stdout)
        assert (document["right"], document["of"], document["proof"]) == (2, 2, False)
        assert document["advice"] == "2 of 2: you can skip it: `mlsys-path mark foundations known`"
        assert [(q["id"], q["right"]) for q in document["questions"]] == [("sum", True), ("which", True)]
        assert document["questions"][1]["answer"] == "two"
        assert queries.claims().diagnostics["foundations"].score == (2, 2)

    def test_from_stdin_with_numbers_and_with_what_is_not_known(self, answering):
        number = float(solved(answering)["sum"])
        result = answering(json.dumps({"sum": number, "which": "?"}), "--seed", "7", "--answers", "-")
        assert [q["right"] for q in json.loads(result.stdout)["questions"]] == [True, False]

    @pytest.mark.parametrize(
        ("replies", "words"),
        [
            ("", "is no JSON object of replies"),
            ("[1, 2]", "is no JSON object of replies"),
            ('{"sum": [1]}', "is no JSON object of replies"),
            ('{"sum": true, "which": 1}', "is no JSON object of replies"),
            ("[" * 100_000, "is no JSON object of replies"),
            ('{"sum": "11"}', "no reply to 'which'"),
            ('{"sum": "11", "which": "1", "who": "me"}', "there is no question 'who': sum, which"),
            ('{"sum": "eleven", "which": "1"}', "sum: 'eleven' is no number"),
            ('{"sum": "11", "which": "9"}', "which: answer with a number from 1 to 3"),
        ],
    )
    def test_what_is_no_answer_is_one_line_and_stores_nothing(self, answering, home: Path, replies, words):
        result = answering(replies, "--seed", "7", "--answers", "-")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("mlsys-path: standard input: ")
        assert words in result.stderr
        assert not (home / "progress.db").exists()

    def test_without_the_seed_or_the_file(self, answering, tmp_path: Path):
        assert "--seed" in answering("{}", "--answers", "-").stderr
        result = answering("", "--seed", "7", "--answers", str(tmp_path / "gone.json"))
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_a_stage_without_questions(invoke, content: Path):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    stage.write_text(stage.read_text().replace(DIAGNOSTIC, ""))
    result = invoke("diagnose", "foundations")
    assert result.exit_code == 2
    assert "has no questions yet" in result.stderr


def test_a_stage_that_there_is_not(invoke):
    assert "did you mean 'foundations'?" in invoke("diagnose", "fundations").stderr
    assert invoke("diagnose", "adding").exit_code == 2


def test_the_topic_to_begin_with_is_one_that_is_not_behind(answering, invoke, content: Path):
    stage = content / "roadmap" / "stages" / "01-foundations.yaml"
    more = """\
  - id: subtracting
    title: {en: Subtracting, zh: 减法}
    summary: {en: Differences., zh: 差。}
diagnostic:"""
    stage.write_text(stage.read_text().replace("diagnostic:", more))
    invoke("mark", "adding", "known")
    assert "begin with the topic “Subtracting”" in answering("?\n?\n").stdout
