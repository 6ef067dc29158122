"""`calc`: the calculators as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from mlsys_path import language
from mlsys_path.calculators import CALCULATORS, run_line
from mlsys_path.calculators.devices import DEVICES
from mlsys_path.calculators.models import MODELS

LINES = [
    "params --model llama3-8b",
    "flops --model gpt3-175b --tokens 300B --gpus 1024 --rate 140T --recompute full",
    "memory --params 7.5e9 --dp 64 --zero 3",
    "activations --model gpt3-175b --seq 2048 --tp 8 --sequence-parallel",
    "pipeline --stages 8 --microbatches 64",
    "allreduce --size 1GB --ranks 8 --bandwidth 450GB/s",
    "roofline --device a100-80gb --op matmul --m 64 --n 64 --k 64",
    "kvcache --model llama2-70b --context 4Ki --batch 8",
]


@pytest.mark.parametrize("line", LINES)
def test_a_table_and_notes_within_80_columns(invoke, monkeypatch, line):
    monkeypatch.setenv("COLUMNS", "80")
    result = invoke("calc", *line.split())
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    report = run_line(line)
    lines = result.stdout.splitlines()
    assert lines[0] == report.title
    assert [text.strip() for text in lines[1 : 1 + len(report.rows)]] == report.table()
    assert "Source: " in result.stdout
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize("line", LINES)
def test_chinese_stays_within_80_columns_too(invoke, monkeypatch, line):
    monkeypatch.setenv("COLUMNS", "80")
    result = invoke("--lang", "zh", "calc", *line.split())
    assert result.exit_code == 0, result.stderr
    assert max(map(cell_len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("line", LINES)
def test_json_is_what_a_line_in_a_page_says(invoke, line):
    result = invoke("calc", *line.split(), "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    language.use("en")
    assert document == {"schema": 1, **json.loads(json.dumps(run_line(line).to_json()))}
    assert list(document) == ["schema", "calculator", "inputs", "rows", "notes"]
    assert all(list(row) == ["label", "key", "value", "unit", "text"] for row in document["rows"])


def test_alone_it_lists_them(invoke):
    result = invoke("calc")
    assert result.exit_code == 0
    assert [text.split()[0] for text in result.stdout.splitlines()[: len(CALCULATORS)]] == list(CALCULATORS)
    document = json.loads(invoke("calc", "--json").stdout)
    assert document["schema"] == 1
    assert [each["name"] for each in document["calculators"]] == list(CALCULATORS)
    [dp] = [each for each in document["calculators"][2]["inputs"] if each["name"] == "dp"]
    assert (dp["kind"], dp["default"], dp["required"]) == ("count", 1, False)


@pytest.mark.parametrize("name", CALCULATORS)
def test_help_names_every_option(invoke, name):
    result = invoke("calc", name, "--help")
    assert result.exit_code == 0
    assert all(f"--{each.name}" in result.stdout for each in CALCULATORS[name].inputs)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("parms", "there is no calculator 'parms': did you mean 'params'?"),
        ("memory --parms 7B", "`calc memory` has no option --parms: did you mean '--params'?"),
        ("memory --params 7Q", "--params is '7Q': 'Q' is no unit of it"),
        ("memory", "--params or --model is missing"),
        ("memory --params 7B --dp 0", "--dp is 0: it must be at least 1"),
        ("memory --params", "--params"),
        ("memory 7B", "7B"),
        ("--json memory --params 7B", "--json belongs after the calculator's name"),
        ("activations --model gpt2 --seq 128 --tp 5", "tp (5) must divide heads (12)"),
        ("kvcache --model gpt5", "did you mean"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(invoke, args, words):
    result = invoke("calc", *args.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def test_flags_override_a_preset(invoke):
    def total(*args: str) -> int:
        rows = json.loads(invoke("calc", "params", "--model", "gpt2", "--json", *args).stdout)["rows"]
        return next(row["value"] for row in rows if row["key"] == "total")

    assert total() == total("--tied") == 124_439_808
    assert total("--no-tied") == 124_439_808 + 50257 * 768


def test_names_complete(content: Path):
    from click.shell_completion import ShellComplete

    from mlsys_path.cli.program import build

    def offered(*words: str) -> list[str]:
        *args, incomplete = words
        complete = ShellComplete(build(), {}, "mlsys-path", "_MLSYS_PATH_COMPLETE")
        return [item.value for item in complete.get_completions(list(args), incomplete)]

    assert offered("calc", "pa") == ["params"]
    assert offered("calc", "memory", "--model", "llama2-7") == ["llama2-7b", "llama2-70b"]
    assert "--device" in offered("calc", "roofline", "--de")


def test_the_reference_names_every_model_and_device():
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    lacking = [name for name in (*MODELS, *DEVICES) if f"`{name}`" not in text]
    assert not lacking
