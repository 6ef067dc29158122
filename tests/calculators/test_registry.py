"""Every calculator, through its options: values, presets, defaults, and nonsense that must be one line."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import CALCULATORS, Report, find, run_line
from mlsys_path.calculators.models import MODELS
from mlsys_path.calculators.report import cells
from mlsys_path.errors import UserError

EXAMPLES = [
    "params --model deepseek-v3",
    "params --layers 12 --hidden 768 --heads 12 --vocab 50257 --positions 1024",
    "flops --model palm-540b --seq 2048 --gpus 6144 --device tpu-v4 --throughput 238.3k",
    "flops --model gpt3-175b --tokens 300B --gpus 1024 --rate 140T --recompute full --device a100-80gb",
    "memory --params 7.5e9 --dp 64 --zero 3",
    "memory --model llama3-70b --dp 64 --zero 3",
    "activations --model gpt3-175b --seq 2048 --tp 8 --sequence-parallel --recompute selective --pp 8",
    "pipeline --schedule interleaved --stages 8 --microbatches 64 --chunks 3 --forward 10ms",
    "allreduce --size 1GB --ranks 8 --bandwidth 450GB/s --time 4ms",
    "allreduce --op all-gather --size 1GiB --ranks 64 --bandwidth 400Gbit/s --latency 0",
    "roofline --device h100-sxm --op matmul --m 4096 --n 4096 --k 4096",
    "roofline --device a100-80gb --op attention-decode --heads 64 --kv-heads 8 --head-dim 128 --context 8Ki",
    "kvcache --model llama3-70b --context 8Ki --batch 16 --memory 300GB --device h100-sxm --devices 8",
    "kvcache --model deepseek-v3 --context 32Ki --element-bytes 1",
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_a_report_is_ordered_named_and_fits_a_terminal(line):
    report = run_line(line)
    keys = [row.key for row in report.rows]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-z-]+", key) for key in keys)
    assert all(row.label and row.text for row in report.rows)
    assert max(cells(text) for text in report.table()) <= 78
    assert any(note.startswith("Formula: ") for note in report.notes)
    assert any(note.startswith("Source: ") for note in report.notes)
    json.dumps(report.to_json(), allow_nan=False)


def test_each_calculator_has_an_example():
    assert {line.split()[0] for line in EXAMPLES} == set(CALCULATORS)


@pytest.mark.parametrize("calculator", CALCULATORS.values(), ids=lambda each: each.name)
def test_inputs_are_declared_completely(calculator):
    names = [each.name for each in calculator.inputs]
    assert len(names) == len(set(names))
    for each in calculator.inputs:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.name)
        assert each.help
        assert not (each.required and each.default is not None)
        assert bool(each.choices) == (each.kind == "choice")
        if each.kind == "choice" and each.default is not None:
            assert each.default in each.choices


@pytest.mark.parametrize("name", MODELS)
def test_every_preset_serves_every_calculator_that_takes_one(name):
    assert MODELS[name].source
    extra = {"activations": "--seq 2048"}
    for calculator in CALCULATORS.values():
        if any(each.name == "model" for each in calculator.inputs):
            report = run_line(f"{calculator.name} --model {name} {extra.get(calculator.name, '')}")
            assert f"Source: {MODELS[name].source}" in report.notes


class TestInputs:
    def test_an_option_overrides_the_preset(self):
        assert run_line("kvcache --model llama2-70b --kv-heads 64").row("token").value == 8 * 320 * 1024
        assert run_line("params --model llama3-8b --tied").row("total").value == 8_030_261_248 - 128256 * 4096
        assert run_line("params --model gpt2 --no-tied").row("total").value == 124_439_808 + 50257 * 768

    def test_what_was_used_is_told(self):
        report = run_line("memory --params 7.5B --dp 64")
        assert report.inputs["params"] == 7.5e9
        assert report.inputs["dp"] == 64
        assert report.inputs["zero"] == "0"
        assert "model" not in report.inputs
        assert run_line("activations --model gpt3-175b --seq 2Ki").inputs["hidden"] == 12288

    def test_the_last_of_two_values_counts(self):
        assert run_line("memory --params 1B --params=2B").inputs["params"] == 2e9

    @pytest.mark.parametrize("text", ["40%", "0.4", ".4", "40 %"])
    def test_ratios(self, text):
        report = find("flops").report({"params": "7B", "mfu": text})
        assert report.inputs["mfu"] == pytest.approx(0.4)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("", "a calculator's name is missing"),
            ("memry --params 1B", "there is no calculator 'memry': did you mean 'memory'?"),
            ("xyzzy", "it is one of params, flops, memory"),
            ("memory --parms 1B", "`calc memory` has no option --parms: did you mean '--params'?"),
            ("memory 7B", "'7B' is no option"),
            ("memory --params", "--params needs a value"),
            ("memory --params 7Q", "--params is '7Q': 'Q' is no unit of it; write it like 7e9, 7B, 350M"),
            ("memory --params 0", "--params is 0.0: it must be more than 0"),
            ("memory --params -7B", "it must be more than 0"),
            ("memory --params nan", "that is not a number"),
            ("memory --params inf", "that is not a number"),
            ("memory --params 1e31", "that is too large"),
            ("memory --params 1e-31", "--params is too small"),
            ("memory --params 1B --dp 0", "--dp is 0: it must be at least 1"),
            ("memory --params 1B --dp 1.5", "--dp is 1.5: it must be a whole number"),
            ("memory --params 1B --dp 1e16", "--dp is too large"),
            ("memory --params 1B --zero 4", "--zero is '4': it is one of 0, 1, 2, 3"),
            ("memory --model llama3-7b", "did you mean 'llama3-70b'?"),
            ("memory --params 1B --optimizer Adam", "did you mean 'adam'?"),
            ("params --model gpt2 --gated=maybe", "--gated takes no value: write --gated or --no-gated"),
            ("params --layers 2", "--hidden is missing: give it, or a --model"),
            ("pipeline --stages 4", "--microbatches is missing: write it like 7e9"),
            ("memory --params '7B", "a quote is not closed"),
        ],
    )
    def test_a_mistake_is_one_line(self, line, words):
        with pytest.raises(UserError) as error:
            run_line(line)
        message = str(error.value)
        assert words in message
        assert "\n" not in message


odd = st.one_of(
    st.sampled_from(
        [
            "0", "1", "2", "3", "7", "8", "64", "-1", "0.5", "40%", "101%", "nan", "inf", "-inf", "1e400", "1e30", "1e-30",
            "1e15", "999999999999999", "9" * 400, "", " ", "7B", "80GB", "80GiB", "900GB/s", "312T", "20us", "abc", "٣", "½",
            "yes", "no", "--params", "1e9999999999", "0x7", "1_0", "._", "e", "%", "7 %", "\n8", "8\x00",
        ]
    ),
    st.text(max_size=12),
    st.integers(1, 10**15).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
)  # fmt: skip


fit = {
    "choice": lambda each: st.sampled_from(each.choices),
    "flag": lambda each: st.sampled_from(["yes", "no"]),
    "ratio": lambda each: st.floats(1e-9, 1).map(str),
    "quantity": lambda each: st.floats(1e-30, 1e30).map(str) | st.sampled_from(["1", "7e9", "1e30", "1e-30"]),
    # powers of two divide one another, so that what lies behind the first check is reached too
    "count": lambda each: (
        st.integers(0, 12).map(lambda k: str(2**k)) | st.sampled_from(["1", "128", str(10**15)])
    ),
}


@st.composite
def requests(draw):
    calculator = draw(st.sampled_from(list(CALCULATORS.values())))
    texts = {}
    for each in calculator.inputs:
        if draw(st.integers(0, 9)) < (9 if each.required or each.name == "params" else 3):
            texts[each.name] = draw(odd if draw(st.integers(0, 30)) == 0 else fit[each.kind](each))
    return calculator, texts


def checked(calculator, texts) -> Report | None:
    try:
        report = calculator.report(texts)
    except UserError as error:
        assert str(error)
        assert "\n" not in str(error).strip()
        return None
    for row in report.rows:
        assert isinstance(row.value, str) or math.isfinite(row.value), row
        assert row.text
        assert isinstance(row.value, str) or row.value >= 0 or row.key == "saved"
    json.dumps(report.to_json(), allow_nan=False)
    return report


@settings(deadline=None, max_examples=1500)
@given(request=requests())
def test_no_input_ends_in_a_traceback_or_a_number_that_is_none(request):
    checked(*request)


@settings(deadline=None, max_examples=300)
@given(
    line=st.text(max_size=60)
    | st.sampled_from(EXAMPLES).flatmap(lambda e: st.text(max_size=9).map(lambda t: e + t))
)
def test_no_line_ends_in_a_traceback(line):
    try:
        run_line(line)
    except UserError as error:
        assert str(error)


def test_importing_the_calculators_imports_nothing_heavy():
    code = "import sys, mlsys_path.calculators; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rich", "pydantic", "numpy", "click", "yaml", "textual", "difflib"} & set(done.stdout.split())
